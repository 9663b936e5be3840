//! Whether an author's schema only narrows the one that the types give.
//!
//! Both schemas are enforced on every call, so that an author can never widen
//! what a tool takes. This check is for the author: a schema that allows what the
//! type does not is a mistake that would otherwise show only when a call fails.
//!
//! What can't be compared part by part is let through, because both schemas
//! hold anyway: `allOf`, `not`, `if`, `dependentSchemas`, `patternProperties`,
//! `contains`, patterns, formats, and references other than by a pointer within
//! the author's schema. Where the type is a union, one branch that agrees is enough.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Validator;
use super::bounds;
use super::violation::{excerpt, shorten};
use crate::near;

/// Most pairs of schemas that are compared. References can make a small schema
/// mean a large one; an honest one needs a few for each of its nodes.
const MAX_COMPARISONS: usize = 4000;

/// Deepest nesting of schemas, references counted, so that the stack suffices.
const MAX_DEPTH: usize = 128;

/// An author's schema that allows what the type does not, or that nothing can satisfy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", if pointer.is_empty() { "(root)" } else { pointer })]
pub struct NarrowError {
    /// Where in the author's schema: a JSON Pointer, empty for the schema itself.
    pub pointer: String,
    /// What is there, and what the type allows.
    pub problem: String,
}

/// Whether `author` narrows `derived`, which must come from [`super::input_schema`]
/// or one of its siblings; the error is the first place where it doesn't.
pub fn check(derived: &Value, author: &Value) -> Result<(), NarrowError> {
    Comparison { author, left: MAX_COMPARISONS }.compare(derived, author, &Place::root())
}

/// A place in the author's schema.
#[derive(Clone)]
pub(super) struct Place {
    pointer: String,
    depth: usize,
}

impl Place {
    const fn root() -> Self {
        Self { pointer: String::new(), depth: 0 }
    }

    /// The part under `key`.
    pub(super) fn at(&self, key: &str) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { pointer: format!("{}/{key}", self.pointer), depth: self.depth + 1 }
    }

    pub(super) fn error(&self, problem: &str) -> NarrowError {
        NarrowError { pointer: shorten(&self.pointer), problem: shorten(problem) }
    }
}

struct Comparison<'a> {
    /// The author's whole schema, to find what its references mean.
    author: &'a Value,
    /// Comparisons that may still be made.
    left: usize,
}

impl Comparison<'_> {
    fn compare(&mut self, derived: &Value, author: &Value, place: &Place) -> Result<(), NarrowError> {
        self.count(place)?;
        // `true` adds nothing and `false` takes everything away: neither widens.
        let Value::Object(node) = author else { return Ok(()) };
        self.compare_target(derived, node, place)?;
        if node.contains_key("const") || node.contains_key("enum") {
            return check_values(derived, node, place);
        }
        for keyword in ["anyOf", "oneOf"] {
            for (index, branch) in list(node, keyword).iter().enumerate() {
                self.compare(derived, branch, &place.at(keyword).at(&index.to_string()))?;
            }
        }
        check_types(derived, node, place)?;
        let branches = union_of(derived);
        if branches.is_empty() {
            self.constraints(derived, node, place)
        } else {
            self.any_branch(branches, node, place)
        }
    }

    fn count(&mut self, place: &Place) -> Result<(), NarrowError> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || place.depth > MAX_DEPTH {
            return Err(place.error(
                "the schema is too large or refers to itself, expected one that can be compared with the type",
            ));
        }
        Ok(())
    }

    /// What a `$ref` means stands beside the other keywords.
    fn compare_target(&mut self, derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
        let pointer = node.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        let Some(pointer) = pointer else { return Ok(()) };
        let author = self.author;
        match author.pointer(pointer) {
            Some(target) => {
                let place = Place { pointer: pointer.to_owned(), depth: place.depth + 1 };
                self.compare(derived, target, &place)
            }
            None => Ok(()),
        }
    }

    /// Of a union, a branch that could be meant must agree; types were compared before.
    fn any_branch(&mut self, branches: &[Value], node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
        let mut first = None;
        for branch in branches.iter().filter(|branch| could_mean(branch, node)) {
            let nested = union_of(branch);
            let answer = if nested.is_empty() {
                self.constraints(branch, node, place)
            } else {
                self.any_branch(nested, node, place)
            };
            match answer {
                Ok(()) => return Ok(()),
                Err(error) => first = first.or(Some(error)),
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn constraints(&mut self, derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
        bounds::check(derived, node, place)?;
        check_encoding(derived, node, place)?;
        self.properties(derived, node, place)?;
        self.items(derived, node, place)
    }

    fn properties(&mut self, derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
        let Some(known) = derived["properties"].as_object() else { return Ok(()) };
        if let Some(properties) = node.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                let place = place.at("properties").at(name);
                match known.get(name) {
                    Some(derived) => self.compare(derived, property, &place)?,
                    None => {
                        return Err(place.error(&format!("unknown property, expected one of {}", quoted(known.keys()))));
                    }
                }
            }
            check_relaxed(derived, node, place)?;
        }
        check_required(known, node, place)?;
        match node.get("additionalProperties") {
            None | Some(Value::Bool(false)) => Ok(()),
            Some(_) => Err(place
                .at("additionalProperties")
                .error("the type has no other properties, expected `false` or nothing")),
        }
    }

    fn items(&mut self, derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
        if let (Some(derived), Some(items)) =
            (derived.get("items").filter(|items| items.is_object()), node.get("items"))
        {
            return self.compare(derived, items, &place.at("items"));
        }
        let Some(known) = derived["prefixItems"].as_array() else { return Ok(()) };
        let items = list(node, "prefixItems");
        for (index, item) in items.iter().enumerate() {
            let place = place.at("prefixItems").at(&index.to_string());
            match known.get(index) {
                Some(derived) => self.compare(derived, item, &place)?,
                None => return Err(place.error(&format!("the tuple has {} values, expected no more", known.len()))),
            }
        }
        let more = node.get("items").is_some_and(|rest| *rest != Value::Bool(false));
        if more && items.len() >= known.len() {
            return Err(place
                .at("items")
                .error(&format!("the tuple has {} values, expected `false` or nothing", known.len())));
        }
        Ok(())
    }
}

