//! JSON Schemas of tools: made from their types, narrowed by their authors, and enforced.

mod bounds;
mod derive;
mod narrow;
mod survey;
mod validator;
mod violation;

pub use derive::{failure_schema, input_schema, output_schema};
pub use narrow::{NarrowError, check};
pub use validator::{InvalidSchema, SchemaViolation, Validator};
