//! A compiled JSON Schema, and what a value does against it.

use jsonschema::{Draft, PatternOptions};
use serde_json::Value;

use super::{survey, violation};

/// Most bytes of a compiled pattern: enough for any that a person wrote.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// A value that is not as its schema wants it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", shown(path))]
pub struct SchemaViolation {
    /// Where in the value: a JSON Pointer, empty for the value itself.
    pub path: String,
    /// What was found there, shortened, and what was expected.
    pub problem: String,
}

/// A schema that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", shown(pointer))]
pub struct InvalidSchema {
    /// Where in the schema: a JSON Pointer, empty for the schema itself.
    pub pointer: String,
    /// What is wrong there.
    pub problem: String,
}

/// A JSON Schema that is ready to judge values.
///
/// Its dialect is 2020-12. It needs nothing but itself: a `$ref` to another
/// document is an error when the schema is compiled. No author can write one
/// that takes forever: patterns run in time that is linear in the text, so that
/// lookaround and backreferences are not to be had; references may not lead
/// back to themselves; `unevaluatedProperties` and its like are refused.
#[derive(Debug)]
pub struct Validator(jsonschema::Validator);

impl Validator {
    /// Compiles a schema.
    pub fn new(schema: &Value) -> Result<Self, InvalidSchema> {
        let invalid = |error: &jsonschema::ValidationError<'_>| {
            let SchemaViolation { path, problem } = violation::describe(error);
            InvalidSchema { pointer: path, problem }
        };
        survey::check(schema)?;
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES))
            .build(schema)
            .map(Self)
            .map_err(|error| invalid(&error))
    }

    /// Whether `instance` is as the schema wants it; the error is the first thing that isn't.
    pub fn check(&self, instance: &Value) -> Result<(), SchemaViolation> {
        self.0.validate(instance).map_err(|error| violation::describe(&error))
    }
}

fn shown(pointer: &str) -> &str {
    if pointer.is_empty() { "(root)" } else { pointer }
}
