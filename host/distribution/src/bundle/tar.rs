//! The tar format (POSIX.1-1988, "ustar"), as far as packages need it.
//!
//! Written by hand because it is small: what a library would read beyond this,
//! such as links, sparse files and headers that rename the next entry, is what
//! must be refused.

use super::{BundleError, MAX_BYTES, MAX_FILES, path};

/// Everything in a tar is a multiple of this.
pub(super) const BLOCK: usize = 512;

/// What a tar ends with.
pub(super) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Bytes that the header has for the end of a path, and for what stands before it.
const NAME: usize = 100;
const PREFIX: usize = 155;

/// Where the fields of a header stand.
mod field {
    use std::ops::Range;

    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const MODE: Range<usize> = 100..108;
    pub(super) const UID: Range<usize> = 108..116;
    pub(super) const GID: Range<usize> = 116..124;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const TIME: Range<usize> = 136..148;
    pub(super) const SUM: Range<usize> = 148..156;
    pub(super) const KIND: usize = 156;
    pub(super) const MAGIC: Range<usize> = 257..263;
    pub(super) const VERSION: Range<usize> = 263..265;
    pub(super) const MAJOR: Range<usize> = 329..337;
    pub(super) const MINOR: Range<usize> = 337..345;
    pub(super) const PREFIX: Range<usize> = 345..500;
}

/// The header of a regular file. Of two that differ nothing differs but path and size.
pub(super) fn header(path: &str, size: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    // Whoever gets here has had the path checked; a longer one would only be cut.
    let (prefix, name) = split(path).unwrap_or(("", &path[..path.len().min(NAME)]));
    header[field::NAME][..name.len()].copy_from_slice(name.as_bytes());
    header[field::PREFIX][..prefix.len()].copy_from_slice(prefix.as_bytes());
    octal(&mut header[field::MODE], 0o644);
    octal(&mut header[field::SIZE], size);
    for zero in [field::UID, field::GID, field::TIME, field::MAJOR, field::MINOR] {
        octal(&mut header[zero], 0);
    }
    header[field::KIND] = b'0';
    header[field::MAGIC].copy_from_slice(b"ustar\0");
    header[field::VERSION].copy_from_slice(b"00");
    let sum = sum(&header);
    octal(&mut header[field::SUM][..7], sum);
    header[field::SUM.end - 1] = b' ';
    header
}

/// The path cut in two at a slash, so that both parts have room in a header.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME {
        return Some(("", path));
    }
    let mut cuts = path.match_indices('/').map(|(at, _)| (&path[..at], &path[at + 1..]));
    cuts.find(|(prefix, name)| prefix.len() <= PREFIX && name.len() <= NAME)
}

/// The files of a tar. Limits hold while they are read, and each size is held
/// against the bytes that there are, so that no header makes this reserve more.
pub(super) fn read(tar: &[u8]) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
    let mut files = Vec::new();
    let (mut at, mut bytes, mut entries) = (0, 0_u64, 0);
    loop {
        let malformed = |problem| BundleError::Malformed { at, problem };
        let header = tar.get(at..at + BLOCK).ok_or_else(|| malformed("it ends in the middle"))?;
        if header.iter().all(|byte| *byte == 0) {
            let rest = &tar[at..];
            let ends = rest.len() >= END.len() && rest.iter().all(|byte| *byte == 0);
            return if ends { Ok(files) } else { Err(malformed("something stands behind its end")) };
        }
        entries += 1;
        // Folders count too, or a tar could have any number of them.
        if entries > 2 * MAX_FILES {
            return Err(BundleError::TooMany);
        }
        let entry = Entry::read(header).map_err(malformed)?;
        let size = match entry.kind()? {
            Kind::Folder => 0,
            Kind::File => entry.size,
        };
        bytes = bytes.saturating_add(size);
        if bytes > MAX_BYTES {
            return Err(BundleError::TooLarge);
        }
        at += BLOCK;
        let content = usize::try_from(size).ok().and_then(|size| tar.get(at..at.checked_add(size)?));
        let content = content.ok_or(BundleError::Malformed { at, problem: "a file is longer than what is left" })?;
        at += content.len().next_multiple_of(BLOCK);
        if let Kind::File = entry.kind()? {
            files.push((entry.path, content.to_vec()));
            if files.len() > MAX_FILES {
                return Err(BundleError::TooMany);
            }
        }
    }
}

enum Kind {
    File,
    Folder,
}

/// A header that was read.
struct Entry {
    path: String,
    kind: u8,
    size: u64,
}

impl Entry {
    fn read(header: &[u8]) -> Result<Self, &'static str> {
        let said = number(&header[field::SUM]).ok_or("a checksum is no number")?;
        if said != sum(header) {
            return Err("a checksum is wrong");
        }
        // GNU's own form ends the magic with blanks, and is the same otherwise as far as it is taken.
        if &header[field::MAGIC][..5] != b"ustar" {
            return Err("a header is not of the ustar format");
        }
        let gnu = header[field::MAGIC.end - 1] != 0;
        let name = text(&header[field::NAME]).ok_or("a name is not UTF-8")?;
        let prefix = if gnu { "" } else { text(&header[field::PREFIX]).ok_or("a name is not UTF-8")? };
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        // `tar -C FOLDER .` begins each path with this.
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        let size = number(&header[field::SIZE]).ok_or("a size is no number")?;
        Ok(Self { path, kind: header[field::KIND], size })
    }

    fn kind(&self) -> Result<Kind, BundleError> {
        let refused = |what| Err(BundleError::Kind { path: path::short(&self.path), what });
        let wrong = |problem| BundleError::Path { path: path::short(&self.path), problem };
        match self.kind {
            b'0' | 0 => path::check(&self.path).map(|()| Kind::File).map_err(wrong),
            b'5' => {
                let folder = self.path.strip_suffix('/').unwrap_or(&self.path);
                // The folder of the package itself.
                let checked = if matches!(folder, "" | ".") { Ok(()) } else { path::check(folder) };
                checked.map(|()| Kind::Folder).map_err(wrong)
            }
            b'1' => refused("a hard link"),
            b'2' => refused("a symlink"),
            b'3' | b'4' => refused("a device"),
            b'6' => refused("a pipe"),
            b'x' | b'g' => refused("a pax header, which changes what follows it"),
            b'L' | b'K' => refused("a long name in GNU's form"),
            _ => refused("an entry of an unknown kind"),
        }
    }
}

/// The sum of a header's bytes, its own field as blanks.
fn sum(header: &[u8]) -> u64 {
    let byte = |(at, byte): (usize, &u8)| u64::from(if field::SUM.contains(&at) { b' ' } else { *byte });
    header.iter().enumerate().map(byte).sum()
}

/// Writes a number as all but the last byte of `field`, which stays zero.
fn octal(field: &mut [u8], mut number: u64) {
    for digit in field.iter_mut().rev().skip(1) {
        *digit = b'0' + u8::try_from(number % 8).unwrap_or_default();
        number /= 8;
    }
}

/// An octal number, which blanks or zero bytes end.
fn number(field: &[u8]) -> Option<u64> {
    let text = text(field)?.trim_matches(' ');
    let digits = !text.is_empty() && text.bytes().all(|c| matches!(c, b'0'..=b'7'));
    if digits { u64::from_str_radix(text, 8).ok() } else { None }
}

/// The text before the first zero byte.
fn text(field: &[u8]) -> Option<&str> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    std::str::from_utf8(&field[..end]).ok()
}