/// The values that an author lists must be among those that the type has.
fn check_values(derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
    let constant = node.get("const").map(|value| (place.at("const"), value));
    let listed = list(node, "enum").iter().enumerate();
    let listed = listed.map(|(index, value)| (place.at("enum").at(&index.to_string()), value));
    // What doesn't compile is no schema of a type, and can't be compared.
    let Ok(validator) = Validator::new(derived) else { return Ok(()) };
    for (place, value) in constant.into_iter().chain(listed) {
        if let Err(violation) = validator.check(value) {
            return Err(place.error(&format!("the type has no such value: {}", violation.problem)));
        }
    }
    Ok(())
}

fn check_types(derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
    let (Some(allowed), Some(wanted)) = (types(derived), node.get("type").map(type_names)) else { return Ok(()) };
    match wanted.iter().find(|ty| !allows(&allowed, ty)) {
        Some(ty) => {
            Err(place.at("type").error(&format!("`{ty}` is wider than the type, expected {}", quoted(&allowed))))
        }
        None => Ok(()),
    }
}

fn check_encoding(derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
    match (derived.get("contentEncoding"), node.get("contentEncoding")) {
        (Some(derived), Some(author)) if derived != author => {
            Err(place.at("contentEncoding").error(&format!("found {}, expected {}", excerpt(author), excerpt(derived))))
        }
        _ => Ok(()),
    }
}

/// Who describes an object's properties and says which are required says that the others are not.
fn check_relaxed(derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
    let Some(required) = node.get("required").and_then(Value::as_array) else { return Ok(()) };
    match list_of(derived, "required").iter().find(|name| !required.contains(name)) {
        Some(name) => {
            Err(place.at("required").error(&format!("{} is missing, which the type requires", excerpt(name))))
        }
        None => Ok(()),
    }
}

/// A property that the type doesn't have can't be required: no value would do.
fn check_required(known: &Map<String, Value>, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
    for (index, name) in list(node, "required").iter().enumerate() {
        if name.as_str().is_some_and(|name| !known.contains_key(name)) {
            let place = place.at("required").at(&index.to_string());
            return Err(place.error(&format!(
                "unknown property {}, expected one of {}",
                excerpt(name),
                quoted(known.keys())
            )));
        }
    }
    Ok(())
}

/// The branches of a union.
fn union_of(schema: &Value) -> &[Value] {
    match list_of(schema, "anyOf") {
        [] => list_of(schema, "oneOf"),
        branches => branches,
    }
}

/// Whether a value of the branch could have a type that the author names.
fn could_mean(branch: &Value, node: &Map<String, Value>) -> bool {
    match (types(branch), node.get("type").map(type_names)) {
        (Some(allowed), Some(wanted)) => {
            wanted.iter().any(|ty| allows(&allowed, ty) || (*ty == "number" && allowed.contains("integer")))
        }
        _ => true,
    }
}

/// The JSON types of a schema's values; `None` where they could be any. Derived
/// schemas are as deep as their types, which bounds the recursion.
fn types(schema: &Value) -> Option<BTreeSet<&str>> {
    if let Some(ty) = schema.get("type") {
        return Some(type_names(ty).into_iter().collect());
    }
    if let Some(constant) = schema.get("const") {
        return Some(BTreeSet::from([type_of(constant)]));
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return Some(values.iter().map(type_of).collect());
    }
    let branches = union_of(schema);
    if branches.is_empty() {
        return None;
    }
    let types: Option<Vec<BTreeSet<&str>>> = branches.iter().map(types).collect();
    types.map(|types| types.into_iter().flatten().collect())
}

/// The names in a `type` keyword: one, or a list.
fn type_names(keyword: &Value) -> Vec<&str> {
    match keyword {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    }
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Every integer is a number.
fn allows(allowed: &BTreeSet<&str>, ty: &str) -> bool {
    allowed.contains(ty) || (ty == "integer" && allowed.contains("number"))
}

fn list<'v>(node: &'v Map<String, Value>, keyword: &str) -> &'v [Value] {
    node.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn list_of<'v>(schema: &'v Value, keyword: &str) -> &'v [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names = near::quoted(names, ", ");
    if names.is_empty() { "nothing".to_owned() } else { names }
}
