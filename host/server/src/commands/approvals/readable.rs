//! JSON as a person reads it before an answer.
//!
//! It is indented, and a text of several lines stands there line by line and not as one line
//! full of escapes. Texts are not read as what they may mean, such as JSON: a person sees what
//! is passed, and two readers may make different things of one text.
//!
//! What nobody sees, or what puts a line in another order than it is passed, is shown by its
//! name: `\r`, `\t`, `\u{1b}`, `\u{202e}`. A backslash stands for itself, so a text that has these
//! very signs in several lines reads the same.

use std::fmt::Write;

use serde_json::Value;

/// What stands before each line of a text, so that none can pass for what is around it.
const BAR: &str = "|";

/// The lines of `value`.
pub(super) fn readable(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    put(value, "", "", 0, &mut lines);
    lines
}

/// Adds `value` between what stands before it and behind it.
fn put(value: &Value, before: &str, behind: &str, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) if !members.is_empty() => {
            lines.push(format!("{indent}{before}{{"));
            for (place, (name, value)) in members.iter().enumerate() {
                let name = format!("{}: ", in_json(&Value::from(name.as_str())));
                put(value, &name, comma(place, members.len()), depth + 1, lines);
            }
            lines.push(format!("{indent}}}{behind}"));
        }
        Value::Array(items) if !items.is_empty() => {
            lines.push(format!("{indent}{before}["));
            for (place, value) in items.iter().enumerate() {
                put(value, "", comma(place, items.len()), depth + 1, lines);
            }
            lines.push(format!("{indent}]{behind}"));
        }
        Value::String(text) if text.contains('\n') => {
            lines.push(format!("{indent}{before}text of {} lines", text.split('\n').count()));
            let in_words = |line| seen(line, |c, shown| shown.extend(c.escape_default()));
            lines.extend(text.split('\n').map(|line| format!("{indent}  {BAR} {}", in_words(line))));
        }
        value => lines.push(format!("{indent}{before}{}{behind}", in_json(value))),
    }
}

/// `value` as JSON in which all can be seen. It has most controls as escapes already.
fn in_json(value: &Value) -> String {
    seen(&value.to_string(), |c, shown| {
        for unit in &*c.encode_utf16(&mut [0; 2]) {
            // Writing to a text never fails.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    })
}

/// `text` in which all can be seen. `escape` adds what is shown in place of what can't.
fn seen(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) {
            escape(c, &mut shown);
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Whether a terminal draws nothing for `c`, or moves what is around it: controls, marks of
/// direction, separators of lines, what joins or has no width, and tags.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

const fn comma(place: usize, count: usize) -> &'static str {
    if place + 1 < count { "," } else { "" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_no_long_text_is_indented_json() {
        for value in [
            json!({ "path": "/work/a.md", "modes": ["create", 7, null], "more": { "none": {}, "list": [] } }),
            json!("one line with \"quotes\" and a \u{1b}"),
            json!([]),
            json!({}),
        ] {
            assert_eq!(readable(&value).join("\n"), serde_json::to_string_pretty(&value).expect("JSON"));
        }
    }

    #[test]
    fn a_text_of_several_lines_is_shown_line_by_line() {
        let value = json!({ "content": "All:\n[\n  \"a\"\n]\n", "mode": "create", "list": ["x\ny"] });
        let expected = [
            "{",
            "  \"content\": text of 5 lines",
            "    | All:",
            "    | [",
            "    |   \"a\"",
            "    | ]",
            "    | ",
            "  \"mode\": \"create\",",
            "  \"list\": [",
            "    text of 2 lines",
            "      | x",
            "      | y",
            "  ]",
            "}",
        ];
        assert_eq!(readable(&value), expected);
    }

    #[test]
    fn what_nobody_sees_is_shown_by_its_name() {
        let value = json!({ "text": "a\r\n\tb\u{1b}[2K\nlive\u{202e}txt.\u{feff}\u{9b}\u{e0041}é\n" });
        let lines = readable(&value);
        let expected =
            [r"    | a\r", r"    | \tb\u{1b}[2K", r"    | live\u{202e}txt.\u{feff}\u{9b}\u{e0041}é", "    | "];
        assert_eq!(lines[2..6], expected, "{lines:?}");
        let line = readable(&json!({ "na\u{2066}me": "a\r\t\u{1b}\u{202e}\u{7f}\u{e0041}é" }));
        assert_eq!(line[1], r#"  "na\u2066me": "a\r\t\u001b\u202e\u007f\udb40\udc41é""#);
        let value: Value = serde_json::from_str(&line.concat()).expect("it is JSON still");
        assert_eq!(value["na\u{2066}me"], "a\r\t\u{1b}\u{202e}\u{7f}\u{e0041}é");
    }

    #[test]
    fn no_line_of_a_text_passes_for_another_argument() {
        let value = json!({ "content": "x\",\n  \"path\": \"/work/harmless\"", "path": "/work/important" });
        let paths: Vec<_> =
            readable(&value).into_iter().filter(|line| line.trim_start().starts_with("\"path\"")).collect();
        assert_eq!(paths, ["  \"path\": \"/work/important\""]);
    }
}
