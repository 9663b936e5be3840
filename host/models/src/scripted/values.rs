//! What a script may refer to of the conversation: `{{input}}`, `{{last_line}}` and `{{result}}`.

use bailiwick_domain::model::{Message, ModelFailure};
use serde_json::{Map, Value};

use crate::MAX_ANSWER_BYTES;

/// What is referred to.
const INPUT: &str = "input";
const LAST_LINE: &str = "last_line";
const RESULT: &str = "result";

/// The pieces of a conversation that matter to a script. What there is none of is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values<'a> {
    /// The user's last message.
    input: &'a str,
    /// The last output of a tool.
    result: &'a str,
    /// The last of both.
    pub(super) last: &'a str,
    /// The tool whose output that is.
    pub(super) last_tool: Option<&'a str>,
}

impl<'a> Values<'a> {
    pub(super) fn of(messages: &'a [Message]) -> Self {
        let mut values = Self::default();
        for (place, message) in messages.iter().enumerate() {
            match message {
                Message::User { text } => {
                    values = Self { input: text, last: text, last_tool: None, ..values };
                }
                Message::Tool { call, text } => {
                    let last_tool = tool_of(&messages[..place], call);
                    values = Self { result: text, last: text, last_tool, ..values };
                }
                Message::System { .. } | Message::Assistant { .. } => {}
            }
        }
        values
    }

    /// `text` with the values in their places. Each takes from `room`, in bytes. What
    /// stands in a value is not read again.
    pub(super) fn fill(&self, text: &str, room: &mut usize) -> Result<String, ModelFailure> {
        let mut filled = String::new();
        for part in parts(text) {
            let part = match part {
                Part::Text(text) => text,
                Part::Name(INPUT) => self.input,
                Part::Name(LAST_LINE) => self.input.lines().next_back().unwrap_or_default(),
                Part::Name(RESULT) => self.result,
                Part::Name(_) => "",
            };
            let too_long =
                || ModelFailure::Nonsense(format!("the script's answer has more than {MAX_ANSWER_BYTES} bytes"));
            *room = room.checked_sub(part.len()).ok_or_else(too_long)?;
            filled.push_str(part);
        }
        Ok(filled)
    }

    /// The same in each string of `json`; keys stay as they are.
    pub(super) fn fill_json(&self, json: &Value, room: &mut usize) -> Result<Value, ModelFailure> {
        Ok(match json {
            Value::String(text) => Value::String(self.fill(text, room)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill_json(item, room)).collect::<Result<Vec<_>, _>>()?)
            }
            Value::Object(fields) => {
                let mut filled = Map::new();
                for (key, value) in fields {
                    filled.insert(key.clone(), self.fill_json(value, room)?);
                }
                Value::Object(filled)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => json.clone(),
        })
    }
}

/// The tool of the last call with the id `call`.
fn tool_of<'a>(messages: &'a [Message], call: &str) -> Option<&'a str> {
    let calls = messages.iter().rev().filter_map(|message| match message {
        Message::Assistant { calls, .. } => Some(calls),
        Message::System { .. } | Message::User { .. } | Message::Tool { .. } => None,
    });
    calls.flatten().find(|made| made.id == call).map(|made| made.name.as_str())
}

enum Part<'a> {
    Text(&'a str),
    /// A word in double braces.
    Name(&'a str),
}

/// A text by its words in double braces. Double braces around anything else, such as
/// `{{secret:KEY}}`, are text.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(open) = rest[from..].find("{{").map(|at| from + at) {
        let inside = &rest[open + 2..];
        let length = inside.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_').count();
        let (name, after) = inside.split_at(length);
        match after.strip_prefix("}}") {
            Some(after) if !name.is_empty() => {
                parts.extend([Part::Text(&rest[..open]), Part::Name(name)]);
                (rest, from) = (after, 0);
            }
            _ => from = open + 1,
        }
    }
    parts.push(Part::Text(rest));
    parts
}

/// A name in `text` that stands for nothing.
pub(super) fn unknown_name(text: &str) -> Option<&str> {
    parts(text).into_iter().find_map(|part| match part {
        Part::Name(name) => (![INPUT, LAST_LINE, RESULT].contains(&name)).then_some(name),
        Part::Text(_) => None,
    })
}
