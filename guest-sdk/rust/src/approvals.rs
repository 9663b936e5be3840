//! Questions to the people who look after the host, over `bailiwick:skill/approvals@0.1.0`.
//!
//! ```no_run
//! # fn main() -> Result<(), bailiwick_guest::approvals::Error> {
//! use bailiwick_guest::approvals::{Answer, ask};
//! use serde_json::json;
//!
//! match ask("Delete 12 old reports?", &json!({ "folder": "/reports/2019" }))? {
//!     Answer::Approved => { /* delete them */ }
//!     Answer::Denied(reason) => { /* leave them, and say why */ }
//! }
//! # Ok(()) }
//! ```

use std::fmt;

use serde::Serialize;

use bindings::bailiwick::skill::approvals;

pub use bindings::bailiwick::skill::approvals::Answer;

/// Asks, and waits for an answer until shortly before the call's deadline.
///
/// The summary is what a person reads first, in one line; the details are a JSON object that
/// they are shown as it is. An answer holds for the very same question of the same bytes of the
/// skill, and for one call.
pub fn ask(summary: &str, details: &impl Serialize) -> Result<Answer, Error> {
    let details = serde_json::to_string(details)
        .map_err(|error| Error::InvalidQuestion(format!("the details are not JSON: {error}")))?;
    let question = approvals::Question { summary: summary.to_owned(), details };
    approvals::ask(&question).map_err(Error::from)
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Nobody has answered yet: the approval's id. The same question of a later call is answered
    /// at once when they have.
    Pending(String),
    /// The question can't be asked: details that are no JSON object, too long, too many.
    InvalidQuestion(String),
    /// A limit was reached.
    Limit(String),
    /// The host could not ask.
    Failed(String),
}

impl From<approvals::Error> for Error {
    fn from(error: approvals::Error) -> Self {
        match error {
            approvals::Error::Pending(id) => Self::Pending(id),
            approvals::Error::InvalidQuestion(why) => Self::InvalidQuestion(why),
            approvals::Error::Limit(why) => Self::Limit(why),
            approvals::Error::Failed(why) => Self::Failed(why),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending(id) => write!(f, "nobody has answered the question {id} yet"),
            Self::InvalidQuestion(why) => write!(f, "the question can't be asked: {why}"),
            Self::Limit(why) => write!(f, "the question reached a limit: {why}"),
            Self::Failed(why) => write!(f, "the question could not be asked: {why}"),
        }
    }
}

impl std::error::Error for Error {}

mod bindings {
    wit_bindgen::generate!({ world: "approvals", path: "wit", generate_all });
}
