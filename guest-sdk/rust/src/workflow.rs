//! A skill that is a workflow: one task that drives others, as `bailiwick:skill/workflow@0.1.0`.
//!
//! ```no_run
//! use bailiwick_guest::workflow::{self, Error, Guest};
//! use serde_json::{Value, json};
//!
//! struct Skill;
//!
//! impl Guest for Skill {
//!     fn run(input: String) -> Result<String, Error> {
//!         workflow::json(&input, |input: Value| Ok(json!({ "seen": input })))
//!     }
//! }
//!
//! bailiwick_guest::export_workflow!(Skill);
//! # fn main() {}
//! ```
//!
//! The host shows it as the tool `run`. The schemas of its input and its output are those that
//! the manifest names under `[tools.run]`.

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use bindings::exports::bailiwick::skill::workflow::{Error, Guest};

/// Runs a function of Rust's own types on an input of JSON, and gives its output as JSON.
pub fn json<I: DeserializeOwned, O: Serialize>(
    input: &str,
    run: impl FnOnce(I) -> Result<O, Error>,
) -> Result<String, Error> {
    let input = serde_json::from_str(input).map_err(|error| Error::InvalidInput(error.to_string()))?;
    let output = run(input)?;
    serde_json::to_string(&output).map_err(|error| Error::Failed(format!("the output is no JSON: {error}")))
}

/// A call that failed ends a workflow as its own failure, so that `?` can be used.
impl From<crate::skills::Error> for Error {
    fn from(error: crate::skills::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The same for a model.
impl From<crate::models::Error> for Error {
    fn from(error: crate::models::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The same for a question.
impl From<crate::approvals::Error> for Error {
    fn from(error: crate::approvals::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        world: "workflow",
        path: "wit",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_workflow",
        default_bindings_module: "bailiwick_guest::workflow::bindings",
    });
}
