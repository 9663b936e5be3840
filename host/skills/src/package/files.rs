//! The files of a package, and nothing beside them.
//!
//! A package may come from anywhere, so a path that it names is followed only
//! while it stays inside, and only to a regular file: a symlink could lead to
//! the host's own files, whose first line a message would then show, and a pipe
//! would never end.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::{PackageError, Position, Problem};

/// The folder of a package.
pub(super) struct Folder {
    /// As the caller named it, for messages.
    named: PathBuf,
    /// Absolute, without symlinks.
    root: PathBuf,
}

impl Folder {
    /// Finds the folder.
    pub(super) fn open(named: &Path) -> Result<Self, PackageError> {
        let unreadable = |source| PackageError::Unreadable { path: named.to_path_buf(), source };
        let root = fs::canonicalize(named).map_err(unreadable)?;
        if !fs::metadata(&root).map_err(unreadable)?.is_dir() {
            return Err(PackageError::NotAPackage { root: named.to_path_buf() });
        }
        Ok(Self { named: named.to_path_buf(), root })
    }

    /// A file's path as messages show it.
    pub(super) fn shown(&self, relative: &Path) -> PathBuf {
        self.named.join(relative)
    }

    /// The folder's own path.
    pub(super) fn into_root(self) -> PathBuf {
        self.root
    }

    /// The path of a regular file of the package; the error says what is wrong with `relative`.
    pub(super) fn file(&self, relative: &Path) -> Result<PathBuf, String> {
        let shown = relative.display();
        let path = match fs::canonicalize(self.root.join(relative)) {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(format!("there is no file `{shown}` in the package"));
            }
            Err(error) => return Err(format!("the file `{shown}` can't be found: {error}")),
        };
        if !path.starts_with(&self.root) {
            return Err(format!("`{shown}` leads out of the package through a symlink"));
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(path),
            Ok(_) => Err(format!("`{shown}` is not a regular file")),
            Err(error) => Err(format!("the file `{shown}` can't be read: {error}")),
        }
    }

    /// The bytes of a file of the package, of which there may be `max`; the error says what is wrong.
    pub(super) fn read(&self, relative: &Path, max: u64) -> Result<Vec<u8>, String> {
        let shown = relative.display();
        let path = self.file(relative)?;
        let mut bytes = Vec::new();
        let unreadable = |error: io::Error| format!("the file `{shown}` can't be read: {error}");
        // One byte more than allowed tells a file that is too large from one that just fits.
        File::open(path).map_err(unreadable)?.take(max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > max {
            return Err(format!("the file `{shown}` is too large: expected at most {max} bytes"));
        }
        Ok(bytes)
    }

    /// The text of a file, or `None` where there is no such entry in the folder.
    pub(super) fn read_text(&self, relative: &Path, max: u64) -> Result<Option<String>, PackageError> {
        let absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        if fs::symlink_metadata(self.root.join(relative)).as_ref().is_err_and(absent) {
            return Ok(None);
        }
        let unusable = |reason| PackageError::Unusable { path: self.shown(relative), reason };
        let bytes = self.read(relative, max).map_err(unusable)?;
        String::from_utf8(bytes).map(Some).map_err(|error| self.not_utf8(relative, &error).into())
    }

    fn not_utf8(&self, relative: &Path, error: &std::string::FromUtf8Error) -> Problem {
        let valid_up_to = error.utf8_error().valid_up_to();
        let valid = String::from_utf8_lossy(&error.as_bytes()[..valid_up_to]);
        let byte = error.as_bytes().get(valid_up_to).copied().unwrap_or_default();
        let message = format!("found the byte 0x{byte:02x}, expected UTF-8 text");
        Problem::new(self.shown(relative), Position::of(&valid, valid_up_to), "", &message)
    }
}
