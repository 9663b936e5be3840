//! Whether values can be judged by a schema in bounded time.
//!
//! Anyone may have written the schema, and no deadline covers its validation.
//! A schema without references is a tree, and judging by it takes time that is
//! linear in its size and the value's. References can make a few lines mean a
//! tree of any size, or an endless one; so they are followed here first, and
//! counted. Recursion is refused, which costs nobody anything: the types of
//! components are finite. What is refused besides either moves the meaning of
//! references (`$id`, `$dynamicRef`) or takes exponential time where it nests
//! (`unevaluatedProperties`, `unevaluatedItems`).

use serde_json::{Map, Value};

use super::InvalidSchema;
use super::violation::shorten;

/// The only dialect.
pub(super) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Most schemas that are reached through references: far more than an honest
/// schema has, and few enough to judge by within milliseconds.
const MAX_REFERENCED: usize = 10_000;

/// Deepest nesting with references followed, so that the stack suffices.
const MAX_DEPTH: usize = 128;

/// Keywords that no schema here may use, each for the reason above.
const REFUSED: [&str; 5] =
    ["$dynamicRef", "$dynamicAnchor", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties"];

/// Keywords whose value is a table of schemas by name.
const TABLES: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/// Keywords whose value is data, however much it looks like a schema.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Follows all references of `schema`; the error is the first thing that is refused.
pub(super) fn check(schema: &Value) -> Result<(), InvalidSchema> {
    let mut survey = Survey { root: schema, referenced: 0 };
    survey.schema(schema, &Place { pointer: String::new(), depth: 0, referenced: false })
}

struct Survey<'s> {
    root: &'s Value,
    /// Schemas that were reached through references so far.
    referenced: usize,
}

struct Place {
    pointer: String,
    depth: usize,
    /// Whether a reference led here.
    referenced: bool,
}

impl Place {
    fn at(&self, key: &str) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { pointer: format!("{}/{key}", self.pointer), depth: self.depth + 1, referenced: self.referenced }
    }

    fn error(&self, problem: String) -> InvalidSchema {
        InvalidSchema { pointer: shorten(&self.pointer), problem }
    }
}

impl Survey<'_> {
    fn schema(&mut self, schema: &Value, place: &Place) -> Result<(), InvalidSchema> {
        self.referenced += usize::from(place.referenced);
        if place.depth > MAX_DEPTH {
            let problem =
                format!("a reference leads back to itself, or the schema nests deeper than {MAX_DEPTH} levels");
            return Err(place.error(problem));
        }
        if self.referenced > MAX_REFERENCED {
            let problem = format!("the references mean more than {MAX_REFERENCED} schemas, expected fewer");
            return Err(place.error(problem));
        }
        match schema {
            Value::Object(keywords) => {
                keywords.iter().try_for_each(|(keyword, value)| self.keyword(keyword, value, place))
            }
            Value::Array(schemas) => self.all(schemas, place),
            _ => Ok(()),
        }
    }

    fn all(&mut self, schemas: &[Value], place: &Place) -> Result<(), InvalidSchema> {
        let mut entries = schemas.iter().enumerate();
        entries.try_for_each(|(index, schema)| self.schema(schema, &place.at(&index.to_string())))
    }

    fn table(&mut self, schemas: &Map<String, Value>, place: &Place) -> Result<(), InvalidSchema> {
        schemas.iter().try_for_each(|(name, schema)| self.schema(schema, &place.at(name)))
    }

    fn keyword(&mut self, keyword: &str, value: &Value, place: &Place) -> Result<(), InvalidSchema> {
        match (keyword, value) {
            ("$schema", Value::String(dialect)) => check_dialect(dialect, place),
            ("$id", Value::String(_)) if !place.pointer.is_empty() => {
                Err(place.at(keyword).error("found `$id` inside of a schema, expected it at the top alone".to_owned()))
            }
            ("$ref", Value::String(reference)) => self.reference(reference, place),
            (keyword, _) if REFUSED.contains(&keyword) => {
                let problem =
                    format!("found `{keyword}`, expected a schema without it: it can't be judged in bounded time");
                Err(place.at(keyword).error(problem))
            }
            (keyword, _) if DATA.contains(&keyword) => Ok(()),
            (keyword, Value::Object(schemas)) if TABLES.contains(&keyword) => self.table(schemas, &place.at(keyword)),
            (keyword, schema) => self.schema(schema, &place.at(keyword)),
        }
    }

    fn reference(&mut self, reference: &str, place: &Place) -> Result<(), InvalidSchema> {
        let pointer = reference.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
        let target = pointer.and_then(|pointer| Some((pointer, self.root.pointer(pointer)?)));
        let Some((pointer, schema)) = target else {
            let found = shorten(reference);
            let problem =
                format!("found `{found}`, expected a reference to a part of this schema, such as `#/$defs/name`");
            return Err(place.at("$ref").error(problem));
        };
        self.schema(schema, &Place { pointer: pointer.to_owned(), depth: place.depth + 1, referenced: true })
    }
}

fn check_dialect(dialect: &str, place: &Place) -> Result<(), InvalidSchema> {
    if place.pointer.is_empty() && dialect.trim_end_matches('#') == DIALECT {
        return Ok(());
    }
    Err(place.at("$schema").error(format!("found another dialect, expected `{DIALECT}` at the top, or none")))
}
