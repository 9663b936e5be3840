//! Paths that files of a package may have.

use std::fmt;

/// Bytes of a path: what a header of a tar has room for, however it is cut.
const MAX_PATH: usize = 200;

/// Folders within folders: more than any package needs, and few enough to walk down.
const MAX_DEPTH: usize = 16;

/// Characters of a path that are told of.
const MAX_SHOWN: usize = 80;

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidPath {
    /// It begins at the root.
    Absolute,
    /// It leads upwards, or stands still.
    Dots,
    /// A part of it is hidden.
    Hidden,
    /// A part of it is empty, or all of it.
    Empty,
    /// Control characters, or a backslash.
    Characters,
    /// It is not UTF-8.
    NotText,
    /// It is too long, or too deep.
    Long,
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute => f.write_str("is absolute: expected one within the package"),
            Self::Dots => f.write_str("has `.` or `..`: expected one within the package"),
            Self::Hidden => f.write_str("is hidden, and a package has no hidden files: remove or rename it"),
            Self::Empty => f.write_str("has a part without a name"),
            Self::Characters => f.write_str("has a backslash or a control character"),
            Self::NotText => f.write_str("is not UTF-8"),
            Self::Long => write!(f, "is too long: expected at most {MAX_PATH} bytes and {MAX_DEPTH} parts"),
        }
    }
}

/// Whether a file of a package may be there.
pub(super) fn check(path: &str) -> Result<(), InvalidPath> {
    if path.starts_with('/') {
        return Err(InvalidPath::Absolute);
    }
    if path.contains(|c: char| c.is_control() || c == '\\') {
        return Err(InvalidPath::Characters);
    }
    for part in path.split('/') {
        match part {
            "" => return Err(InvalidPath::Empty),
            "." | ".." => return Err(InvalidPath::Dots),
            part if part.starts_with('.') => return Err(InvalidPath::Hidden),
            _ => {}
        }
    }
    let fits = path.len() <= MAX_PATH && path.split('/').count() <= MAX_DEPTH && super::tar::split(path).is_some();
    if fits { Ok(()) } else { Err(InvalidPath::Long) }
}

/// A path as messages have it: cut where it is long, and unable to steer a terminal.
pub(super) fn short(path: &str) -> String {
    let tame = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let shown: String = path.chars().take(MAX_SHOWN).map(tame).collect();
    if shown.chars().count() < path.chars().count() { format!("{shown}…") } else { shown }
}
