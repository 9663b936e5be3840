//! Calls of other skills, over `bailiwick:skill/skills@0.1.0`.
//!
//! ```no_run
//! # fn main() -> Result<(), bailiwick_guest::skills::Error> {
//! use bailiwick_guest::skills;
//! use serde_json::json;
//!
//! let html: String = skills::call("bailiwick/markdown", "to-html", &json!({ "markdown": "# Hello" }))?;
//! # Ok(()) }
//! ```
//!
//! What is called runs under its own grant and never under that of its caller, and
//! all that it takes counts against the limits of its caller too. A skill that
//! calls others names them in its manifest, under `[[permissions.skills]]`.

use std::fmt;

use bindings::bailiwick::skill::skills;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Calls a tool and waits for its output.
///
/// `skill` is `namespace/name`, with `@version` where it has to be a certain one. The tool can
/// be `None` where the skill has only one. The arguments are a JSON object: a struct, a map,
/// or what `serde_json::json!` makes.
pub fn call<'a, O: DeserializeOwned>(
    skill: &str,
    tool: impl Into<Option<&'a str>>,
    arguments: &impl Serialize,
) -> Result<O, Error> {
    let call = Call::new(skill, tool, arguments)?;
    call.answer(skills::call(&call.request))?.parse()
}

/// Calls tools side by side, as far as the host has room, and waits for all of them. The answers
/// are in the order of the calls.
pub fn call_all(calls: Vec<Call>) -> Vec<Result<Output, Error>> {
    let requests: Vec<_> = calls.iter().map(|call| call.request.clone()).collect();
    let answers = skills::call_all(&requests);
    calls.iter().zip(answers).map(|(call, answer)| call.answer(answer)).collect()
}

/// The same for calls that are all needed: their outputs, or the first error.
///
/// ```no_run
/// # fn main() -> Result<(), bailiwick_guest::skills::Error> {
/// use bailiwick_guest::skills::{self, Call};
/// use serde_json::json;
///
/// let html = Call::new("bailiwick/markdown", "to-html", &json!({ "markdown": "# Hello" }))?;
/// let text = Call::new("bailiwick/markdown", "to-text", &json!({ "markdown": "# Hello" }))?;
/// let [html, text] = skills::call_each([html, text])?;
/// let (html, text): (String, String) = (html.parse()?, text.parse()?);
/// # Ok(()) }
/// ```
pub fn call_each<const N: usize>(calls: [Call; N]) -> Result<[Output; N], Error> {
    let outputs = call_all(calls.to_vec()).into_iter().collect::<Result<Vec<_>, _>>()?;
    outputs.try_into().map_err(|outputs: Vec<Output>| Error {
        skill: calls.first().map(|call| call.request.skill.clone()).unwrap_or_default(),
        tool: None,
        reason: Reason::Unavailable(format!("the host gave {} answers to {N} calls", outputs.len())),
    })
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    text: String,
    skill: String,
    tool: Option<String>,
}

impl Output {
    /// The answer as it came: JSON.
    pub fn json(&self) -> &str {
        &self.text
    }

    /// The answer as a type of Rust.
    pub fn parse<O: DeserializeOwned>(&self) -> Result<O, Error> {
        serde_json::from_str(&self.text).map_err(|error| Error {
            skill: self.skill.clone(),
            tool: self.tool.clone(),
            reason: Reason::UnexpectedOutput(error.to_string()),
        })
    }
}

/// A call that is still to be made.
#[derive(Clone, Debug)]
pub struct Call {
    request: skills::Request,
}

impl Call {
    /// As [`call`] takes it.
    pub fn new<'a>(skill: &str, tool: impl Into<Option<&'a str>>, arguments: &impl Serialize) -> Result<Self, Error> {
        let tool = tool.into().map(str::to_owned);
        match serde_json::to_string(arguments) {
            Ok(arguments) => Ok(Self { request: skills::Request { skill: skill.to_owned(), tool, arguments } }),
            Err(error) => Err(Error {
                skill: skill.to_owned(),
                tool,
                reason: Reason::InvalidArguments(format!("they are not JSON: {error}")),
            }),
        }
    }

    fn answer(&self, answer: Result<String, skills::Error>) -> Result<Output, Error> {
        let skills::Request { skill, tool, .. } = self.request.clone();
        match answer {
            Ok(text) => Ok(Output { text, skill, tool }),
            Err(error) => Err(Error { skill, tool, reason: Reason::from(error) }),
        }
    }
}

/// A call that has no output.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The skill that was called.
    pub skill: String,
    /// The tool, where one was named.
    pub tool: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// Why a call has no output.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The caller was not granted that skill, or the skill not what it needs.
    Denied(String),
    /// There is no such skill or tool.
    NotFound(String),
    /// The arguments don't fit the tool's schema.
    InvalidArguments(String),
    /// The tool answered its own failure, which its schema describes.
    Failed(Value),
    /// A person has to approve of the call first: the approval's id. Once it is given, the same
    /// call with the same arguments goes through.
    ApprovalRequired(String),
    /// A limit was reached: of depth, of calls, of time, or another.
    Limit(String),
    /// The skill trapped, or could not be run now.
    Unavailable(String),
    /// The output is not of the type that the caller asked for.
    UnexpectedOutput(String),
}

impl From<skills::Error> for Reason {
    fn from(error: skills::Error) -> Self {
        match error {
            skills::Error::Denied(why) => Self::Denied(why),
            skills::Error::NotFound(why) => Self::NotFound(why),
            skills::Error::InvalidArguments(why) => Self::InvalidArguments(why),
            // A failure is JSON by its schema; what isn't is kept as the text that it is.
            skills::Error::Failed(text) => Self::Failed(serde_json::from_str(&text).unwrap_or(Value::String(text))),
            skills::Error::ApprovalRequired(id) => Self::ApprovalRequired(id),
            skills::Error::Limit(why) => Self::Limit(why),
            skills::Error::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tool {
            Some(tool) => write!(f, "the call of {} {tool} ", self.skill)?,
            None => write!(f, "the call of {} ", self.skill)?,
        }
        match &self.reason {
            Reason::Denied(why) => write!(f, "was refused: {why}"),
            Reason::NotFound(why) => write!(f, "found nothing to call: {why}"),
            Reason::InvalidArguments(why) => write!(f, "has arguments that don't fit: {why}"),
            Reason::Failed(Value::String(text)) => write!(f, "failed: {text}"),
            Reason::Failed(value) => write!(f, "failed: {value}"),
            Reason::ApprovalRequired(id) => write!(f, "waits for the approval {id}"),
            Reason::Limit(why) => write!(f, "reached a limit: {why}"),
            Reason::Unavailable(why) => write!(f, "could not be made: {why}"),
            Reason::UnexpectedOutput(why) => write!(f, "has another output than expected: {why}"),
        }
    }
}

impl std::error::Error for Error {}

mod bindings {
    wit_bindgen::generate!({ world: "skills", path: "wit", generate_all });
}
