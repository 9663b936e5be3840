//! What a command may still write to the workspace: the quota of the call, of which
//! the guest has used some by itself.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::capabilities::fs::{Addition, Files, QuotaReached, Root};

/// How often a workspace is measured while a command runs.
const EVERY: Duration = Duration::from_millis(100);

/// Folders in one another that are measured. What lies deeper counts as too much.
const MAX_DEPTH: usize = 64;

/// The workspace of a call, as it was before a command.
pub(super) struct Room<'a> {
    root: Arc<Root>,
    workspace: &'a Path,
    before: Addition,
}

impl<'a> Room<'a> {
    /// The room in `workspace`, if it is open for the guest.
    pub(super) fn of(files: &Files, workspace: &'a Path) -> Option<Self> {
        let root = files.workspace()?;
        let most = root.left();
        let before = measure(workspace, Addition { bytes: u64::MAX, files: u64::MAX });
        (most != Addition::default()).then_some(Self { root, workspace, before })
    }

    /// What may still be added.
    pub(super) fn left(&self) -> Addition {
        self.root.left()
    }

    /// Ends when more was added than there is room for.
    pub(super) async fn is_used_up(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            let (added, left) = (self.added(), self.left());
            if added.bytes > left.bytes || added.files > left.files {
                return;
            }
        }
    }

    /// Counts what was added.
    pub(super) fn charge(&self) -> Result<(), QuotaReached> {
        self.root.charge(self.added())
    }

    fn added(&self) -> Addition {
        let left = self.left();
        let most = Addition {
            bytes: self.before.bytes.saturating_add(left.bytes),
            files: self.before.files.saturating_add(left.files),
        };
        let now = measure(self.workspace, most);
        Addition {
            bytes: now.bytes.saturating_sub(self.before.bytes),
            files: now.files.saturating_sub(self.before.files),
        }
    }
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
    use super::*;

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
