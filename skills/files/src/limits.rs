//! Every limit of the skill with its reason, and the check against a range.
//!
//! The doc comments in `wit/files.wit` name the same numbers.

use crate::exports::bailiwick::files::tools::Failure;

/// Bytes of a path: what Linux allows.
pub const MAX_PATH_BYTES: usize = 4_096;

/// Bytes of a glob. It is compiled to a regular expression.
pub const MAX_GLOB_BYTES: usize = 1_024;

/// Bytes of a regular expression as it is written.
pub const MAX_PATTERN_BYTES: usize = 4_096;

/// Bytes of a compiled regular expression. Matching costs up to this times
/// the text's length, and `\w{100}` has to fit.
pub const MAX_COMPILED_BYTES: usize = 4 << 20;

/// Brackets within brackets in a regular expression: its parser recurses.
pub const MAX_PATTERN_NESTING: u32 = 50;

/// Folders within folders. Real trees are far below; each level holds the
/// names of one folder in memory.
pub const MAX_DEPTH: u32 = 64;

/// Entries that a walk looks at, matching or not: about 20 MB of names when
/// they are all in one folder.
pub const MAX_VISITED: usize = 200_000;

/// Entries that `list` answers: about 1 MiB of JSON.
pub const MAX_ENTRIES: u32 = 10_000;

/// Entries that `list` answers when it is not told.
pub const DEFAULT_ENTRIES: u32 = 1_000;

/// Bytes of all paths that `list` answers, for trees with long names.
pub const MAX_LISTING_BYTES: usize = 2 << 20;

/// Bytes of text that `read` answers.
pub const MAX_TEXT_BYTES: u32 = 1 << 20;

/// Room for the longest character of UTF-8, so that reading on from where a
/// text was cut always gets ahead.
pub const MIN_TEXT_BYTES: u32 = 4;

/// Bytes of text that `read` answers when it is not told: about 30 000
/// tokens.
pub const DEFAULT_TEXT_BYTES: u32 = 128 << 10;

/// Bytes that `read` passes to find a line, at about 1 GB/s.
pub const MAX_SCANNED_BYTES: u64 = 256 << 20;

/// Bytes that `read-bytes` answers. A host that lifts results without knowing
/// their types holds each byte as a value of some 40 bytes.
pub const MAX_BINARY_BYTES: u32 = 1 << 20;

/// Bytes that `read-bytes` answers when it is not told.
pub const DEFAULT_BINARY_BYTES: u32 = 256 << 10;

/// Bytes of one file that `search` holds in memory. Larger files are data,
/// not text that somebody wrote.
pub const MAX_SEARCHED_FILE_BYTES: u64 = 16 << 20;

/// Bytes that one `search` reads, which takes it a few seconds.
pub const MAX_SEARCHED_BYTES: u64 = 256 << 20;

/// Matching lines that `search` answers.
pub const MAX_MATCHES: u32 = 2_000;

/// Matching lines that `search` answers when it is not told.
pub const DEFAULT_MATCHES: u32 = 200;

/// Lines around a match, on each side.
pub const MAX_CONTEXT_LINES: u32 = 10;

/// Characters of a line that `search` answers, so that a minified file does
/// not fill the answer.
pub const MAX_LINE_CHARS: usize = 500;

/// Bytes of lines that `search` answers in all.
pub const MAX_FINDINGS_BYTES: usize = 2 << 20;

/// Bytes that `write` takes.
pub const MAX_WRITE_BYTES: usize = 4 << 20;

/// Answers `given`, or `default` where it was left out, and fails outside of
/// `least..=most`.
pub fn check_number(name: &str, given: Option<u32>, default: u32, least: u32, most: u32) -> Result<u32, Failure> {
    let number = given.unwrap_or(default);
    if !(least..=most).contains(&number) {
        return Err(Failure::InvalidInput(format!("`{name}` is {number}; expected {least} to {most}")));
    }
    Ok(number)
}
