//! Whether a document has the keys, types and bounds that a JSON Schema asks for.
//!
//! This reads only those keywords that the schemas of `raw` consist of, and
//! says what a person can act on: a validator for all of JSON Schema knows
//! neither lines nor "did you mean". Patterns are left to the code that turns
//! texts into the types of the domain, because it can say what is meant.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::document::{Content, Document, Entry, Node, Syntax, excerpt};
use super::findings::Findings;
use super::key_path::KeyPath;
use crate::near;

/// Shortest key that may stand for a longer one that begins with it, such as `desc`.
const MIN_BEGINNING: usize = 3;

/// Reads `document` as a `T`, whose schema is `schema`. `None` means that
/// `findings` says why not.
pub(super) fn read<T: DeserializeOwned>(document: &Document, schema: &Value, findings: &mut Findings) -> Option<T> {
    let value = Shape { document, root: schema, findings }.node(&document.root, schema, &KeyPath::root());
    if findings.failed() {
        return None;
    }
    match serde_json::from_value(value) {
        Ok(read) => Some(read),
        // The schema is made from `T`, so that this can't happen; if it does, it must not pass.
        Err(error) => {
            findings.problem(document.problem(&KeyPath::root(), error.to_string()));
            None
        }
    }
}

struct Shape<'a> {
    document: &'a Document,
    /// The schema of the whole document, to find where a key would belong.
    root: &'a Value,
    findings: &'a mut Findings,
}

