//! Removes a folder in which somebody may still write.
//!
//! A command of the host that was not ended yet can put a link where a folder was. So
//! each folder is opened by its name below one that is open already, never through a
//! link, and all that is done is done below what was opened. The command can also have
//! closed a folder: it is opened up by what is held of it, never by its name, which may be
//! another's by then.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, chmod, fchmod, fstat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// How often the top is gone through, which is once for each folder on the deepest way
/// down. Who goes on writing must not hold the host up for ever; what is left then is
/// left to the next sweep.
const MAX_ROUNDS: u32 = 100_000;

/// How folders are opened: only such, and through no link.
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Removes a folder with all that is in it. A guest decides how deep that goes:
/// folders are lifted to the top one after the other, so that neither the stack
/// nor the number of open files grows with the depth.
pub(super) fn remove(folder: &Path) -> io::Result<()> {
    let top = open(CWD, folder)?;
    let mut lifted = 0_u64;
    for _ in 0..MAX_ROUNDS {
        let names = names(&top)?;
        if names.is_empty() {
            return fs::remove_dir(folder);
        }
        for name in names {
            match remove_one(&top, &name, &mut lifted) {
                Err(error) if !was_swapped(error) => return Err(error.into()),
                // What was swapped is looked at anew in the next round.
                Ok(()) | Err(_) => {}
            }
        }
    }
    Err(io::Error::other("it is deeper than is removed at once, or somebody goes on writing in it"))
}

/// Removes what `name` is in `top`, whose own folders are lifted into `top` before.
fn remove_one(top: &OwnedFd, name: &CStr, lifted: &mut u64) -> Result<(), Errno> {
    let Some(folder) = folder_in(top, name)? else { return unlinkat(top, name, AtFlags::empty()) };
    for child in names(&folder)? {
        if folder_in(&folder, &child)?.is_some() {
            lift(&folder, &child, top, lifted)?;
        } else {
            unlinkat(&folder, &child, AtFlags::empty())?;
        }
    }
    unlinkat(top, name, AtFlags::REMOVEDIR)
}

