//! What a command may still write to the workspace: the quota of the call, of which
//! the guest has used some by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::capabilities::fs::{Addition, Files, QuotaReached, Root};

/// How often a workspace is measured while a command runs.
const EVERY: Duration = Duration::from_millis(100);

/// Folders in one another that are measured. What lies deeper counts as too much.
const MAX_DEPTH: usize = 64;

/// What is counted when a folder can't be looked at: more than any room.
const TOO_MUCH: Addition = Addition { bytes: u64::MAX, files: u64::MAX };

/// The workspace of a call, as it was before a command.
pub(super) struct Room {
    root: Arc<Root>,
    workspace: PathBuf,
    before: Addition,
}

impl Room {
    /// The room in `workspace`, if it is open for the guest.
    pub(super) async fn of(files: &Files, workspace: &Path) -> Option<Self> {
        let root = files.workspace()?;
        let before = measured(workspace.to_owned(), TOO_MUCH).await;
        Some(Self { root, workspace: workspace.to_owned(), before })
    }

    /// Whether anything can be added. Where not, no command begins.
    pub(super) fn check(&self) -> Result<(), QuotaReached> {
        let least = Addition { bytes: 1, files: 1 };
        self.root.charge(least)?;
        self.root.refund(least);
        Ok(())
    }

    /// What may still be added.
    pub(super) fn left(&self) -> Addition {
        self.root.left()
    }

    /// Ends when more was added than there is room for.
    pub(super) async fn is_used_up(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            let (added, left) = (self.added().await, self.left());
            if added.bytes > left.bytes || added.files > left.files {
                return;
            }
        }
    }

    /// Counts what was added. Where that is too much, all that was left is gone with it:
    /// the next command would else have the same room again.
    pub(super) async fn charge(&self) -> Result<(), QuotaReached> {
        let charged = self.root.charge(self.added().await);
        if charged.is_err() {
            let _ = self.root.charge(self.left());
        }
        charged
    }

    async fn added(&self) -> Addition {
        let (before, left) = (self.before, self.left());
        let most =
            Addition { bytes: before.bytes.saturating_add(left.bytes), files: before.files.saturating_add(left.files) };
        let now = measured(self.workspace.clone(), most).await;
        Addition { bytes: now.bytes.saturating_sub(before.bytes), files: now.files.saturating_sub(before.files) }
    }
}

/// [`measure`] where blocking is allowed: it waits for the disk.
async fn measured(folder: PathBuf, most: Addition) -> Addition {
    tokio::task::spawn_blocking(move || measure(&folder, most)).await.unwrap_or(TOO_MUCH)
}

/// What lies in `folder`, as far as it takes to see that it is more than `most`.
fn measure(folder: &Path, most: Addition) -> Addition {
    let mut found = Addition::default();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        // What a command is taking away at this moment is not there.
        let entries = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        for entry in entries {
            let Ok(metadata) = entry.metadata() else { continue };
            found.files += 1;
            found.bytes = found.bytes.saturating_add(if metadata.is_file() { metadata.len() } else { 0 });
            if metadata.is_dir() {
                folders.push((entry.path(), depth + 1));
            }
            if depth > MAX_DEPTH {
                return Addition { files: u64::MAX, ..found };
            }
            if found.files > most.files || found.bytes > most.bytes {
                return found;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::authority::{Access, GuestPath};
    use bailiwick_domain::quota::Quota;

    use super::*;

    #[tokio::test]
    async fn what_was_too_much_leaves_no_room_for_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let quota = Quota { max_bytes: 100, max_files: 10 };
        let root = Arc::new(Root::new(&GuestPath::workspace(), Access::ReadWrite, quota));
        let begin = async || {
            let before = measured(folder.path().to_owned(), TOO_MUCH).await;
            Room { root: Arc::clone(&root), workspace: folder.path().to_owned(), before }
        };
        let first = begin().await;
        fs::write(folder.path().join("a"), [0; 60]).expect("a file");
        assert_eq!((first.check(), first.charge().await), (Ok(()), Ok(())));
        assert_eq!(first.left(), Addition { bytes: 40, files: 9 });
        let second = begin().await;
        fs::write(folder.path().join("b"), [0; 60]).expect("a file");
        assert_eq!(second.charge().await, Err(QuotaReached::Bytes(100)));
        let third = begin().await;
        assert_eq!((third.left(), third.check()), (Addition::default(), Err(QuotaReached::Bytes(100))));
    }

    #[test]
    fn everything_is_counted_until_it_is_too_much() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("a")).expect("a folder");
        fs::write(folder.path().join("a/b"), [0; 100]).expect("a file");
        std::os::unix::fs::symlink("/usr", folder.path().join("link")).expect("a link");
        let all = Addition { bytes: u64::MAX, files: u64::MAX };
        assert_eq!(measure(folder.path(), all), Addition { bytes: 100, files: 3 });
        assert!(measure(folder.path(), Addition { bytes: 1000, files: 2 }).files > 2);
        assert!(measure(folder.path(), Addition { bytes: 99, files: 10 }).bytes > 99);
        assert_eq!(measure(&folder.path().join("absent"), all), Addition::default());
    }
}
