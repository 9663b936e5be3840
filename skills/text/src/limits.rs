//! Every limit of the skill with its reason, and the checks against them.
//!
//! The doc comments in `wit/text.wit` name the same numbers.

use crate::exports::bailiwick::text::tools::Failure;

/// Bytes of one text. Every tool is close to linear in it, and a mebibyte
/// takes each of them well under a second.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Bytes that `replace` and `extract` answer: room for a text that grows, yet
/// far below the skill's memory.
pub const MAX_RESULT_BYTES: usize = 4 << 20;

/// Lines or words that a diff compares on one side. The search's cost grows
/// with the number of differences times the number of units.
pub const MAX_DIFF_UNITS: usize = 50_000;

/// Unchanged lines around a change. More is the whole text.
pub const MAX_CONTEXT: u32 = 100;

/// What `diff` and `patch` use themselves.
pub const DEFAULT_CONTEXT: u32 = 3;

/// Characters on each side of `similarity`: Levenshtein and Jaro-Winkler cost
/// the product of both lengths.
pub const MAX_SIMILARITY_CHARS: usize = 10_000;

/// Texts that `rank` compares, so that the answer stays sortable at once.
pub const MAX_CANDIDATES: usize = 10_000;

/// Characters of the query times characters of all candidates: what
/// `similarity` may cost at its own limit.
pub const MAX_RANK_WORK: usize = MAX_SIMILARITY_CHARS * MAX_SIMILARITY_CHARS;

/// A list that a model or a person can still look over.
pub const DEFAULT_RANKED: u32 = 10;

/// Frequent words that `statistics` answers at most.
pub const MAX_TOP_WORDS: u32 = 1_000;

/// Enough to see what a text is about.
pub const DEFAULT_TOP_WORDS: u32 = 10;

/// Literals and group references in a replacement: each of them is visited
/// once for every match.
pub const MAX_TEMPLATE_PIECES: usize = 200;

/// Bytes of a regular expression as it is written.
pub const MAX_PATTERN_BYTES: usize = 4_096;

/// Bytes of a compiled regular expression. Matching costs up to this times
/// the text's length, and `\w{100}` has to fit.
pub const MAX_COMPILED_BYTES: usize = 4 << 20;

/// Brackets within brackets in a regular expression: its parser recurses.
pub const MAX_PATTERN_NESTING: u32 = 50;

/// Matches that `extract` answers.
pub const MAX_MATCHES: u32 = 10_000;

/// Matches that `extract` answers when it is not told.
pub const DEFAULT_MATCHES: u32 = 1_000;

/// Fails when a text is longer than `MAX_TEXT_BYTES`.
pub fn check_text(name: &str, text: &str) -> Result<(), Failure> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Failure::TooLarge(format!(
            "`{name}` has {} bytes; at most {MAX_TEXT_BYTES} are allowed",
            text.len()
        )));
    }
    Ok(())
}

/// Answers `given`, or `default` where it was left out, and fails outside of
/// `least..=most`.
pub fn check_number(name: &str, given: Option<u32>, default: u32, least: u32, most: u32) -> Result<usize, Failure> {
    let number = given.unwrap_or(default);
    if !(least..=most).contains(&number) {
        return Err(Failure::InvalidInput(format!("`{name}` is {number}; expected {least} to {most}")));
    }
    Ok(number as usize)
}

/// Answers a count as the interface's integer. No count here can pass 4
/// billion, since every text is at most a few mebibytes.
pub fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
