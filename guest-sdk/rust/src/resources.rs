//! Texts and data to read, as `bailiwick:skill/resources@0.1.0`.
//!
//! ```no_run
//! use bailiwick_guest::resources::{self, Content, Entry, Error, Guest, Template};
//!
//! struct Skill;
//!
//! impl Guest for Skill {
//!     fn list() -> Result<Vec<Entry>, String> {
//!         Ok(vec![resources::entry("notes://today", "Today", "text/markdown")])
//!     }
//!
//!     fn templates() -> Result<Vec<Template>, String> {
//!         Ok(vec![])
//!     }
//!
//!     fn read(uri: String) -> Result<Content, Error> {
//!         match uri.as_str() {
//!             "notes://today" => Ok(resources::text(&uri, "text/markdown", "# Today")),
//!             _ => Err(Error::NotFound(uri)),
//!         }
//!     }
//! }
//!
//! bailiwick_guest::export_resources!(Skill);
//! # fn main() {}
//! ```

pub use bindings::exports::bailiwick::skill::resources::{Body, Content, Entry, Error, Guest, Template};

/// A resource, named by an absolute URI.
pub fn entry(uri: &str, name: &str, mime_type: &str) -> Entry {
    Entry {
        uri: uri.to_owned(),
        name: name.to_owned(),
        description: None,
        mime_type: Some(mime_type.to_owned()),
        size: None,
    }
}

/// A text as it was read.
pub fn text(uri: &str, mime_type: &str, text: impl Into<String>) -> Content {
    Content { uri: uri.to_owned(), mime_type: Some(mime_type.to_owned()), body: Body::Text(text.into()) }
}

/// Bytes as they were read.
pub fn blob(uri: &str, mime_type: &str, bytes: Vec<u8>) -> Content {
    Content { uri: uri.to_owned(), mime_type: Some(mime_type.to_owned()), body: Body::Blob(bytes) }
}

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        world: "resources",
        path: "wit",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_resources",
        default_bindings_module: "bailiwick_guest::resources::bindings",
    });
}
