//! What was expected beside what was found, line by line.

use std::fmt::Write as _;

use serde_json::Value;

/// Lines of either side that are compared; longer texts are shown from their first difference.
const MAX_LINES: usize = 1000;

/// Lines that are shown before and behind a difference.
const AROUND: usize = 3;

/// Lines of a difference that are shown: more than fits a screen twice.
const MAX_SHOWN: usize = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Both,
    Expected,
    Found,
}

/// The difference of two texts: lines that begin with `-` were expected, those that
/// begin with `+` were found.
pub fn difference(expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let start = same.saturating_sub(AROUND);
    let cut =
        |lines: &[&str]| lines.iter().skip(start).take(MAX_LINES).map(|&line| line.to_owned()).collect::<Vec<_>>();
    let (old, new) = (cut(&old), cut(&new));
    let lines = merged(&old, &new);
    let near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        lines.iter().skip(from).take(at - from + AROUND + 1).any(|(side, _)| *side != Side::Both)
    };
    let mut shown: Vec<String> = if start > 0 { vec!["  …".to_owned()] } else { Vec::new() };
    for (at, (side, line)) in lines.iter().enumerate() {
        if shown.len() >= MAX_SHOWN {
            shown.push("  … and more".to_owned());
            break;
        }
        if near(at) {
            let sign = match side {
                Side::Both => ' ',
                Side::Expected => '-',
                Side::Found => '+',
            };
            shown.push(format!("{sign} {line}"));
        } else if shown.last().is_some_and(|last| last != "  …") {
            shown.push("  …".to_owned());
        }
    }
    shown.join("\n")
}

/// A value line by line: JSON, but that texts of several lines stand in lines of their own.
pub(super) fn readable(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

/// Writing to a string can't fail.
fn write(value: &Value, depth: usize, out: &mut String) {
    let indent = |depth: usize| "  ".repeat(depth);
    match value {
        Value::String(text) if text.trim_end().contains('\n') => {
            out.push_str("\"\"\"");
            for line in text.lines() {
                let _ = write!(out, "\n{}{line}", indent(depth + 1));
            }
            // Whether the last line has an end is a difference too.
            out.push_str(if text.ends_with('\n') { "\\n\"\"\"" } else { "\"\"\"" });
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ",\n" } else { "\n" });
                out.push_str(&indent(depth + 1));
                write(item, depth + 1, out);
            }
            let _ = write!(out, "\n{}]", indent(depth));
        }
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                out.push_str(if index > 0 { ",\n" } else { "\n" });
                let _ = write!(out, "{}{}: ", indent(depth + 1), Value::from(key.as_str()));
                write(value, depth + 1, out);
            }
            let _ = write!(out, "\n{}}}", indent(depth));
        }
        other => out.push_str(&other.to_string()),
    }
}

/// Both texts in one, by the longest lines that they have in common.
fn merged<'a>(old: &'a [String], new: &'a [String]) -> Vec<(Side, &'a str)> {
    let lengths = common(old, new);
    let length = |i: usize, j: usize| lengths.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default();
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => {
                lines.push((Side::Both, a.as_str()));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none() || length(i + 1, j) >= length(i, j + 1) => {
                lines.push((Side::Expected, a.as_str()));
                i += 1;
            }
            (_, Some(b)) => {
                lines.push((Side::Found, b.as_str()));
                j += 1;
            }
            _ => return lines,
        }
    }
}

/// How many lines the rests of both texts have in common, from each place of either.
fn common(old: &[String], new: &[String]) -> Vec<Vec<u32>> {
    let mut rows = vec![vec![0; new.len() + 1]];
    for line in old.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0; new.len() + 1];
        let mut right = 0;
        for (j, other) in new.iter().enumerate().rev() {
            let (down, diagonal) = (below.get(j).copied().unwrap_or(0), below.get(j + 1).copied().unwrap_or(0));
            let longest = if line == other { diagonal + 1 } else { down.max(right) };
            if let Some(cell) = row.get_mut(j) {
                *cell = longest;
            }
            right = longest;
        }
        rows.push(row);
    }
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_marked() {
        let shown = difference("a\nb\nc\nd", "a\nx\nc\nd\ne");
        assert_eq!(shown, "  a\n- b\n+ x\n  c\n  d\n+ e");
        assert_eq!(difference("", "x"), "+ x");
        assert_eq!(difference("x", ""), "- x");
    }

    #[test]
    fn texts_of_several_lines_are_compared_by_line() {
        let value = |text: &str| serde_json::json!({ "output": { "markdown": text, "rows": [1] } });
        let shown = difference(&readable(&value("# A\nb\n")), &readable(&value("# A\nc\n")));
        assert!(shown.contains("-       b\\n\"\"\"") && shown.contains("+       c\\n\"\"\""), "{shown}");
        let small = serde_json::json!({ "a": [], "b": "x", "c": [true, null] });
        assert_eq!(readable(&small), serde_json::to_string_pretty(&small).expect("JSON"));
    }

    #[test]
    fn what_is_alike_far_away_is_left_out() {
        let long: Vec<String> = (0..50).map(|line| line.to_string()).collect();
        let mut other = long.clone();
        other[25] = "here".to_owned();
        let shown = difference(&long.join("\n"), &other.join("\n"));
        assert_eq!(shown, "  …\n  22\n  23\n  24\n- 25\n+ here\n  26\n  27\n  28\n  …");
    }
}
