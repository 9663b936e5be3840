//! One root of a call, and how much the call may still add below it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bailiwick_domain::authority::{Access, GuestPath};
use bailiwick_domain::quota::Quota;

use crate::workspace::Share;

/// A preopened folder.
#[derive(Debug)]
pub(crate) struct Root {
    pub(super) path: GuestPath,
    pub(super) access: Access,
    quota: Quota,
    /// What lies there since earlier calls. It counts for the quota, and is no use of this call.
    held: Addition,
    /// What it takes of what many may hold together. Most have a quota alone.
    share: Option<Arc<Share>>,
    bytes: AtomicU64,
    files: AtomicU64,
    read: AtomicBool,
    written: AtomicBool,
}

/// What is about to be added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addition {
    pub(crate) bytes: u64,
    pub(crate) files: u64,
}

/// There is no room for an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QuotaReached {
    /// In bytes.
    #[error("the quota of {0} bytes for one call is used up")]
    Bytes(u64),
    /// In files, folders and links.
    #[error("the quota of {0} new files for one call is used up")]
    Files(u64),
    /// In bytes, of which earlier calls have left some.
    #[error("the quota of {max} bytes is used up, with {held} that lay there before the call")]
    BytesHeld {
        /// The quota.
        max: u64,
        /// What lay there.
        held: u64,
    },
    /// In files, folders and links, of which earlier calls have left some.
    #[error("the quota of {max} files is used up, with {held} that lay there before the call")]
    FilesHeld {
        /// The quota.
        max: u64,
        /// What lay there.
        held: u64,
    },
    /// In bytes, of which all workspaces of runs hold as many as they may.
    #[error("the {0} bytes that the host has for the workspaces of all runs are used up")]
    Host(u64),
    /// In bytes, of which the workspaces of one run hold as many as they may.
    #[error("the {0} bytes that one run may have in its workspaces are used up")]
    Run(u64),
}

impl Root {
    pub(crate) fn new(path: &GuestPath, access: Access, quota: Quota) -> Self {
        Self {
            path: path.clone(),
            access,
            quota,
            held: Addition::default(),
            share: None,
            bytes: AtomicU64::new(0),
            files: AtomicU64::new(0),
            read: AtomicBool::new(false),
            written: AtomicBool::new(false),
        }
    }

    /// The same where `held` lies there already.
    pub(crate) fn holding(self, held: Addition) -> Self {
        Self { held, ..self }
    }

    /// The same where what is added counts for `share` too.
    pub(crate) fn within(self, share: Option<Arc<Share>>) -> Self {
        Self { share, ..self }
    }

    /// Whether this is the first time that the root is read, or written to. What a change takes
    /// away is known only when it is measured what lies there.
    pub(crate) fn is_first(&self, changes: bool) -> bool {
        if changes && let Some(share) = &self.share {
            share.doubt();
        }
        let seen = if changes { &self.written } else { &self.read };
        !seen.swap(true, Ordering::Relaxed)
    }

    pub(super) fn is_writable(&self) -> bool {
        self.access == Access::ReadWrite
    }

    /// Counts `addition`, all of it or nothing. Below a root that is only read
    /// nothing is counted, because nothing is added.
    pub(crate) fn charge(&self, addition: Addition) -> Result<(), QuotaReached> {
        if !self.is_writable() {
            return Ok(());
        }
        let Addition { bytes: max_bytes, files: max_files } = self.room();
        take(&self.bytes, addition.bytes, max_bytes).ok_or_else(|| self.no_bytes())?;
        if take(&self.files, addition.files, max_files).is_none() {
            give_back(&self.bytes, addition.bytes);
            return Err(self.no_files());
        }
        self.share.as_ref().map_or(Ok(()), |share| share.take(addition.bytes)).inspect_err(|_| {
            give_back(&self.bytes, addition.bytes);
            give_back(&self.files, addition.files);
        })
    }

    /// Leaves no room for this call. Nothing is added by that, so that others have theirs.
    pub(crate) fn exhaust(&self) {
        let Addition { bytes, files } = self.room();
        self.bytes.fetch_max(bytes, Ordering::Relaxed);
        self.files.fetch_max(files, Ordering::Relaxed);
    }

