//! Tools that are known only at run time, as `bailiwick:skill/tools@0.1.0`: those of a server that
//! the skill speaks for, of a file that it reads. Where tools are known before, plain exported
//! functions say more: they have types.
//!
//! ```no_run
//! use bailiwick_guest::tools::{self, Error, Guest, Tool};
//! use serde_json::{Value, json};
//!
//! struct Skill;
//!
//! impl Guest for Skill {
//!     fn list() -> Result<Vec<Tool>, String> {
//!         let schema = json!({ "type": "object", "properties": { "text": { "type": "string" } } });
//!         Ok(vec![tools::tool("shout", "Says it in capitals.", &schema)])
//!     }
//!
//!     fn call(name: String, arguments: String) -> Result<String, Error> {
//!         match name.as_str() {
//!             "shout" => tools::json(&arguments, |it: Value| Ok(it["text"].as_str().unwrap_or("").to_uppercase())),
//!             _ => Err(Error::NotFound(name)),
//!         }
//!     }
//! }
//!
//! bailiwick_guest::export_tools!(Skill);
//! # fn main() {}
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use bindings::exports::bailiwick::skill::tools::{Error, Guest, Tool};

/// A tool with the JSON Schema of its arguments, which are an object.
pub fn tool(name: &str, description: &str, input_schema: &Value) -> Tool {
    Tool {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        input_schema: input_schema.to_string(),
        output_schema: None,
    }
}

/// Runs a function of Rust's own types on arguments of JSON, and gives its output as JSON.
pub fn json<I: DeserializeOwned, O: Serialize>(
    arguments: &str,
    run: impl FnOnce(I) -> Result<O, Error>,
) -> Result<String, Error> {
    let arguments = serde_json::from_str(arguments).map_err(|error| Error::InvalidArguments(error.to_string()))?;
    let output = run(arguments)?;
    serde_json::to_string(&output).map_err(|error| Error::Failed(format!("the output is no JSON: {error}")))
}

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        world: "tools",
        path: "wit",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_tools",
        default_bindings_module: "bailiwick_guest::tools::bindings",
    });
}
