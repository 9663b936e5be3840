//! What lies in a folder in which guests and commands write.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::capabilities::fs::Addition;

/// Folders in one another that are measured. What lies deeper counts as too much.
const MAX_DEPTH: usize = 64;

/// What is counted when a folder can't be looked at: more than any room.
pub(crate) const TOO_MUCH: Addition = Addition { bytes: u64::MAX, files: u64::MAX };

/// The unit in which a system says how much of a disk a file takes, whatever the disk's own is.
const BLOCK: u64 = 512;

/// What lies in a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Measured {
    /// As a quota counts it.
    pub(super) held: Addition,
    /// As the disk does, on which the holes of a file take nothing.
    pub(super) on_disk: Addition,
}

impl Measured {
    /// The same by either count.
    const fn both(found: Addition) -> Self {
        Self { held: found, on_disk: found }
    }

    /// Counts a name, and the bytes of its file where no other name of that is in `linked`.
    fn add(&mut self, metadata: &Metadata, linked: &mut HashSet<(u64, u64)>) {
        self.held.files += 1;
        self.on_disk.files += 1;
        let mut is_new = || metadata.nlink() < 2 || linked.insert((metadata.dev(), metadata.ino()));
        if metadata.is_file() && is_new() {
            let len = metadata.len();
            let written = len.min(metadata.blocks().saturating_mul(BLOCK));
            self.held.bytes = self.held.bytes.saturating_add(len);
            self.on_disk.bytes = self.on_disk.bytes.saturating_add(written);
        }
    }

    /// It goes deeper than anybody looks.
    const fn too_deep(mut self) -> Self {
        self.held.files = u64::MAX;
        self.on_disk.files = u64::MAX;
        self
    }
}

/// What lies in `folder`, as far as it takes to see that it is more than `most`. Blocks.
pub(crate) fn measure(folder: &Path, most: Addition) -> Addition {
    look(folder, most).held
}

/// All that lies in `folder`, by either count. Blocks.
pub(super) fn measure_all(folder: &Path) -> Measured {
    look(folder, TOO_MUCH)
}

fn look(folder: &Path, most: Addition) -> Measured {
    let mut found = Measured::default();
    // Of the files alone that have several names: most have one.
    let mut linked = HashSet::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            // What a command is taking away at this moment is not there.
            Err(error) if is_gone(&error) => continue,
            // A command can close a folder behind what it has written.
            Err(_) => return Measured::both(TOO_MUCH),
        };
        for entry in entries {
            let (path, metadata) = match unless_gone(entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))) {
                Ok(Some(seen)) => seen,
                Ok(None) => continue,
                Err(too_much) => return Measured::both(too_much),
            };
            found.add(&metadata, &mut linked);
            if metadata.is_dir() {
                folders.push((path, depth + 1));
            }
            if depth > MAX_DEPTH {
                return found.too_deep();
            }
            if found.held.files > most.files || found.held.bytes > most.bytes {
                return found;
            }
        }
    }
    found
}

/// What was seen; nothing where it is gone, and too much where it can't be looked at: names can
/// be read in a folder that nobody may go into, and sizes can't.
fn unless_gone<T>(seen: io::Result<T>) -> Result<Option<T>, Addition> {
    match seen {
        Ok(seen) => Ok(Some(seen)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(_) => Err(TOO_MUCH),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn everything_is_counted_until_it_is_too_much() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("a")).expect("a folder");
        fs::write(folder.path().join("a/b"), [0; 100]).expect("a file");
        symlink("/usr", folder.path().join("link")).expect("a link");
        assert_eq!(measure(folder.path(), TOO_MUCH), Addition { bytes: 100, files: 3 });
        assert!(measure(folder.path(), Addition { bytes: 1000, files: 2 }).files > 2);
        assert!(measure(folder.path(), Addition { bytes: 99, files: 10 }).bytes > 99);
        assert_eq!(measure(&folder.path().join("absent"), TOO_MUCH), Addition::default());
    }

    #[test]
    fn a_file_with_several_names_has_its_bytes_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("below")).expect("a folder");
        for (name, others) in [("a", ["b", "below/c"]), ("d", ["e", "below/f"])] {
            fs::write(path(name), [0; 100]).expect("a file");
            for other in others {
                fs::hard_link(path(name), path(other)).expect("a link");
            }
        }
        let expected = Addition { bytes: 200, files: 7 };
        assert_eq!(measure(folder.path(), TOO_MUCH), expected);
        assert_eq!(measure(folder.path(), expected), expected, "it is no more than that");
    }

    #[test]
    fn holes_count_for_a_quota_and_take_nothing_of_the_disk() {
        const LEN: u64 = 16 << 20;
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("full"), [1; 100]).expect("a file");
        assert_eq!(measure_all(folder.path()), Measured::both(Addition { bytes: 100, files: 1 }));
        let sparse = fs::File::create(folder.path().join("sparse")).expect("a file");
        sparse.set_len(LEN).expect("it grows");
        let Measured { held, on_disk } = measure_all(folder.path());
        assert_eq!(held, Addition { bytes: LEN + 100, files: 2 });
        assert!(on_disk.files == 2 && on_disk.bytes < LEN, "{on_disk:?}");
    }

    #[test]
    fn what_cannot_be_looked_at_is_too_much_and_what_is_gone_is_nothing() {
        let error = |kind: io::ErrorKind| unless_gone::<()>(Err(kind.into()));
        assert_eq!(unless_gone(Ok(7)), Ok(Some(7)));
        assert_eq!(error(io::ErrorKind::NotFound), Ok(None));
        assert_eq!(error(io::ErrorKind::PermissionDenied), Err(TOO_MUCH));
        assert_eq!(error(io::ErrorKind::Other), Err(TOO_MUCH));
    }

    #[test]
    fn a_folder_whose_names_alone_can_be_read_is_too_much() {
        let folder = tempfile::tempdir().expect("a folder");
        let closed = folder.path().join("closed");
        fs::create_dir(&closed).expect("a folder");
        fs::write(closed.join("file"), [0; 100]).expect("a file");
        fs::set_permissions(&closed, Permissions::from_mode(0o444)).expect("it is ours");
        // Root goes everywhere, and counts what it finds.
        let expected = match fs::symlink_metadata(closed.join("file")) {
            Ok(_) => Addition { bytes: 100, files: 2 },
            Err(_) => TOO_MUCH,
        };
        let measured = measure(folder.path(), TOO_MUCH);
        fs::set_permissions(&closed, Permissions::from_mode(0o700)).expect("it is ours");
        assert_eq!(measured, expected);
    }

    #[test]
    fn what_is_too_deep_to_be_measured_is_too_much() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join(vec!["d"; MAX_DEPTH + 3].join("/"));
        fs::create_dir_all(&deep).expect("folders");
        assert_eq!(measure(folder.path(), TOO_MUCH).files, u64::MAX);
    }
}
