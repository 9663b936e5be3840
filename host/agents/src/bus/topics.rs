//! Which topics a listener wants to hear of.

use std::str::FromStr;

use bailiwick_domain::run::RunId;

use super::Told;

/// Patterns of one listener: each is tried on all that is told.
pub const MAX_PATTERNS: usize = 64;

/// Bytes of one pattern: room for the id of a run or the name of an agent.
pub const MAX_PATTERN_BYTES: usize = 128;

/// What stands for any segment and, at the end, for all that follow; one at least.
const ANY: &str = "*";

/// A set of patterns: segments of letters, digits, `-` and `_` with dots between them, or
/// `*` in place of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    patterns: Vec<String>,
}

/// A text is no pattern of topics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopic {
    /// It has more bytes than a pattern has.
    #[error("a pattern of {0} bytes: expected at most {MAX_PATTERN_BYTES}")]
    TooLong(usize),
    /// A segment is none.
    #[error(
        "`{0}` is no pattern of topics: expected letters, digits, `-` and `_` with dots between them, or `*` in place of one, such as `agent.*`"
    )]
    Segment(String),
    /// The set would be too large.
    #[error("more than {MAX_PATTERNS} patterns: expected as many at most")]
    TooMany,
}

impl Topics {
    /// Whether one of the patterns takes this topic.
    pub fn takes(&self, topic: &str) -> bool {
        self.patterns.iter().any(|pattern| fits(pattern, topic.split('.')))
    }

    /// Whether one of the patterns takes what is told: by its topic, or by its name, with
    /// or without the run behind it, so that `task.completed.*` takes every task that is
    /// completed.
    pub fn hear(&self, told: &Told) -> bool {
        let run = || told.run.as_ref().map(RunId::as_str);
        self.takes(&told.topic)
            || self.patterns.iter().any(|pattern| {
                let name = || told.name.split('.');
                fits(pattern, name()) || fits(pattern, name().chain(run()))
            })
    }

    /// The patterns, in the order in which they came.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Adds patterns: all of them, or where one can't be added none.
    ///
    /// # Errors
    ///
    /// When one of them is no pattern, or when there would be too many.
    pub fn add<'a>(&mut self, patterns: impl IntoIterator<Item = &'a str>) -> Result<(), InvalidTopic> {
        let mut all = self.patterns.clone();
        for pattern in patterns {
            check(pattern)?;
            if all.iter().any(|there| there == pattern) {
                continue;
            }
            if all.len() == MAX_PATTERNS {
                return Err(InvalidTopic::TooMany);
            }
            all.push(pattern.to_owned());
        }
        self.patterns = all;
        Ok(())
    }

    /// Takes patterns out, as they were added; those that are not there are passed over.
    ///
    /// # Errors
    ///
    /// When one of them is no pattern; then all stay.
    pub fn remove<'a>(&mut self, patterns: impl IntoIterator<Item = &'a str>) -> Result<(), InvalidTopic> {
        let mut all = self.patterns.clone();
        for pattern in patterns {
            check(pattern)?;
            all.retain(|there| there != pattern);
        }
        self.patterns = all;
        Ok(())
    }
}

impl FromStr for Topics {
    type Err = InvalidTopic;

    /// Reads patterns with commas between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut topics = Self::default();
        topics.add(text.split(','))?;
        Ok(topics)
    }
}

fn check(pattern: &str) -> Result<(), InvalidTopic> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(InvalidTopic::TooLong(pattern.len()));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let good = |segment: &str| segment == ANY || (!segment.is_empty() && segment.bytes().all(plain));
    if pattern.split('.').all(good) { Ok(()) } else { Err(InvalidTopic::Segment(pattern.to_owned())) }
}

/// Whether the pattern takes a topic of these segments.
fn fits<'a>(pattern: &str, mut segments: impl Iterator<Item = &'a str>) -> bool {
    let mut parts = pattern.split('.').peekable();
    while let Some(part) = parts.next() {
        let Some(segment) = segments.next() else { return false };
        if part == ANY && parts.peek().is_none() {
            return true;
        }
        if part != ANY && part != segment {
            return false;
        }
    }
    segments.next().is_none()
}
