//! Language models of the host, over `bailiwick:skill/models@0.1.0`.
//!
//! ```no_run
//! # fn main() -> Result<(), bailiwick_guest::models::Error> {
//! use bailiwick_guest::models::Request;
//!
//! let answer = Request::new()
//!     .system("You answer in one sentence.")
//!     .user("What is a bailiwick?")
//!     .max_tokens(100)
//!     .complete()?;
//! let text = answer.text;
//! # Ok(()) }
//! ```
//!
//! A skill that asks models names them in its manifest, as `models` under `[permissions]`.

use std::fmt;

use serde_json::Value;

use bindings::bailiwick::skill::models;

pub use bindings::bailiwick::skill::models::{Finish, Message, Response, Role};

/// What is asked of a model.
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `complete`"]
pub struct Request {
    inner: models::Request,
}

impl Default for Request {
    fn default() -> Self {
        Self::new()
    }
}

impl Request {
    /// A conversation without a word yet, with the first model that the skill was granted.
    pub fn new() -> Self {
        Self {
            inner: models::Request {
                model: None,
                messages: Vec::new(),
                max_tokens: None,
                temperature: None,
                output_schema: None,
            },
        }
    }

    /// Asks this model.
    pub fn model(mut self, name: &str) -> Self {
        self.inner.model = Some(name.to_owned());
        self
    }

    /// Says what holds for the whole conversation.
    pub fn system(self, content: impl Into<String>) -> Self {
        self.message(Role::System, content)
    }

    /// Says something as the one who asks.
    pub fn user(self, content: impl Into<String>) -> Self {
        self.message(Role::User, content)
    }

    /// Says something as the model that has answered before.
    pub fn assistant(self, content: impl Into<String>) -> Self {
        self.message(Role::Assistant, content)
    }

    fn message(mut self, role: Role, content: impl Into<String>) -> Self {
        self.inner.messages.push(Message { role, content: content.into() });
        self
    }

    /// The most tokens to answer with.
    pub fn max_tokens(mut self, tokens: u32) -> Self {
        self.inner.max_tokens = Some(tokens);
        self
    }

    /// From 0, the likeliest word each time, upward.
    pub fn temperature(mut self, temperature: f32) -> Self {
        self.inner.temperature = Some(temperature);
        self
    }

    /// A JSON Schema that the answer has to fit.
    pub fn output_schema(mut self, schema: &Value) -> Self {
        self.inner.output_schema = Some(schema.to_string());
        self
    }

    /// Asks, and waits for the whole answer.
    pub fn complete(&self) -> Result<Response, Error> {
        models::complete(&self.inner).map_err(Error::from)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The skill was not granted that model.
    Denied(String),
    /// The host has no such model, or none at all.
    NoModel(String),
    /// The request makes no sense: no message, a schema that is none.
    InvalidRequest(String),
    /// A limit was reached.
    Limit(String),
    /// The model, or the way to it, failed.
    Failed(String),
}

impl From<models::Error> for Error {
    fn from(error: models::Error) -> Self {
        match error {
            models::Error::Denied(why) => Self::Denied(why),
            models::Error::NoModel(why) => Self::NoModel(why),
            models::Error::InvalidRequest(why) => Self::InvalidRequest(why),
            models::Error::Limit(why) => Self::Limit(why),
            models::Error::Failed(why) => Self::Failed(why),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(why) => write!(f, "the host refused the use of the model: {why}"),
            Self::NoModel(why) => write!(f, "the host has no model for this: {why}"),
            Self::InvalidRequest(why) => write!(f, "the request to the model makes no sense: {why}"),
            Self::Limit(why) => write!(f, "the model reached a limit: {why}"),
            Self::Failed(why) => write!(f, "the model failed: {why}"),
        }
    }
}

impl std::error::Error for Error {}

mod bindings {
    wit_bindgen::generate!({ world: "models", path: "wit", generate_all });
}
