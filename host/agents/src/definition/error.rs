//! Why there is no definition.

use std::fmt;
use std::path::{Path, PathBuf};

use super::found::printable;

/// Characters of a key that a message shows: no key of ours has more.
const MAX_SHOWN_KEY: usize = 100;

/// Why there is no definition. It can be compared, so that a file that is still wrong in
/// the same way is no change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The file can't be read.
    #[error("can't use `{file}`: it {reason}", file = file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Words that follow on "it": `is not a regular file`.
        reason: String,
    },
    /// The file is no TOML.
    #[error("{file}:{line}: not TOML: {message}", file = file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        message: String,
    },
    /// It says what it may not; all that was found, one a line.
    #[error("{}", lines(file.as_deref(), problems))]
    Invalid {
        /// The file, where it comes from one.
        file: Option<PathBuf>,
        /// What is wrong; one at least.
        problems: Vec<Problem>,
    },
    /// Two files have the agent's name.
    #[error(
        "`{first}` and `{second}` are one agent: expected one file of this name",
        first = first.display(),
        second = second.display()
    )]
    Twice {
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The record in the journal is not one that this release knows.
    #[error("the record of this agent can't be read: {0}")]
    Record(String),
}

/// One thing that is wrong in a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted path of the key, such as `limits.usd` or `skills[1]`; empty for the whole.
    pub key: String,
    /// What stands there: ``the number `0` ``.
    pub found: String,
    /// What should: `a whole number from 1 to 1000`.
    pub expected: String,
}

impl Problem {
    pub(super) fn new(key: &str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { key: printable(key, MAX_SHOWN_KEY), found: found.into(), expected: expected.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "found {}, expected {}", self.found, self.expected)
    }
}

fn lines(file: Option<&Path>, problems: &[Problem]) -> String {
    let line = |problem: &Problem| match file {
        Some(file) => format!("{}: {problem}", file.display()),
        None => problem.to_string(),
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}
