//! The text of a script, and what is wrong with it.

use std::path::Path;
use std::time::Duration;

use bailiwick_domain::model::ModelFailure;
use bailiwick_domain::units;
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::values::unknown_name;

/// Bytes of the longest script.
pub const MAX_SCRIPT_BYTES: usize = 1 << 20;

/// Rules of the longest script: each request looks through them.
pub const MAX_RULES: usize = 1 << 12;

/// A script can't be read: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct InvalidScript {
    /// The file as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What was found, and what was expected.
    pub problem: String,
}

/// What is said, and when.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawRule")]
pub(super) struct Rule {
    pub(super) contains: Option<String>,
    pub(super) after_tool: Option<String>,
    pub(super) times: Option<u64>,
    pub(super) delay: Duration,
    pub(super) tokens: Tokens,
    pub(super) act: Act,
}

#[derive(Debug)]
pub(super) enum Act {
    Say(Say),
    Fail(Fail),
}

#[derive(Debug)]
pub(super) struct Say {
    pub(super) text: String,
    pub(super) calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) tool: String,
    /// An object.
    #[serde(default = "nothing")]
    pub(super) arguments: Value,
}

/// What is said of tokens; the rest is counted.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tokens {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fail {
    Timeout,
    RateLimited,
    Server,
    BrokenOff,
    Nonsense,
    Unauthorized,
    Payment,
}

impl Fail {
    pub(super) fn failure(self) -> ModelFailure {
        let message = "the script says so".to_owned();
        match self {
            Self::Timeout => ModelFailure::Timeout,
            Self::RateLimited => ModelFailure::RateLimited { message, retry_after: None },
            Self::Server => ModelFailure::Server(message),
            Self::BrokenOff => ModelFailure::BrokenOff(message),
            Self::Nonsense => ModelFailure::Nonsense(message),
            Self::Unauthorized => ModelFailure::Unauthorized(message),
            Self::Payment => ModelFailure::Payment(message),
        }
    }
}

/// Its rules are read in one go from JSON, and with their places from TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript<R> {
    rule: Vec<R>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    contains: Option<String>,
    after_tool: Option<String>,
    times: Option<u64>,
    delay: Option<Delay>,
    #[serde(default)]
    tokens: Tokens,
    text: Option<String>,
    #[serde(default)]
    calls: Vec<Call>,
    fail: Option<Fail>,
}

/// Read by itself, so that an error names its place.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Delay(Duration);

impl TryFrom<String> for Delay {
    type Error = units::InvalidUnit;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        units::parse_duration(&text).map(Self)
    }
}

impl TryFrom<RawRule> for Rule {
    type Error = String;

    fn try_from(raw: RawRule) -> Result<Self, Self::Error> {
        let RawRule { contains, after_tool, times, delay, tokens, text, calls, fail } = raw;
        let says = text.is_some() || !calls.is_empty();
        let act = match fail {
            Some(fail) if !says => Act::Fail(fail),
            Some(_) => return Err("found `fail` beside `text` or `calls`, expected it alone".to_owned()),
            None if says => Act::Say(say(text.unwrap_or_default(), calls)?),
            None => return Err("found no answer, expected `text`, `calls` or `fail`".to_owned()),
        };
        if times == Some(0) {
            return Err("found `times = 0`, expected at least 1: the rule would never answer".to_owned());
        }
        let delay = delay.map_or(Duration::ZERO, |delay| delay.0);
        Ok(Self { contains, after_tool, times, delay, tokens, act })
    }
}

fn say(text: String, calls: Vec<Call>) -> Result<Say, String> {
    check_names(&text)?;
    for call in &calls {
        if !call.arguments.is_object() {
            return Err(format!("`arguments` of `{}` are no table, expected one by name", call.tool));
        }
        check_names_in(&call.arguments)?;
    }
    Ok(Say { text, calls })
}

fn check_names(text: &str) -> Result<(), String> {
    unknown_name(text).map_or(Ok(()), |name| {
        let known = "`{{input}}`, `{{last_line}}` or `{{result}}`";
        Err(format!("found `{{{{{name}}}}}`, expected {known}"))
    })
}

/// Looks at every string. The depth is limited where the text was read.
fn check_names_in(json: &Value) -> Result<(), String> {
    match json {
        Value::String(text) => check_names(text),
        Value::Array(items) => items.iter().try_for_each(check_names_in),
        Value::Object(fields) => fields.values().try_for_each(check_names_in),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn nothing() -> Value {
    Value::Object(Map::new())
}

/// Reads the text of `file`, which is JSON or TOML by its name.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Rule>, InvalidScript> {
    let invalid = |line, column, problem| InvalidScript { file: file.to_owned(), line, column, problem };
    if text.len() > MAX_SCRIPT_BYTES {
        let problem = format!("found {} bytes, expected at most {MAX_SCRIPT_BYTES}", text.len());
        return Err(invalid(1, 1, problem));
    }
    let is_json = Path::new(file).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let rules = if is_json { from_json(text) } else { from_toml(text) };
    let rules = rules.map_err(|(line, column, problem)| invalid(line, column, problem))?;
    if rules.len() > MAX_RULES {
        return Err(invalid(1, 1, format!("found {} rules, expected at most {MAX_RULES}", rules.len())));
    }
    Ok(rules)
}

/// A line, a column, and what is wrong there.
type Wrong = (usize, usize, String);

fn from_json(text: &str) -> Result<Vec<Rule>, Wrong> {
    let script: Result<RawScript<Rule>, _> = serde_json::from_str(text);
    script.map(|script| script.rule).map_err(|error| (error.line(), error.column(), json_problem(&error)))
}

fn from_toml(text: &str) -> Result<Vec<Rule>, Wrong> {
    let at = |offset: usize, problem: String| {
        let (line, column) = position(text, offset);
        (line, column, problem)
    };
    let script: RawScript<Spanned<RawRule>> =
        toml::from_str(text).map_err(|error| at(error.span().map_or(0, |span| span.start), toml_problem(error)))?;
    let rule = |raw: Spanned<RawRule>| {
        let start = raw.span().start;
        Rule::try_from(raw.into_inner()).map_err(|problem| at(start, problem))
    };
    script.rule.into_iter().map(rule).collect()
}

/// Without the position, which stands before it.
fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}

fn toml_problem(mut error: toml::de::Error) -> String {
    // Without its input the error names the key in place of showing the line.
    error.set_input(None);
    error.to_string().trim_end().replace('\n', " ")
}

/// Line and column of a byte, in characters from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
