//! Folders of an observation: copies, so that nothing that a skill writes stays.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bailiwick_domain::authority::{Access, FsMount, GuestPath};
use bailiwick_domain::quota::Quota;

/// Bytes that are copied for one observation, so that nobody copies a home folder by a slip.
const MAX_COPIED_BYTES: u64 = 1 << 30;

/// Files and folders that are copied for one observation.
const MAX_COPIED_FILES: u64 = 20_000;

/// How deep folders are copied: deeper ones are made by programs that went wrong.
const MAX_DEPTH: usize = 64;

/// A folder as an observed call sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copied {
    /// Where the guest sees it.
    pub(super) root: GuestPath,
    /// The folder that was copied; none for a root that nobody gave a folder for.
    pub(super) original: Option<FsMount>,
    /// The copy.
    pub(super) copy: PathBuf,
}

impl Copied {
    /// What the call is given: the copy, to do with what it likes.
    pub(super) fn mount(&self) -> FsMount {
        let quota = self.original.as_ref().map_or_else(Quota::default, |mount| mount.quota);
        FsMount { root: self.root.clone(), host: self.copy.clone(), access: Access::ReadWrite, quota }
    }
}

/// Why a folder can't be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It has too much.
    #[error(
        "`{path}` and the folders before it have more than {max}, the most that is copied for an observation: \
         give a smaller folder", path = path.display()
    )]
    TooLarge {
        /// The folder.
        path: PathBuf,
        /// Such as `1 GiB`.
        max: &'static str,
    },
    /// Something in it can't be read, or the copy can't be written.
    #[error("`{path}` can't be copied for the observation: {error}", path = path.display())]
    Failed {
        /// What was copied.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Copies `given` below `scratch`, and makes an empty folder for each of `asked` that
/// overlaps with none of them. Answers also how much was left out.
pub(super) fn copy(
    given: &[FsMount],
    asked: &[GuestPath],
    scratch: &Path,
) -> Result<(Vec<Copied>, LeftOut), CopyError> {
    let mut copier = Copier::default();
    let mut all = Vec::new();
    let mut make = |root: &GuestPath, original: Option<&FsMount>| {
        let copy = scratch.join(all.len().to_string());
        fs::create_dir(&copy).map_err(|error| CopyError::Failed { path: copy.clone(), error })?;
        if let Some(mount) = original {
            copier.folder(&mount.host, &copy, 0)?;
        }
        all.push(Copied { root: root.clone(), original: original.cloned(), copy });
        Ok(())
    };
    given.iter().try_for_each(|mount| make(&mount.root, Some(mount)))?;
    let absent = asked.iter().filter(|root| !given.iter().any(|mount| mount.root.overlaps(root)));
    absent.into_iter().try_for_each(|root| make(root, None))?;
    Ok((all, copier.left_out))
}

/// What was not copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Links might lead out of the folder.
    pub(super) symlinks: u64,
    /// Sockets, pipes and devices are no data.
    pub(super) others: u64,
}

#[derive(Default)]
struct Copier {
    bytes: u64,
    files: u64,
    left_out: LeftOut,
}

impl Copier {
    fn folder(&mut self, from: &Path, to: &Path, depth: usize) -> Result<(), CopyError> {
        let failed = |path: &Path, error| CopyError::Failed { path: path.to_owned(), error };
        if depth > MAX_DEPTH {
            return Err(CopyError::TooLarge { path: from.to_owned(), max: "64 folders in one another" });
        }
        for entry in fs::read_dir(from).map_err(|error| failed(from, error))? {
            let entry = entry.map_err(|error| failed(from, error))?;
            let (path, target) = (entry.path(), to.join(entry.file_name()));
            let kind = entry.file_type().map_err(|error| failed(&path, error))?;
            if kind.is_symlink() {
                self.left_out.symlinks += 1;
            } else if kind.is_dir() {
                self.count(&path, 0)?;
                fs::create_dir(&target).map_err(|error| failed(&path, error))?;
                self.folder(&path, &target, depth + 1)?;
            } else if kind.is_file() {
                self.file(&path, &target)?;
            } else {
                self.left_out.others += 1;
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, to: &Path) -> Result<(), CopyError> {
        let failed = |error| CopyError::Failed { path: from.to_owned(), error };
        let size = from.symlink_metadata().map_err(failed)?.len();
        self.count(from, size)?;
        fs::copy(from, to).map(drop).map_err(failed)
    }

    fn count(&mut self, path: &Path, bytes: u64) -> Result<(), CopyError> {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        let too_large = |max| Err(CopyError::TooLarge { path: path.to_owned(), max });
        if self.files > MAX_COPIED_FILES {
            return too_large("20000 files and folders");
        }
        if self.bytes > MAX_COPIED_BYTES { too_large("1 GiB") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(root: &str, host: &Path) -> FsMount {
        let (access, quota) = (Access::Read, Quota::default());
        FsMount { root: root.parse().expect("a path"), host: host.to_owned(), access, quota }
    }

    #[test]
    fn links_and_pipes_stay_behind() {
        let (from, scratch) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let outside = tempfile::NamedTempFile::new().expect("a file");
        fs::create_dir_all(from.path().join("a/b")).expect("folders");
        fs::write(from.path().join("a/b/x"), "text").expect("a file");
        std::os::unix::fs::symlink(outside.path(), from.path().join("link")).expect("a link");
        std::os::unix::net::UnixListener::bind(from.path().join("socket")).expect("a socket");
        let asked = ["/work/a", "/other"].map(|root| root.parse().expect("a path"));
        let (copied, left_out) = copy(&[mount("/work", from.path())], &asked, scratch.path()).expect("a copy");
        assert_eq!(left_out, LeftOut { symlinks: 1, others: 1 });
        assert_eq!(copied.iter().map(|it| it.root.as_str()).collect::<Vec<_>>(), ["/work", "/other"]);
        assert_eq!(fs::read_to_string(copied[0].copy.join("a/b/x")).expect("the copy"), "text");
        let names = fs::read_dir(&copied[0].copy).expect("the copy").map(|it| it.expect("an entry").file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["a"]);
        assert!(copied[1].original.is_none() && copied[1].copy.is_dir());
    }

    #[test]
    fn too_much_is_refused_before_it_is_copied() {
        let mut copier = Copier { files: MAX_COPIED_FILES, ..Copier::default() };
        assert!(matches!(copier.count(Path::new("/x"), 1), Err(CopyError::TooLarge { .. })));
        let mut copier = Copier { bytes: MAX_COPIED_BYTES, ..Copier::default() };
        assert!(copier.count(Path::new("/x"), 0).is_ok() && copier.count(Path::new("/x"), 1).is_err());
        let folder = tempfile::tempdir().expect("a folder");
        let error = Copier::default().folder(folder.path(), folder.path(), MAX_DEPTH + 1);
        assert!(error.is_err_and(|error| error.to_string().contains("give a smaller folder")));
    }
}
