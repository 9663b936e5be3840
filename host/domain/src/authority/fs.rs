//! Folders: what a skill asks for, and what is mounted.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::quota::{Quota, QuotaRequest};

/// What may be done below a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// List and read.
    Read,
    /// Also create, change and remove.
    ReadWrite,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::ReadWrite => "read-write",
        })
    }
}

/// An absolute path as the guest sees it: `/work`, `/work/docs`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GuestPath(String);

impl GuestPath {
    /// Where a call's workspace is mounted.
    pub fn workspace() -> Self {
        Self("/workspace".to_owned())
    }

    /// Whether one of the two is the other or lies below it.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The path, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this folder or lies below it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for GuestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<GuestPath> for String {
    fn from(path: GuestPath) -> Self {
        path.0
    }
}

/// The text is not a guest path in its one normal form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a guest path: expected an absolute path such as `/work`, without `.`, `..`, `//` or a slash at its end"
)]
pub struct InvalidGuestPath(String);

impl FromStr for GuestPath {
    type Err = InvalidGuestPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
        match text.strip_prefix('/') {
            Some(rest) if rest.split('/').all(plain) => Ok(Self(text.to_owned())),
            _ => Err(InvalidGuestPath(text.to_owned())),
        }
    }
}

impl TryFrom<String> for GuestPath {
    type Error = InvalidGuestPath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A folder that a skill asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FsRequest {
    /// Where the skill expects it; grants mount at it or below it.
    pub root: GuestPath,
    /// The most it needs.
    pub access: Access,
    /// How much one call writes below it, at the most.
    pub quota: QuotaRequest,
}

/// A host folder that is mounted for a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FsMount {
    /// Where the guest sees it.
    pub root: GuestPath,
    /// The folder on the host: absolute, no symlinks in it.
    pub host: PathBuf,
    /// What may be done below it.
    pub access: Access,
    /// How much one call may write below it; says nothing where it may only read.
    pub quota: Quota,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> GuestPath {
        text.parse().expect("valid")
    }

    #[test]
    fn guest_paths_have_one_form() {
        assert!(path("/work").contains(&path("/work/docs")));
        assert!(path("/work").contains(&path("/work")));
        assert!(!path("/work").contains(&path("/workshop")));
        for bad in ["", "/", "work", "/work/", "/work//a", "/work/../etc", "/./a", "/a\\b"] {
            assert!(bad.parse::<GuestPath>().is_err(), "{bad}");
        }
    }
}
