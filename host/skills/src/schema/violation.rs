//! What to say of a value that a schema refuses.
//!
//! A union refuses a value with a list of reasons, one for each of its
//! branches. Most are beside the point: the branch that was meant is the one
//! that the value follows furthest, so that one is shown.

use std::io::{self, Write};

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::SchemaViolation;

/// Most bytes of a value that a message shows.
const MAX_EXCERPT_BYTES: usize = 80;

/// Most characters of a path or a message: a name or a list of names in it may be long.
const MAX_CHARS: usize = 600;

/// Most reasons that are looked at: a union of unions has one for each branch.
const MAX_REASONS: usize = 64;

/// Most branches of a union that are listed where none stands out.
const MAX_BRANCHES: usize = 6;

/// Why a value is refused at one place.
struct Reason {
    path: String,
    problem: String,
}

/// The violation that tells most of `error`.
pub(super) fn describe(error: &ValidationError<'_>) -> SchemaViolation {
    let mut reasons = Vec::new();
    gather(error, &mut reasons);
    let path = error.instance_path().to_string();
    let deepest = reasons.iter().map(|reason| reason.path.len()).max().unwrap_or_default();
    let stands_out = reasons.len() == 1 || deepest > path.len();
    let best = reasons.iter().find(|reason| stands_out && reason.path.len() == deepest);
    match best {
        Some(best) => SchemaViolation { path: shorten(&best.path), problem: shorten(&best.problem) },
        None => SchemaViolation { path: shorten(&path), problem: shorten(&list(error.instance(), &reasons)) },
    }
}

/// The error, or the first one of each branch of a union. Errors nest as deep as
/// schemas do, which bounds the recursion.
fn gather(error: &ValidationError<'_>, reasons: &mut Vec<Reason>) {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.iter().filter_map(|errors| errors.first()).for_each(|error| gather(error, reasons));
        }
        _ if reasons.len() < MAX_REASONS => {
            reasons.push(Reason { path: error.instance_path().to_string(), problem: message(error) });
        }
        _ => {}
    }
}

fn message(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Format { format } if format == "regex" => {
            let found = excerpt(error.instance());
            format!("{found} is not a regular expression without lookaround and backreferences")
        }
        ValidationErrorKind::Referencing(error) => format!("a reference can't be followed: {error}"),
        _ => error.masked_with(excerpt(error.instance())).to_string(),
    }
}

/// All branches of a union, where the value follows none of them.
fn list(instance: &Value, reasons: &[Reason]) -> String {
    let mut problems: Vec<&str> = Vec::new();
    for reason in reasons {
        if !problems.contains(&reason.problem.as_str()) {
            problems.push(&reason.problem);
        }
    }
    let rest = problems.len().saturating_sub(MAX_BRANCHES);
    problems.truncate(MAX_BRANCHES);
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!("{} is none of the forms that are allowed here: {}{more}", excerpt(instance), problems.join("; "))
}

/// The first bytes of a value as JSON. The value may be huge, so that no more of it is written.
pub(super) fn excerpt(value: &Value) -> String {
    let mut head = Head(Vec::new());
    let whole = serde_json::to_writer(&mut head, value).is_ok();
    let text = String::from_utf8_lossy(&head.0);
    // A character that was cut in two at the end is left out.
    let text = text.trim_end_matches('\u{fffd}');
    if whole { format!("`{text}`") } else { format!("`{text}…`") }
}

/// Takes so many bytes and then fails.
struct Head(Vec<u8>);

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MAX_EXCERPT_BYTES - self.0.len();
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let taken = bytes.len().min(room);
        self.0.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The beginning of a text that may be long.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
