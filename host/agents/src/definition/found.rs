//! Values as messages show them.

use serde_json::Value;

/// Characters of a text that a message shows.
const MAX_SHOWN: usize = 60;

/// A value with its type, on one short line.
pub(super) fn found(value: &Value) -> String {
    match value {
        Value::Null => "`null`".to_owned(),
        Value::Bool(boolean) => format!("`{boolean}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => found_text(text),
        Value::Array(list) if list.is_empty() => "an empty list".to_owned(),
        Value::Array(list) if list.len() == 1 => "a list of 1 entry".to_owned(),
        Value::Array(list) => format!("a list of {} entries", list.len()),
        Value::Object(_) => "a table".to_owned(),
    }
}

fn found_text(text: &str) -> String {
    let shown = printable(text, MAX_SHOWN);
    match text.chars().count() {
        0 => "an empty text".to_owned(),
        count if count > MAX_SHOWN => format!("the text `{shown}` of {count} characters"),
        _ => format!("the text `{shown}`"),
    }
}

/// The first `max` characters, with those escaped that could steer the terminal or the
/// log that shows them.
pub(super) fn printable(text: &str, max: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == max {
            out.push('…');
            break;
        }
        let steers =
            c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if steers {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