/// Moves `name` from `folder` into `top`, under a name that nothing there has.
fn lift(folder: &OwnedFd, name: &CStr, top: &OwnedFd, lifted: &mut u64) -> Result<(), Errno> {
    loop {
        *lifted += 1;
        let to = format!("lifted-{lifted}");
        match statat(top, &to, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return renameat(folder, name, top, &to),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
}

/// The folder of this name, in which everything can be done; none where it is no folder itself.
fn folder_in(folder: &OwnedFd, name: &CStr) -> Result<Option<OwnedFd>, Errno> {
    let opened = match open(folder, name) {
        Err(Errno::ACCESS) => open_closed(folder, name),
        opened => opened,
    };
    match opened {
        Ok(folder) => {
            open_up(&folder)?;
            Ok(Some(folder))
        }
        Err(Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lets the host change what is in a folder, and move it, where its mode forbids that.
fn open_up(folder: &OwnedFd) -> Result<(), Errno> {
    if Mode::from_raw_mode(fstat(folder)?.st_mode).contains(Mode::RWXU) {
        return Ok(());
    }
    fchmod(folder, Mode::RWXU)
}

/// Opens a folder that may not be read. What is held of it first is no right to anything, and
/// its mode can be changed by its number alone.
fn open_closed(folder: &OwnedFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let held = openat(folder, name, OFlags::PATH | FOLDER, Mode::empty())?;
    let changed = chmod(format!("/proc/self/fd/{}", held.as_raw_fd()), Mode::RWXU);
    // Without that file system it stays closed; it is not the folder that isn't there.
    changed.map_err(|error| if error == Errno::NOENT { Errno::ACCESS } else { error })?;
    open(&held, c".")
}

fn open(below: impl AsFd, path: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    openat(below, path, OFlags::RDONLY | FOLDER, Mode::empty())
}

fn names(folder: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

/// Whether the error says that something is not what it was when it was looked at.
const fn was_swapped(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::ISDIR | Errno::LOOP | Errno::NOTEMPTY | Errno::EXIST)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A folder to remove, and one beside it with a file that must stay.
    fn folders() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let (doomed, outside) = (folder.path().join("doomed"), folder.path().join("outside"));
        for path in [&doomed, &outside.join("inner")] {
            fs::create_dir_all(path).expect("folders");
        }
        fs::write(outside.join("inner/file"), "x").expect("a file");
        fs::write(outside.join("file"), "x").expect("a file");
        (folder, doomed, outside)
    }

    #[test]
    fn what_is_a_link_when_it_is_opened_is_removed_as_a_file() {
        let (_folder, doomed, outside) = folders();
        symlink(&outside, doomed.join("link")).expect("a link");
        let top = open(CWD, &doomed).expect("a folder");
        // As if it had been a folder when it was listed.
        assert!(folder_in(&top, c"link").expect("an answer").is_none());
        remove_one(&top, c"link", &mut 0).expect("removed");
        assert!(open(CWD, outside.join("none")).is_err() && !doomed.join("link").is_symlink());
        symlink(&outside, doomed.join("link")).expect("a link");
        assert!(remove(&doomed.join("link")).is_err(), "the folder itself is no link either");
        remove(&doomed).expect("removed");
        assert!(outside.join("file").exists() && outside.join("inner/file").exists() && !doomed.exists());
    }

    fn close(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).expect("there").permissions().mode() & 0o7777
    }

    #[test]
    fn folders_that_were_closed_are_removed_with_all_that_is_in_them() {
        let (_folder, doomed, _) = folders();
        for closed in [0o000, 0o444, 0o500, 0o311] {
            let path = doomed.join(format!("{closed:o}"));
            fs::create_dir_all(path.join("inner/most")).expect("folders");
            fs::write(path.join("inner/file"), "x").expect("a file");
            close(&path.join("inner"), closed);
            close(&path, closed);
        }
        remove(&doomed).expect("removed");
        assert!(!doomed.exists());
    }

    // Root goes everywhere, so that what opens folders up is looked at by itself.
    #[test]
    fn a_closed_folder_is_opened_up_and_no_other_and_never_through_a_link() {
        let (_folder, doomed, outside) = folders();
        close(&outside, 0o500);
        symlink(&outside, doomed.join("link")).expect("a link");
        fs::write(doomed.join("file"), "x").expect("a file");
        let top = open(CWD, &doomed).expect("a folder");
        for closed in [0o000, 0o444, 0o500] {
            let path = doomed.join("closed");
            fs::create_dir_all(&path).expect("a folder");
            close(&path, closed);
            assert!(folder_in(&top, c"closed").expect("opened").is_some());
            assert_eq!(mode(&path), 0o700, "{closed:o}");
            close(&path, closed);
            let opened = open_closed(&top, c"closed").expect("opened");
            assert_eq!((mode(&path), names(&opened).expect("readable").len()), (0o700, 0), "{closed:o}");
        }
        close(&doomed.join("closed"), 0o755);
        assert!(folder_in(&top, c"closed").expect("opened").is_some());
        assert_eq!(mode(&doomed.join("closed")), 0o755, "what is open stays as it is");
        for other in [c"link", c"file"] {
            assert!(folder_in(&top, other).expect("an answer").is_none());
            assert!(matches!(open_closed(&top, other), Err(Errno::NOTDIR | Errno::LOOP)), "{other:?}");
        }
        assert_eq!(mode(&outside), 0o500);
        close(&outside, 0o700);
    }

    #[test]
    fn nothing_outside_is_removed_while_links_are_swapped_in() {
        let (_folder, doomed, outside) = folders();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (name, aside) = (doomed.join("deep/way"), doomed.join("deep/aside"));
                while !over.load(Ordering::Relaxed) {
                    // Each step fails where the other thread was faster.
                    let _ = fs::create_dir_all(name.join("inner"));
                    let _ = fs::rename(&name, &aside);
                    let _ = symlink(&outside, &name);
                    let _ = fs::remove_file(&name);
                    let _ = fs::rename(&aside, &name);
                }
            });
            for _ in 0..20 {
                // It can't come to its end while the other one writes, and does not go on for ever.
                let _ = fs::create_dir_all(&doomed);
                let _ = remove(&doomed);
                assert!(outside.join("file").exists() && outside.join("inner/file").exists());
            }
            over.store(true, Ordering::Relaxed);
        });
        let _ = fs::create_dir_all(&doomed);
        remove(&doomed).expect("removed");
        assert!(outside.join("file").exists() && outside.join("inner/file").exists());
    }
}
