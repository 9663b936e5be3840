//! Small private files that are read whole and replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Only the owner reads and writes.
const PRIVATE: u32 = 0o600;

/// The write bits of the group and of all others.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Why a file can't be read or replaced.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The file system didn't do as asked.
    #[error("can't {operation} {path}", path = .path.display())]
    Io {
        /// `read`, `lock`, `write`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// More bytes than the host takes.
    #[error("{path} is larger than the limit of {limit} bytes", path = .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        limit: u64,
    },
    /// Others than the owner can change the file, and so could let themselves in.
    #[error("others than its owner may write {path} (mode {mode:o}): expected mode 600", path = .path.display())]
    Writable {
        /// The file.
        path: PathBuf,
        /// The permission bits found.
        mode: u32,
    },
}

/// What tells one state of a file from the next; absent where there is no file.
/// The time of the last change to the inode is part of it, because nobody can
/// set that back.
pub(crate) type Stamp = Option<[i128; 5]>;

/// The present stamp of the file at `path`.
pub(crate) fn stamp(path: &Path) -> io::Result<Stamp> {
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some([
            metadata.dev().into(),
            metadata.ino().into(),
            metadata.len().into(),
            nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        ])),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The text of the file at `path`, which nobody but its owner may write; `None` where there is none.
pub(crate) fn read_private(path: &Path, limit: u64) -> Result<Option<String>, StorageError> {
    let failed = |source| StorageError::Io { operation: "read", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(StorageError::Writable { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    let read = file.take(limit + 1).read_to_string(&mut text).map_err(failed)?;
    if read as u64 > limit {
        return Err(StorageError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(Some(text))
}

/// Holds off others that would change the file at `path`, until the value is
/// dropped or the process ends. The lock is on a file beside it, because the
/// file itself is replaced.
pub(crate) fn lock(path: &Path) -> Result<File, StorageError> {
    let path = beside(path, ".lock");
    let open = OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(&path);
    let locked = open.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|source| StorageError::Io { operation: "lock", path, source })
}

/// Puts `content` in place of the file at `path`. After a crash the file has
/// the old content or the new, and once this returns it is the new.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), StorageError> {
    // Behind a symlink the file itself is replaced, and the link stays.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let new = beside(&path, ".new");
    let result = write_and_rename(&path, &new, content);
    if result.is_err() {
        // What is left is harmless, but a half-written copy of secrets' hashes helps nobody.
        let _ = fs::remove_file(&new);
    }
    result.map_err(|source| StorageError::Io { operation: "write", path, source })
}

fn write_and_rename(path: &Path, new: &Path, content: &[u8]) -> io::Result<()> {
    // A crash may have left one; the caller holds the lock, so nobody writes it now.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}
