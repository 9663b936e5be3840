//! Texts to begin a task with, as `bailiwick:skill/prompts@0.1.0`.
//!
//! ```no_run
//! use bailiwick_guest::prompts::{self, Content, Error, Guest, Prompt};
//!
//! struct Skill;
//!
//! impl Guest for Skill {
//!     fn list() -> Result<Vec<Prompt>, String> {
//!         let argument = prompts::argument("topic", "What it is about.", true);
//!         Ok(vec![prompts::prompt("explain", "Explains a topic.", vec![argument])])
//!     }
//!
//!     fn get(name: String, arguments: Vec<(String, String)>) -> Result<Content, Error> {
//!         match name.as_str() {
//!             "explain" => {
//!                 let topic = prompts::value(&arguments, "topic")?;
//!                 Ok(prompts::text(format!("Explain {topic} to a child of ten.")))
//!             }
//!             _ => Err(Error::NotFound(name)),
//!         }
//!     }
//! }
//!
//! bailiwick_guest::export_prompts!(Skill);
//! # fn main() {}
//! ```

pub use bindings::exports::bailiwick::skill::prompts::{Argument, Content, Error, Guest, Message, Prompt, Role};

/// A prompt with what it can be told.
pub fn prompt(name: &str, description: &str, arguments: Vec<Argument>) -> Prompt {
    Prompt { name: name.to_owned(), description: Some(description.to_owned()), arguments }
}

/// What a prompt can be told.
pub fn argument(name: &str, description: &str, required: bool) -> Argument {
    Argument { name: name.to_owned(), description: Some(description.to_owned()), required }
}

/// The value of an argument that has to be there.
pub fn value<'a>(arguments: &'a [(String, String)], name: &str) -> Result<&'a str, Error> {
    let found = arguments.iter().find(|(given, _)| given == name);
    found.map(|(_, value)| value.as_str()).ok_or_else(|| Error::InvalidArguments(format!("`{name}` is missing")))
}

/// What a user says, alone.
pub fn text(text: impl Into<String>) -> Content {
    Content { description: None, messages: vec![Message { role: Role::User, text: text.into() }] }
}

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        world: "prompts",
        path: "wit",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_prompts",
        default_bindings_module: "bailiwick_guest::prompts::bindings",
    });
}
