//! What a command may still write to the workspace: the quota of the call, of which
//! the guest has used some by itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::capabilities::fs::{Addition, Files, QuotaReached, Root};
use crate::workspace::{TOO_MUCH, measure};

/// How often a workspace is measured while a command runs.
const EVERY: Duration = Duration::from_millis(100);

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

    /// Whether anything can be added. Where not, no command begins. Where it can't be measured
    /// what lies there, nobody could tell afterwards what was added: all the room is gone.
    pub(super) fn check(&self) -> Result<(), QuotaReached> {
        if self.before.files == u64::MAX {
            return self.take(Addition { bytes: 0, files: u64::MAX });
        }
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

    /// Counts what was added.
    pub(super) async fn charge(&self) -> Result<(), QuotaReached> {
        self.take(self.added().await)
    }

    /// Takes of the room. Where that is too much, all that was left is gone with it: the next
    /// command would else have the same room again.
    fn take(&self, added: Addition) -> Result<(), QuotaReached> {
        let charged = self.root.charge(added);
        if charged.is_err() {
            self.root.exhaust();
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

#[cfg(test)]
mod tests {
    use std::fs;

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

    #[tokio::test]
    async fn where_nobody_can_tell_what_was_there_all_the_room_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        // Deeper than anybody measures.
        fs::create_dir_all(folder.path().join(vec!["d"; 100].join("/"))).expect("folders");
        let quota = Quota { max_bytes: 100, max_files: 1000 };
        let root = Arc::new(Root::new(&GuestPath::workspace(), Access::ReadWrite, quota));
        let before = measured(folder.path().to_owned(), TOO_MUCH).await;
        let filled = Room { root, workspace: folder.path().to_owned(), before };
        assert_eq!(filled.check(), Err(QuotaReached::Files(1000)));
        assert_eq!(filled.left(), Addition::default());
    }
}
