//! Folders of an observation: copies, so that nothing that a skill writes stays.
//!
//! Whoever owns the folders may write there meanwhile. So each thing is opened by its
//! name below the folder that is open already, never through a link, and what it is,
//! is asked of what was opened.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bailiwick_domain::authority::{Access, FsMount, GuestPath};
use bailiwick_domain::quota::Quota;
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

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
            copier.root(&mount.host, &copy)?;
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
    /// Files and folders that the host may not read.
    pub(super) unreadable: u64,
}

#[derive(Default)]
struct Copier {
    bytes: u64,
    files: u64,
    left_out: LeftOut,
}

/// What was opened.
enum Opened {
    Folder(OwnedFd),
    File(File, FileStat),
    /// Something that is not copied, and is counted.
    LeftOut,
}

/// What a file was when it was opened.
struct FileStat {
    bytes: u64,
    mode: u32,
}

impl Copier {
    fn root(&mut self, from: &Path, to: &Path) -> Result<(), CopyError> {
        let failed = |error: Errno| CopyError::Failed { path: from.to_owned(), error: error.into() };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(CWD, from, flags, Mode::empty()).map_err(failed)?;
        self.folder(&folder, from, to, 0)
    }

    /// Copies what is in `from`, which lies at `path`.
    fn folder(&mut self, from: &OwnedFd, path: &Path, to: &Path, depth: usize) -> Result<(), CopyError> {
        let failed = |error: Errno| CopyError::Failed { path: path.to_owned(), error: error.into() };
        if depth > MAX_DEPTH {
            return Err(CopyError::TooLarge { path: path.to_owned(), max: "64 folders in one another" });
        }
        for entry in Dir::read_from(from).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let (path, target) = (path.join(name), to.join(name));
            let failed = |error| CopyError::Failed { path: path.clone(), error };
            match self.open(from, name, entry.file_type()).map_err(failed)? {
                Opened::Folder(folder) => {
                    self.count(&path, 0)?;
                    fs::create_dir(&target).map_err(failed)?;
                    self.folder(&folder, &path, &target, depth + 1)?;
                }
                Opened::File(file, stat) => self.file(&file, &stat, &path, &target)?,
                Opened::LeftOut => {}
            }
        }
        Ok(())
    }

    /// Opens what `name` means in `folder`, if that is a file or a folder. `listed` is what
    /// it was when the folder was read: what is a device then is not opened at all.
    fn open(&mut self, folder: &OwnedFd, name: &OsStr, listed: FileType) -> io::Result<Opened> {
        match listed {
            FileType::RegularFile | FileType::Directory | FileType::Unknown => {}
            listed => return Ok(self.left(listed)),
        }
        // Opening a pipe waits for nobody.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
            Ok(opened) => opened,
            Err(error) => return self.unopened(error).map_err(io::Error::from),
        };
        let stat = rustix::fs::fstat(&opened)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Ok(Opened::Folder(opened)),
            FileType::RegularFile => {
                let stat = FileStat { bytes: u64::try_from(stat.st_size).unwrap_or_default(), mode: stat.st_mode };
                Ok(Opened::File(opened.into(), stat))
            }
            other => Ok(self.left(other)),
        }
    }

    /// What can't be opened is left out where it says so itself, or is gone.
    fn unopened(&mut self, error: Errno) -> Result<Opened, Errno> {
        match error {
            Errno::LOOP => Ok(self.left(FileType::Symlink)),
            // What the system says of sockets, and of devices that are not there.
            Errno::NXIO | Errno::NODEV => Ok(self.left(FileType::Socket)),
            Errno::ACCESS | Errno::PERM => {
                self.left_out.unreadable += 1;
                Ok(Opened::LeftOut)
            }
            Errno::NOENT => Ok(Opened::LeftOut),
            error => Err(error),
        }
    }

    const fn left(&mut self, kind: FileType) -> Opened {
        match kind {
            FileType::Symlink => self.left_out.symlinks += 1,
            _ => self.left_out.others += 1,
        }
        Opened::LeftOut
    }

    /// Copies a file, of which no more is taken than there is room for, however it grows.
    fn file(&mut self, from: &File, stat: &FileStat, path: &Path, to: &Path) -> Result<(), CopyError> {
        let failed = |error| CopyError::Failed { path: path.to_owned(), error };
        let before = self.bytes;
        self.count(path, stat.bytes)?;
        // The skill may write to its copy of what is only read.
        let mode = (stat.mode & 0o777) | 0o600;
        let mut copy = OpenOptions::new().write(true).create_new(true).mode(mode).open(to).map_err(failed)?;
        let room = MAX_COPIED_BYTES.saturating_sub(before);
        let copied = io::copy(&mut from.take(room.saturating_add(1)), &mut copy).map_err(failed)?;
        self.bytes = before;
        self.charge(path, copied)
    }

    fn count(&mut self, path: &Path, bytes: u64) -> Result<(), CopyError> {
        self.files += 1;
        if self.files > MAX_COPIED_FILES {
            return Err(CopyError::TooLarge { path: path.to_owned(), max: "20000 files and folders" });
        }
        self.charge(path, bytes)
    }

    fn charge(&mut self, path: &Path, bytes: u64) -> Result<(), CopyError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes <= MAX_COPIED_BYTES {
            return Ok(());
        }
        Err(CopyError::TooLarge { path: path.to_owned(), max: "1 GiB" })
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
        rustix::fs::mknodat(CWD, from.path().join("pipe"), FileType::Fifo, Mode::RUSR, 0).expect("a pipe");
        let asked = ["/work/a", "/other"].map(|root| root.parse().expect("a path"));
        let (copied, left_out) = copy(&[mount("/work", from.path())], &asked, scratch.path()).expect("a copy");
        assert_eq!(left_out, LeftOut { symlinks: 1, others: 2, unreadable: 0 });
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
        let open = OwnedFd::from(File::open(folder.path()).expect("a folder"));
        let error = Copier::default().folder(&open, folder.path(), folder.path(), MAX_DEPTH + 1);
        assert!(error.is_err_and(|error| error.to_string().contains("give a smaller folder")));
    }

    /// Opens `name` in `folder` as if it had been listed as a plain file.
    fn opened(copier: &mut Copier, folder: &Path, name: &str) -> Opened {
        let folder = OwnedFd::from(File::open(folder).expect("a folder"));
        copier.open(&folder, OsStr::new(name), FileType::RegularFile).expect("an answer")
    }

    #[test]
    fn what_was_swapped_in_after_the_listing_is_not_followed_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("file"), "outside").expect("a file");
        std::os::unix::fs::symlink(outside.path(), at("folder")).expect("a link");
        std::os::unix::fs::symlink(outside.path().join("file"), at("file")).expect("a link");
        std::os::unix::net::UnixListener::bind(at("socket")).expect("a socket");
        rustix::fs::mknodat(CWD, at("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        let mut copier = Copier::default();
        for name in ["folder", "file", "socket", "pipe", "gone"] {
            assert!(matches!(opened(&mut copier, folder.path(), name), Opened::LeftOut), "{name}");
        }
        assert_eq!(copier.left_out, LeftOut { symlinks: 2, others: 2, unreadable: 0 });
        let link = folder.path().join("folder");
        assert!(copier.root(&link, outside.path()).is_err(), "the folder itself is no link either");
    }

    #[test]
    fn a_file_that_grows_is_copied_as_far_as_there_is_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, "ten bytes.").expect("a file");
        let file = File::open(&from).expect("a file");
        // It was empty when it was opened.
        let stat = FileStat { bytes: 0, mode: 0o644 };
        let mut copier = Copier { bytes: MAX_COPIED_BYTES - 4, ..Copier::default() };
        let error = copier.file(&file, &stat, &from, &to).expect_err("it is too large");
        assert!(error.to_string().contains("1 GiB"), "{error}");
        assert_eq!(fs::metadata(&to).expect("a copy").len(), 5);
        let mut copier = Copier { bytes: MAX_COPIED_BYTES - 10, ..Copier::default() };
        let file = File::open(&from).expect("a file");
        copier.file(&file, &stat, &from, &folder.path().join("whole")).expect("it has room");
        assert_eq!(copier.bytes, MAX_COPIED_BYTES);
    }

    #[test]
    fn what_can_not_be_read_is_left_out_and_what_is_only_read_can_be_written_in_the_copy() {
        use std::os::unix::fs::PermissionsExt as _;
        let (from, scratch) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        for (name, mode) in [("read", 0o444), ("run", 0o555), ("closed", 0o000)] {
            let path = from.path().join(name);
            fs::write(&path, name).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
        }
        // The superuser reads it all the same.
        let closed = u64::from(File::open(from.path().join("closed")).is_err());
        let (copied, left_out) = copy(&[mount("/work", from.path())], &[], scratch.path()).expect("a copy");
        assert_eq!(left_out, LeftOut { unreadable: closed, ..LeftOut::default() });
        let mode = |name: &str| fs::metadata(copied[0].copy.join(name)).expect("a copy").permissions().mode() & 0o700;
        assert_eq!((mode("read"), mode("run")), (0o600, 0o700));
        let mut all = Copier::default();
        for error in [Errno::ACCESS, Errno::PERM] {
            assert!(matches!(all.unopened(error), Ok(Opened::LeftOut)));
        }
        assert_eq!(all.left_out.unreadable, 2);
        assert!(all.unopened(Errno::IO).is_err(), "a disk that fails is an error");
    }
}
