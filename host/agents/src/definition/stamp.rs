//! Whether a file may have changed since it was read.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What the system says of a file without reading it. The time of the last change to the
/// inode is part of it, because nobody can set that back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of the file at `path`, symlinks followed; `None` where there is none to be had.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// When the contents were last changed, in milliseconds since 1970.
    pub(crate) fn modified_ms(self) -> u64 {
        let (seconds, nanos) = self.modified;
        let millis = seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000);
        u64::try_from(millis).unwrap_or_default()
    }
}
