//! Reading one file.

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::decode::{self, MARK};
use crate::error;
use crate::exports::bailiwick::files::tools::{Binary, ByteRange, Encoding, Failure, LineRange, Part, Text};
use crate::limits::{
    DEFAULT_BINARY_BYTES, DEFAULT_TEXT_BYTES, MAX_BINARY_BYTES, MAX_TEXT_BYTES, MIN_TEXT_BYTES, check_number,
};
use crate::lines::{self, Taken};
use crate::path::Target;

/// Reads text.
pub fn text(target: &Target, part: Option<Part>, max_bytes: Option<u32>) -> Result<Text, Failure> {
    let max = check_number("max-bytes", max_bytes, DEFAULT_TEXT_BYTES, MIN_TEXT_BYTES, MAX_TEXT_BYTES)?;
    let (mut file, size) = open(target)?;
    let marked = starts_with_mark(&mut file, target)?;
    let whole = LineRange { first: 1, last: None };
    let taken = match part.unwrap_or(Part::Lines(whole)) {
        Part::Lines(range) => lines::take(BufReader::new(file), target, range, max as usize)?,
        Part::Bytes(range) => take_bytes(file, target, size, range, max)?,
    };
    answer(target, size, marked, taken)
}

/// Reads bytes.
pub fn binary(target: &Target, offset: u64, length: Option<u32>) -> Result<Binary, Failure> {
    let length = check_number("length", length, DEFAULT_BINARY_BYTES, 1, MAX_BINARY_BYTES)?;
    let (mut file, size) = open(target)?;
    check_offset(target, offset, size)?;
    let content = read_at(&mut file, target, offset, u64::from(length))?;
    Ok(Binary { path: target.path.clone(), truncated: offset + (content.len() as u64) < size, content, size, offset })
}

/// Opens a file; a folder or a device is refused, since reading a device may
/// never end.
pub fn open(target: &Target) -> Result<(File, u64), Failure> {
    let failed = |error| error::reading(target, &error);
    let metadata = fs::metadata(&target.path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(Failure::InvalidInput(format!(
            "`path` is `{}`, which is a folder; expected a file, and `list` shows what a folder holds",
            target.path
        )));
    }
    if !metadata.is_file() {
        return Err(Failure::InvalidInput(format!(
            "`path` is `{}`, which is a device, a pipe or a socket; expected a file",
            target.path
        )));
    }
    let file = File::open(&target.path).map_err(failed)?;
    Ok((file, metadata.len()))
}

fn starts_with_mark(file: &mut File, target: &Target) -> Result<bool, Failure> {
    let start = read_at(file, target, 0, MARK.len() as u64)?;
    file.rewind().map_err(|error| error::reading(target, &error))?;
    Ok(start == MARK)
}

fn take_bytes(mut file: File, target: &Target, size: u64, range: ByteRange, max: u32) -> Result<Taken, Failure> {
    check_offset(target, range.offset, size)?;
    let wanted = range.length.unwrap_or(u64::MAX);
    let limit = wanted.min(u64::from(max));
    let content = read_at(&mut file, target, range.offset, limit)?;
    let end = range.offset + content.len() as u64;
    let goes_on = end < size;
    Ok(Taken { offset: range.offset, first_line: None, goes_on, truncated: goes_on && limit < wanted, content })
}

fn read_at(file: &mut File, target: &Target, offset: u64, length: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(offset))
        .and_then(|_| file.take(length).read_to_end(&mut content))
        .map_err(|error| error::reading(target, &error))?;
    Ok(content)
}

fn check_offset(target: &Target, offset: u64, size: u64) -> Result<(), Failure> {
    if offset > size {
        return Err(Failure::InvalidInput(format!("`offset` is {offset}, but `{}` has {size} bytes", target.path)));
    }
    Ok(())
}

fn answer(target: &Target, size: u64, marked: bool, taken: Taken) -> Result<Text, Failure> {
    let piece = decode::utf8(target, &taken)?;
    let lines = taken.first_line.filter(|_| !piece.text.is_empty());
    Ok(Text {
        path: target.path.clone(),
        lines: lines.map(|first| LineRange { first, last: Some(lines::last(first, &piece.text)) }),
        content: piece.text,
        encoding: if marked { Encoding::Utf8WithMark } else { Encoding::Utf8 },
        size,
        offset: piece.offset,
        end: piece.end,
        truncated: taken.truncated,
    })
}
