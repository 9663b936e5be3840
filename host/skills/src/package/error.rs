//! Why a folder is not a package.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Most characters of one problem's message, so that a hostile file can't fill a log.
const MAX_MESSAGE_CHARS: usize = 2000;

/// Why a folder can't be read as a package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The folder or a file in it can't be read.
    #[error("can't read `{}`: {source}", path.display())]
    Unreadable {
        /// The folder or the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is something else than a folder with a package in it.
    #[error("`{}` is not a package: expected a folder with a `skill.toml`, or with a `SKILL.md` alone", root.display())]
    NotAPackage {
        /// The path.
        root: PathBuf,
    },
    /// A file that can't be used, before its contents matter.
    #[error("can't use `{}`: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        reason: String,
    },
    /// Files that can be read but say what they may not; all that was found, one a line.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
}

impl From<Problem> for PackageError {
    fn from(problem: Problem) -> Self {
        Self::Invalid(vec![problem])
    }
}

/// One thing that is wrong in a file, with the place where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Where in it.
    pub position: Position,
    /// The dotted path of the key, such as `permissions.http[1].methods`;
    /// empty where the file can't be read as far as keys.
    pub key: String,
    /// The value that was found, and what was expected in its place.
    pub message: String,
}

impl Problem {
    /// A problem whose message is safe to print: of bounded length, without control characters.
    pub(super) fn new(file: PathBuf, position: Position, key: &str, message: &str) -> Self {
        Self { file, position, key: printable(key), message: printable(message) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{}:{line}:{column}: ", self.file.display())?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A place in a text, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl Position {
    /// The place of the byte at `offset` of `text`, or of the end where that lies behind it.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.split(|byte| *byte == b'\n').count();
        // A byte that begins a character is any but a continuation byte.
        let column = before[line_start..].iter().filter(|byte| (**byte & 0xc0) != 0x80).count() + 1;
        Self { line, column }
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The text with control and direction characters escaped, so that a file can't
/// steer the terminal or the log that shows what is wrong with it.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_MESSAGE_CHARS));
    for (count, c) in text.chars().enumerate() {
        if count == MAX_MESSAGE_CHARS {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let text = "a\nbé c\n";
        assert_eq!(Position::of(text, 0), Position { line: 1, column: 1 });
        assert_eq!(Position::of(text, 2), Position { line: 2, column: 1 });
        assert_eq!(Position::of(text, 5), Position { line: 2, column: 3 });
        assert_eq!(Position::of(text, 999), Position { line: 3, column: 1 });
    }

    #[test]
    fn a_message_can_not_steer_a_terminal() {
        let problem = Problem::new("f".into(), Position { line: 1, column: 1 }, "k", "\u{1b}[31mred\u{202e}");
        assert_eq!(problem.message, "\\u{1b}[31mred\\u{202e}");
        let long = Problem::new("f".into(), Position { line: 1, column: 1 }, "k", &"x".repeat(1 << 20));
        assert_eq!(long.message.chars().count(), MAX_MESSAGE_CHARS + 1);
    }
}