impl Shape<'_> {
    /// The value as JSON; what it is after a problem doesn't matter. The
    /// recursion goes only as deep as the schema, which is finite.
    fn node(&mut self, node: &Node, schema: &Value, path: &KeyPath) -> Value {
        match (kind_of(schema, node), &node.content) {
            ("object", Content::Table(entries)) => self.table(node, entries, schema, path),
            ("array", Content::List(nodes)) => self.list(nodes, schema, path),
            ("object" | "array", _) | (_, Content::Table(_) | Content::List(_)) => {
                self.wrong_structure(node, schema, path)
            }
            (kind, _) => self.scalar(node, kind, schema, path),
        }
    }

    fn problem(&mut self, path: &KeyPath, message: impl AsRef<str>) {
        // Finding the place of a problem that nobody will see costs time that a hostile file could multiply.
        if self.findings.full() {
            return;
        }
        self.findings.problem(self.document.problem(path, message));
    }

    fn wrong_structure(&mut self, node: &Node, schema: &Value, path: &KeyPath) -> Value {
        let found = self.document.found(node);
        let toml = self.document.syntax == Syntax::Toml;
        let hint = match (&node.content, kind_of(schema, node)) {
            (Content::Table(_), "array") if toml && is_table(&schema["items"]) => {
                format!(": write `[[{path}]]`")
            }
            (Content::List(_), "object") if toml => format!(": write `[{path}]`"),
            (Content::Text(_) | Content::Integer(_) | Content::Boolean(_), "array") => ": put it in `[ ]`".to_owned(),
            _ => String::new(),
        };
        self.problem(path, format!("found {found}, expected {}{hint}", expected(schema)));
        Value::Null
    }

    fn table(&mut self, node: &Node, entries: &[Entry], schema: &Value, path: &KeyPath) -> Value {
        let mut out = Map::new();
        self.check_count(entries.len(), schema, ["minProperties", "maxProperties"], path);
        for entry in entries {
            let inner = path.key(&entry.key);
            match property(schema, &entry.key) {
                Some(property) => {
                    out.insert(entry.key.clone(), self.node(&entry.node, property, &inner));
                }
                None => self.unknown_key(entry, schema, &inner),
            }
        }
        for name in names(schema, "required").filter(|name| node.get(name).is_none()) {
            let wanted = property(schema, name).map_or_else(String::new, described);
            self.problem(&path.key(name), format!("found nothing, expected {wanted}"));
        }
        Value::Object(out)
    }

    fn unknown_key(&mut self, entry: &Entry, schema: &Value, path: &KeyPath) {
        if self.findings.full_of_tolerable() {
            return;
        }
        let known: Vec<&str> =
            schema["properties"].as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let mut meant = meant(&entry.key, &known);
        if meant.is_empty() {
            meant.extend(self.elsewhere(&entry.key));
        }
        let found = self.document.found(&entry.node);
        let message =
            format!("unknown key with {found}, expected one of {}{}", near::quoted(&known, ", "), near::hint(&meant));
        self.findings.tolerable(self.document.problem_at(entry.key_span.start, path, message));
    }

    /// The full name of a key that stands in the wrong table.
    fn elsewhere(&self, key: &str) -> Option<String> {
        let tables = self.root["properties"].as_object()?;
        let holds = |table: &Value| table["properties"].get(key).is_some();
        let top = tables.contains_key(key).then(|| key.to_owned());
        top.or_else(|| tables.iter().find(|(_, table)| holds(table)).map(|(name, _)| format!("{name}.{key}")))
    }

    fn list(&mut self, nodes: &[Node], schema: &Value, path: &KeyPath) -> Value {
        if !self.check_count(nodes.len(), schema, ["minItems", "maxItems"], path) {
            return Value::Null;
        }
        let items = &schema["items"];
        let values: Vec<Value> =
            nodes.iter().enumerate().map(|(index, node)| self.node(node, items, &path.index(index))).collect();
        if schema["uniqueItems"] == true {
            self.check_unique(nodes, &values, path);
        }
        Value::Array(values)
    }

    /// Lists are bounded, so that comparing all pairs is cheap.
    fn check_unique(&mut self, nodes: &[Node], values: &[Value], path: &KeyPath) {
        for (index, value) in values.iter().enumerate() {
            if let Some(first) = values[..index].iter().position(|other| other == value && !value.is_null()) {
                let found = self.document.found(&nodes[index]);
                self.problem(
                    &path.index(index),
                    format!("found {found} again, expected each entry once; the first is {}", path.index(first)),
                );
            }
        }
    }

    fn scalar(&mut self, node: &Node, kind: &str, schema: &Value, path: &KeyPath) -> Value {
        let value = match (kind, &node.content) {
            ("string", Content::Text(text)) => json!(text),
            ("integer", Content::Integer(number)) => json!(number),
            ("boolean", Content::Boolean(boolean)) => json!(boolean),
            _ => self.coerce(node, kind, schema, path),
        };
        match &value {
            Value::String(text) => self.check_text(node, text, schema, path),
            Value::Number(number) => self.check_range(number.as_i64(), node, schema, path),
            _ => {}
        }
        value
    }

    /// A scalar that stands for one of another type: forgiven unless the mode is strict.
    fn coerce(&mut self, node: &Node, kind: &str, schema: &Value, path: &KeyPath) -> Value {
        let found = self.document.found(node);
        let message = |hint: &str| format!("found {found}, expected {}{hint}", expected(schema));
        let (value, hint) = match (kind, &node.content) {
            ("integer", Content::Text(text)) => {
                (text.parse::<i64>().ok().map(Value::from), ": write it without quotes")
            }
            ("boolean", Content::Text(text)) => {
                (text.parse::<bool>().ok().map(Value::from), ": write it without quotes")
            }
            ("string", _) if choices(schema).is_empty() => {
                (Some(Value::from(self.document.source(node))), ": write it in quotes")
            }
            _ => (None, ""),
        };
        let Some(value) = value else {
            self.problem(path, message(""));
            return Value::Null;
        };
        let problem = self.document.problem(path, message(hint));
        if self.findings.tolerable(problem) { value } else { Value::Null }
    }

    fn check_text(&mut self, node: &Node, text: &str, schema: &Value, path: &KeyPath) {
        let choices = choices(schema);
        if !choices.is_empty() {
            if !choices.contains(&text) {
                let hint = near::hint(&meant(text, &choices));
                let found = self.document.found(node);
                self.problem(path, format!("found {found}, expected {}{hint}", expected(schema)));
            }
            return;
        }
        let length = text.chars().count() as u64;
        let [min, max] = ["minLength", "maxLength"].map(|keyword| schema[keyword].as_u64());
        if min.is_some_and(|min| length < min) {
            self.problem(path, format!("found an empty string, expected {}", described(schema)));
        } else if let Some(max) = max.filter(|max| length > *max) {
            self.problem(path, format!("found {length} characters ({}), expected at most {max}", excerpt(text)));
        }
    }

    fn check_range(&mut self, number: Option<i64>, node: &Node, schema: &Value, path: &KeyPath) {
        let [min, max] = ["minimum", "maximum"].map(|keyword| schema[keyword].as_i64());
        let below = min.is_some_and(|min| number.is_none_or(|number| number < min));
        let above = max.is_some_and(|max| number.is_none_or(|number| number > max));
        if below || above {
            let found = self.document.found(node);
            self.problem(path, format!("found {found}, expected {}", expected(schema)));
        }
    }

    /// Whether a list or a table has a number of entries that is allowed.
    fn check_count(&mut self, count: usize, schema: &Value, keywords: [&str; 2], path: &KeyPath) -> bool {
        let count = count as u64;
        let [min, max] = keywords.map(|keyword| schema[keyword].as_u64());
        if min.is_some_and(|min| count < min) {
            self.problem(path, format!("found an empty list, expected at least 1 entry: {}", summary(schema)));
        } else if let Some(max) = max.filter(|max| count > *max) {
            self.problem(path, format!("found {count} entries, expected at most {max}"));
        } else {
            return true;
        }
        false
    }
}

