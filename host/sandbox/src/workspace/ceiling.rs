//! What the workspaces of all runs hold together. Each has a quota of its own, but how many there
//! are is up to runs, and the disk of a host has an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::capabilities::fs::Addition;

/// Workspaces of runs that are kept at once: far more than runs at work have, and few enough to
/// be measured when the first of them is opened.
const MAX_WORKSPACES: usize = 4096;

/// Bytes in all of them: what 256 of them hold that are full to the quota of a grant that names none.
const MAX_BYTES: u64 = 16 << 30;

/// The most that there may be, and what there is.
#[derive(Debug)]
pub(super) struct Ceiling {
    max_workspaces: usize,
    max_bytes: u64,
    bytes: AtomicU64,
}

/// What one workspace takes of it, until it is gone.
#[derive(Debug)]
pub(crate) struct Share {
    ceiling: Arc<Ceiling>,
    bytes: AtomicU64,
    /// What lies there may be less than what was counted, or more.
    unsure: AtomicBool,
}

impl Default for Ceiling {
    fn default() -> Self {
        Self::new(MAX_WORKSPACES, MAX_BYTES)
    }
}

impl Ceiling {
    pub(super) const fn new(max_workspaces: usize, max_bytes: u64) -> Self {
        Self { max_workspaces, max_bytes, bytes: AtomicU64::new(0) }
    }

    /// Workspaces that may be there at once.
    pub(super) const fn max_workspaces(&self) -> usize {
        self.max_workspaces
    }

    /// The part of a workspace in which nothing lies.
    pub(super) fn share(self: &Arc<Self>) -> Arc<Share> {
        let ceiling = Arc::clone(self);
        Arc::new(Share { ceiling, bytes: AtomicU64::new(0), unsure: AtomicBool::new(false) })
    }
}

impl Share {
    /// Counts `bytes`, all of them, or where all workspaces would hold more than they may,
    /// none: then it says how much that is.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), u64> {
        if bytes == 0 {
            return Ok(());
        }
        let max = self.ceiling.max_bytes;
        let more = |all: u64| all.checked_add(bytes).filter(|sum| *sum <= max);
        self.ceiling.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).map_err(|_| max)?;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.doubt();
        Ok(())
    }

    /// Takes back what was counted and then not written.
    pub(crate) fn give_back(&self, bytes: u64) {
        let less = |own: u64| Some(own.saturating_sub(bytes));
        let own = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default();
        self.ceiling.bytes.fetch_sub(own.min(bytes), Ordering::Relaxed);
    }

    /// Bytes that may still be written, here or elsewhere.
    pub(crate) fn left(&self) -> u64 {
        self.ceiling.max_bytes.saturating_sub(self.ceiling.bytes.load(Ordering::Relaxed))
    }

    /// Takes note of what lies there, in place of what was counted. Where that can't be measured
    /// it is taken to be the `quota`: one workspace must not use up what all have.
    pub(super) fn found(&self, found: Addition, quota: u64) {
        let most = quota.min(self.ceiling.max_bytes);
        let bytes = match found {
            Addition { files: u64::MAX, bytes: u64::MAX } => most,
            Addition { files: u64::MAX, bytes } => bytes.max(most),
            Addition { bytes, .. } => bytes,
        };
        self.unsure.store(false, Ordering::Relaxed);
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        self.ceiling.bytes.fetch_add(bytes.saturating_sub(before), Ordering::Relaxed);
        self.ceiling.bytes.fetch_sub(before.saturating_sub(bytes), Ordering::Relaxed);
    }

    /// Has what lies there measured when the call has ended.
    pub(super) fn doubt(&self) {
        self.unsure.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_unsure(&self) -> bool {
        self.unsure.load(Ordering::Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.ceiling.bytes.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::TOO_MUCH;

    #[test]
    fn all_count_together_and_what_is_gone_no_more() {
        let ceiling = Arc::new(Ceiling::new(2, 100));
        let (one, other) = (ceiling.share(), ceiling.share());
        assert_eq!((one.take(60), other.take(41), other.left()), (Ok(()), Err(100), 40));
        assert_eq!((other.take(40), other.take(0), other.take(u64::MAX)), (Ok(()), Ok(()), Err(100)));
        other.give_back(30);
        other.give_back(30);
        assert_eq!(one.left(), 40, "nobody gives back what another took");
        one.found(Addition { bytes: 10, files: 1 }, 60);
        assert_eq!((one.left(), one.is_unsure()), (90, false));
        drop(one);
        assert_eq!(other.left(), 100);
    }

    #[test]
    fn what_cannot_be_measured_counts_as_its_quota() {
        let ceiling = Arc::new(Ceiling::new(2, 100));
        let (one, other) = (ceiling.share(), ceiling.share());
        one.found(TOO_MUCH, 60);
        assert_eq!(other.left(), 40);
        one.found(Addition { bytes: 70, files: u64::MAX }, 60);
        assert_eq!(other.left(), 30);
        one.found(TOO_MUCH, u64::MAX);
        assert_eq!(other.left(), 0);
        drop(one);
        assert_eq!(other.left(), 100);
    }
}
