//! Bytes of a file as text.

use memchr::memchr;

use crate::exports::bailiwick::files::tools::Failure;
use crate::lines::Taken;
use crate::path::Target;

/// The byte-order mark of UTF-8.
pub const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// The byte-order marks of UTF-16, little and big end first.
const UTF16_MARKS: [[u8; 2]; 2] = [[0xFF, 0xFE], [0xFE, 0xFF]];

/// Bytes of a character of UTF-8 after its first one, at most.
const MAX_CONTINUATION: usize = 3;

/// Text and where in the file it stands.
pub struct Piece {
    pub text: String,
    pub offset: u64,
    pub end: u64,
}

/// Decodes what was taken. Characters that a range cuts are left out, and so
/// is a line that the size limit cuts, unless it is the only one.
pub fn utf8(target: &Target, taken: &Taken) -> Result<Piece, Failure> {
    let skipped = skipped(taken);
    let offset = taken.offset + skipped as u64;
    let text = valid(target, taken, offset, &taken.content[skipped..])?;
    let text = match text.rfind('\n') {
        Some(line_end) if taken.truncated => &text[..=line_end],
        _ => text,
    };
    Ok(Piece { end: offset + text.len() as u64, text: text.to_owned(), offset })
}

/// How many bytes at the start are not text: the byte-order mark, or the rest
/// of a character that a range of bytes cuts.
fn skipped(taken: &Taken) -> usize {
    if taken.offset == 0 {
        return if taken.content.starts_with(&MARK) { MARK.len() } else { 0 };
    }
    if taken.first_line.is_some() {
        return 0;
    }
    let is_continuation = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    taken.content.iter().take(MAX_CONTINUATION).take_while(is_continuation).count()
}

fn valid<'t>(target: &Target, taken: &Taken, offset: u64, content: &'t [u8]) -> Result<&'t str, Failure> {
    if let Some(at) = memchr(0, content) {
        let at = offset + at as u64;
        return Err(not_text(target, taken, &format!("byte {at} is NUL")));
    }
    let error = match std::str::from_utf8(content) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let (good, _) = content.split_at(error.valid_up_to());
    let is_cut = error.error_len().is_none() && taken.goes_on;
    match std::str::from_utf8(good) {
        Ok(text) if is_cut => Ok(text),
        _ => {
            let at = offset + error.valid_up_to() as u64;
            let reason = format!("byte {at} begins no character of UTF-8");
            Err(not_text(target, taken, &reason))
        }
    }
}

fn not_text(target: &Target, taken: &Taken, reason: &str) -> Failure {
    let starts_with = |mark: &[u8; 2]| taken.offset == 0 && taken.content.starts_with(mark);
    let hint = if UTF16_MARKS.iter().any(starts_with) { ", and it begins as UTF-16 does" } else { "" };
    Failure::NotText(format!("`{}` is not text in UTF-8: {reason}{hint}; `read-bytes` reads it", target.path))
}