/// The type that the schema asks of `node`. What may be a boolean or a table is
/// taken for a table where one stands there.
fn kind_of<'s>(schema: &'s Value, node: &Node) -> &'s str {
    match &schema["type"] {
        Value::Array(_) if matches!(node.content, Content::Table(_)) => "object",
        Value::Array(_) => "boolean",
        // The schemas of enums whose values are documented have no type.
        kind => kind.as_str().unwrap_or("string"),
    }
}

fn is_table(schema: &Value) -> bool {
    schema["type"] == "object"
}

/// The schema of a key: its own, or the one that a table has for every key.
fn property<'s>(schema: &'s Value, key: &str) -> Option<&'s Value> {
    schema["properties"].get(key).or_else(|| schema.get("additionalProperties").filter(|rest| rest.is_object()))
}

fn names<'s>(schema: &'s Value, keyword: &str) -> impl Iterator<Item = &'s str> {
    schema[keyword].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The values of an enum, in its own order.
fn choices(schema: &Value) -> Vec<&str> {
    let documented = schema["oneOf"].as_array().into_iter().flatten().filter_map(|case| case["const"].as_str());
    names(schema, "enum").chain(documented).collect()
}

/// What a schema asks for, in words.
fn expected(schema: &Value) -> String {
    let choices = choices(schema);
    if !choices.is_empty() {
        return near::quoted(&choices, " or ");
    }
    let [min, max] = ["minimum", "maximum"].map(|keyword| schema[keyword].as_i64());
    if schema["type"].is_array() {
        return "`true`, `false` or a table".to_owned();
    }
    match (schema["type"].as_str().unwrap_or("string"), min, max) {
        ("integer", Some(min), Some(max)) => format!("an integer from {min} to {max}"),
        ("integer", Some(min), None) => format!("an integer from {min}"),
        ("integer", ..) => "an integer".to_owned(),
        ("boolean", ..) => "`true` or `false`".to_owned(),
        ("object", ..) => "a table".to_owned(),
        ("array", ..) if is_table(&schema["items"]) => "a list of tables".to_owned(),
        ("array", ..) => "a list".to_owned(),
        _ => "a string".to_owned(),
    }
}

/// What a schema asks for, and what it is for.
fn described(schema: &Value) -> String {
    match summary(schema) {
        "" => expected(schema),
        summary => format!("{}: {summary}", expected(schema)),
    }
}

/// A key's description without its full stop.
fn summary(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default().trim_end_matches('.')
}

/// The known keys that are likely meant: one that was cut short, or else those that look alike.
fn meant(key: &str, known: &[&str]) -> Vec<String> {
    let begins = |other: &&&str| key.len() >= MIN_BEGINNING && other.starts_with(key);
    match known.iter().find(begins) {
        Some(whole) => vec![(*whole).to_owned()],
        None => near::near(key, known.iter().copied()),
    }
}