    /// Takes back what was charged and then not added.
    pub(crate) fn refund(&self, addition: Addition) {
        if self.is_writable() {
            give_back(&self.bytes, addition.bytes);
            give_back(&self.files, addition.files);
            if let Some(share) = &self.share {
                share.give_back(addition.bytes);
            }
        }
    }

    /// What may still be added.
    pub(crate) fn left(&self) -> Addition {
        let (room, (bytes, files)) = (self.room(), self.used());
        let shared = self.share.as_ref().map_or(u64::MAX, |share| share.left());
        Addition { bytes: room.bytes.saturating_sub(bytes).min(shared), files: room.files.saturating_sub(files) }
    }

    /// What one call may add to what lies there.
    const fn room(&self) -> Addition {
        let (Quota { max_bytes, max_files }, held) = (self.quota, self.held);
        Addition { bytes: max_bytes.saturating_sub(held.bytes), files: max_files.saturating_sub(held.files) }
    }

    const fn no_bytes(&self) -> QuotaReached {
        match (self.quota.max_bytes, self.held.bytes) {
            (max, 0) => QuotaReached::Bytes(max),
            (max, held) => QuotaReached::BytesHeld { max, held },
        }
    }

    const fn no_files(&self) -> QuotaReached {
        match (self.quota.max_files, self.held.files) {
            (max, 0) => QuotaReached::Files(max),
            (max, held) => QuotaReached::FilesHeld { max, held },
        }
    }

    /// Bytes and files that were added.
    pub(super) fn used(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.files.load(Ordering::Relaxed))
    }
}

fn take(used: &AtomicU64, amount: u64, max: u64) -> Option<u64> {
    let more = |used: u64| used.checked_add(amount).filter(|sum| *sum <= max);
    used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()
}

fn give_back(used: &AtomicU64, amount: u64) {
    let less = |used: u64| Some(used.saturating_sub(amount));
    let _ = used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(access: Access) -> Root {
        Root::new(&GuestPath::workspace(), access, Quota { max_bytes: 10, max_files: 1 })
    }

    #[test]
    fn an_addition_is_counted_whole_or_not_at_all() {
        let root = root(Access::ReadWrite);
        let add = |bytes, files| root.charge(Addition { bytes, files });
        assert_eq!(add(10, 0), Ok(()));
        assert_eq!(add(1, 0), Err(QuotaReached::Bytes(10)));
        root.refund(Addition { bytes: 4, files: 0 });
        assert_eq!(add(4, 1), Ok(()));
        root.refund(Addition { bytes: 4, files: 0 });
        assert_eq!(add(4, 1), Err(QuotaReached::Files(1)));
        assert_eq!(root.used(), (6, 1));
    }

    #[test]
    fn what_lies_there_takes_of_the_quota_and_is_no_use_of_the_call() {
        let root = root(Access::ReadWrite).holding(Addition { bytes: 7, files: 1 });
        assert_eq!((root.used(), root.left()), ((0, 0), Addition { bytes: 3, files: 0 }));
        let add = |bytes, files| root.charge(Addition { bytes, files });
        assert_eq!(add(4, 0), Err(QuotaReached::BytesHeld { max: 10, held: 7 }));
        assert_eq!(add(3, 1), Err(QuotaReached::FilesHeld { max: 1, held: 1 }));
        assert_eq!((add(3, 0), root.used()), (Ok(()), (3, 0)));
        // The grant became smaller meanwhile.
        let over = self::root(Access::ReadWrite).holding(Addition { bytes: 11, files: 0 });
        assert_eq!(over.charge(Addition { bytes: 1, files: 0 }), Err(QuotaReached::BytesHeld { max: 10, held: 11 }));
        assert_eq!(over.left(), Addition { bytes: 0, files: 1 });
    }

    #[test]
    fn nothing_is_counted_where_nothing_is_written() {
        let root = root(Access::Read);
        assert_eq!(root.charge(Addition { bytes: 100, files: 100 }), Ok(()));
        assert_eq!(root.used(), (0, 0));
    }
}
