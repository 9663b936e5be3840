//! Lines of a file, found without holding the file in memory.

use std::io::BufRead;

use memchr::memchr_iter;

use crate::error;
use crate::exports::bailiwick::files::tools::{Failure, LineRange};
use crate::limits::MAX_SCANNED_BYTES;
use crate::path::Target;

/// Bytes that were taken out of a file.
pub struct Taken {
    pub content: Vec<u8>,
    /// Where in the file they begin.
    pub offset: u64,
    /// The line that they begin with, where whole lines were asked for.
    pub first_line: Option<u64>,
    /// Whether the file has more bytes after them.
    pub goes_on: bool,
    /// Whether the limit ended them before the end of what was asked for.
    pub truncated: bool,
}

/// Takes a range of lines, up to `max` bytes.
pub fn take(mut file: impl BufRead, target: &Target, range: LineRange, max: usize) -> Result<Taken, Failure> {
    check(&range)?;
    let offset = skip(&mut file, target, range.first)?;
    let mut left = range.last.map_or(u64::MAX, |last| last - range.first + 1);
    let mut content = Vec::new();
    let mut goes_on = false;
    while left > 0 {
        let buffer = fill(&mut file, target)?;
        if buffer.is_empty() {
            break;
        }
        let (length, ends) = upto_line(buffer, left);
        let room = max - content.len();
        if length > room {
            content.extend_from_slice(&buffer[..room]);
            goes_on = true;
            break;
        }
        content.extend_from_slice(&buffer[..length]);
        left -= ends;
        file.consume(length);
    }
    Ok(Taken {
        goes_on: goes_on || !fill(&mut file, target)?.is_empty(),
        content,
        offset,
        first_line: Some(range.first),
        truncated: goes_on,
    })
}

/// The number of the last line of a text that begins with line `first`.
pub fn last(first: u64, text: &str) -> u64 {
    let line_ends = memchr_iter(b'\n', text.as_bytes()).count() as u64;
    let last = first + line_ends;
    if text.ends_with('\n') { last - 1 } else { last }
}

/// Passes the lines before `first`, and answers how many bytes they have.
fn skip(file: &mut impl BufRead, target: &Target, first: u64) -> Result<u64, Failure> {
    let (mut offset, mut line_ends, mut inside_line) = (0, 0, false);
    while line_ends < first - 1 {
        let buffer = fill(file, target)?;
        if buffer.is_empty() {
            break;
        }
        let (length, ends) = upto_line(buffer, first - 1 - line_ends);
        inside_line = !buffer[..length].ends_with(b"\n");
        line_ends += ends;
        offset += length as u64;
        file.consume(length);
        if offset > MAX_SCANNED_BYTES {
            return Err(too_far(target, first));
        }
    }
    // Line 1 of an empty file may be read, so that reading a whole file has
    // no exception.
    if first > 1 && fill(file, target)?.is_empty() {
        return Err(Failure::InvalidInput(format!(
            "`first` is {first}, but `{}` has {} lines",
            target.path,
            line_ends + u64::from(inside_line)
        )));
    }
    Ok(offset)
}

/// How much of the buffer is up to the end of the `wanted`th line, and how
/// many lines end there.
fn upto_line(buffer: &[u8], wanted: u64) -> (usize, u64) {
    let mut ends = 0;
    for at in memchr_iter(b'\n', buffer) {
        ends += 1;
        if ends == wanted {
            return (at + 1, ends);
        }
    }
    (buffer.len(), ends)
}

fn fill<'f>(file: &'f mut impl BufRead, target: &Target) -> Result<&'f [u8], Failure> {
    file.fill_buf().map_err(|error| error::reading(target, &error))
}

fn check(range: &LineRange) -> Result<(), Failure> {
    if range.first == 0 {
        return Err(Failure::InvalidInput(
            "`first` is 0; expected 1 or more, since lines are counted from 1".to_owned(),
        ));
    }
    match range.last {
        Some(last) if last < range.first => {
            Err(Failure::InvalidInput(format!("`last` is {last}; expected {} or more, which is `first`", range.first)))
        }
        _ => Ok(()),
    }
}

fn too_far(target: &Target, first: u64) -> Failure {
    Failure::TooLarge(format!(
        "line {first} of `{}` begins after more than {MAX_SCANNED_BYTES} bytes, which is the most that is passed; read a range of bytes",
        target.path
    ))
}
