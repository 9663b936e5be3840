//! Lines as `search` shows them.

use memchr::{memchr, memrchr};

use crate::limits::MAX_LINE_CHARS;

/// Characters that a long line keeps before its match.
const LEAD_CHARS: usize = 100;

/// Bytes of the longest character of UTF-8.
const MAX_CHAR_BYTES: usize = 4;

/// A line without the `\r` of a Windows line end.
pub fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// How many characters stand before a byte of the line. A run of bytes that
/// is no character counts as the one that replaces it.
pub fn chars_before(line: &[u8], byte: usize) -> usize {
    chars(&line[..byte]).count()
}

/// The line, or what is around its match when it is long.
pub fn around(line: &[u8], column: usize) -> String {
    // Where all of the line fits, nothing is cut before the match.
    let all_fits = chars(line).nth(MAX_LINE_CHARS).is_none();
    let start = if all_fits || column < MAX_LINE_CHARS - LEAD_CHARS { 0 } else { column - LEAD_CHARS };
    cut(line, start)
}

/// Up to `count` lines before the one that starts at byte `start`.
pub fn before(content: &[u8], start: usize, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut end = start;
    while lines.len() < count && end > 0 {
        let line_end = end - 1;
        let line_start = memrchr(b'\n', &content[..line_end]).map_or(0, |at| at + 1);
        lines.push(head(&content[line_start..line_end]));
        end = line_start;
    }
    lines.reverse();
    lines
}

/// Up to `count` lines after the one that ends at byte `end`.
pub fn after(content: &[u8], end: usize, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut start = end + 1;
    while lines.len() < count && start < content.len() {
        let line_end = memchr(b'\n', &content[start..]).map_or(content.len(), |at| start + at);
        lines.push(head(&content[start..line_end]));
        start = line_end + 1;
    }
    lines
}

/// The start of a line. Only as many bytes are decoded as can be shown, so
/// that context costs nothing in a file that is one long line.
fn head(line: &[u8]) -> String {
    let line = without_return(line);
    let enough = (MAX_LINE_CHARS + 1) * MAX_CHAR_BYTES;
    cut(&line[..line.len().min(enough)], 0)
}

/// `MAX_LINE_CHARS` characters of a line from character `start`, with `…` on
/// the sides where there are more.
fn cut(line: &[u8], start: usize) -> String {
    let mut rest = chars(line).skip(start);
    let mut text = String::new();
    if start > 0 {
        text.push('…');
    }
    text.extend(rest.by_ref().take(MAX_LINE_CHARS));
    if rest.next().is_some() {
        text.push('…');
    }
    text
}

/// Characters of bytes that are mostly UTF-8, without decoding more than is
/// taken.
fn chars(bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    bytes.utf8_chunks().flat_map(|chunk| {
        let replaced = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(replaced)
    })
}
