//! Replacing and extracting what a pattern matches.

use regex::{Captures, Regex};

use crate::exports::bailiwick::text::tools::{Captured, Extraction, Failure, Group, Replaced};
use crate::limits::{DEFAULT_MATCHES, MAX_MATCHES, MAX_RESULT_BYTES, as_u32, check_number, check_text};
use crate::template::Template;

/// What a match or group costs in an answer beside its text, so that millions
/// of empty ones do not fit into `MAX_RESULT_BYTES`.
const RECORD_BYTES: usize = 64;

/// Replaces the first `limit` matches, or all.
pub fn replace(text: &str, pattern: &Regex, replacement: &str, limit: Option<u32>) -> Result<Replaced, Failure> {
    check_text("text", text)?;
    check_text("replacement", replacement)?;
    let limit = check_number("limit", limit, u32::MAX, 1, u32::MAX)?;
    let template = Template::parse(replacement, pattern)?;
    let mut out = String::new();
    let (mut copied, mut count) = (0, 0);
    for captures in pattern.captures_iter(text).take(limit) {
        let found = captures.get_match();
        let before = &text[copied..found.start()];
        let grown = out.len() + before.len() + template.expanded_len(&captures);
        check_result(grown)?;
        out.push_str(before);
        template.expand(&captures, &mut out);
        copied = found.end();
        count += 1;
    }
    check_result(out.len() + text.len() - copied)?;
    out.push_str(&text[copied..]);
    Ok(Replaced { text: out, count })
}

/// Answers the first `limit` matches with their groups.
pub fn extract(text: &str, pattern: &Regex, limit: Option<u32>) -> Result<Extraction, Failure> {
    check_text("text", text)?;
    let limit = check_number("limit", limit, DEFAULT_MATCHES, 1, MAX_MATCHES)?;
    let names: Vec<Option<&str>> = pattern.capture_names().collect();
    let mut position = Position::start();
    let mut size = 0;
    let mut matches = Vec::new();
    for captures in pattern.captures_iter(text) {
        size += size_of(&captures);
        if matches.is_empty() {
            check_result(size)?;
        }
        if matches.len() == limit || size > MAX_RESULT_BYTES {
            return Ok(Extraction { matches, truncated: true });
        }
        matches.push(describe(text, &names, &captures, &mut position));
    }
    Ok(Extraction { matches, truncated: false })
}

/// Where a byte offset is, in characters and lines. It only moves forward, so
/// that all matches together read the text once.
struct Position {
    byte: usize,
    chars: usize,
    line: usize,
}

impl Position {
    fn start() -> Self {
        Self { byte: 0, chars: 0, line: 1 }
    }

    fn advance(&mut self, text: &str, byte: usize) {
        let passed = &text[self.byte..byte];
        self.chars += passed.chars().count();
        self.line += passed.matches('\n').count();
        self.byte = byte;
    }
}

fn describe(text: &str, names: &[Option<&str>], captures: &Captures, position: &mut Position) -> Captured {
    let found = captures.get_match();
    position.advance(text, found.start());
    let (start, line) = (as_u32(position.chars), as_u32(position.line));
    position.advance(text, found.end());
    Captured {
        text: found.as_str().to_owned(),
        start,
        end: as_u32(position.chars),
        line,
        groups: groups(names, captures),
    }
}

fn groups(names: &[Option<&str>], captures: &Captures) -> Vec<Group> {
    let group = |(index, name): (usize, &Option<&str>)| Group {
        index: as_u32(index),
        name: name.map(str::to_owned),
        text: captures.get(index).map(|found| found.as_str().to_owned()),
    };
    names.iter().enumerate().skip(1).map(group).collect()
}

fn size_of(captures: &Captures) -> usize {
    let text = |group: Option<regex::Match>| group.map_or(0, |found| found.len());
    captures.iter().map(|group| RECORD_BYTES + text(group)).sum()
}

fn check_result(bytes: usize) -> Result<(), Failure> {
    if bytes > MAX_RESULT_BYTES {
        return Err(Failure::TooLarge(format!(
            "the result has more than {MAX_RESULT_BYTES} bytes, which is the most; use a shorter text, a narrower pattern or a lower limit"
        )));
    }
    Ok(())
}
