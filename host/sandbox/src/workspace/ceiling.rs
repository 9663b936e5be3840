//! What the workspaces of all runs hold together. Each has a quota of its own, but how many there
//! are is up to runs, and the disk of a host has an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::capabilities::fs::{Addition, QuotaReached};

/// Workspaces of runs that are kept at once: far more than runs at work have, and few enough to
/// be measured when the first of them is opened.
const MAX_WORKSPACES: usize = 4096;

/// Bytes in all of them: what 256 of them hold that are full to the quota of a grant that names none.
const MAX_BYTES: u64 = 16 << 30;

/// A run has at most one of so many parts: what is there for all must not be one's.
const PARTS: u8 = 4;

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
    /// What it takes with the others of its run.
    of_run: Arc<AtomicU64>,
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

    /// Those of one run.
    pub(super) fn max_of_run(&self) -> usize {
        self.max_workspaces.div_ceil(usize::from(PARTS))
    }

    /// Bytes in those of one run.
    fn max_bytes_of_run(&self) -> u64 {
        self.max_bytes.div_ceil(u64::from(PARTS))
    }

    /// The share of a workspace in which nothing lies, and whose run has an `other`, if so.
    pub(super) fn share(self: &Arc<Self>, other: Option<&Share>) -> Arc<Share> {
        let of_run = other.map_or_else(Arc::default, |other| Arc::clone(&other.of_run));
        let (ceiling, unsure) = (Arc::clone(self), AtomicBool::new(false));
        Arc::new(Share { ceiling, of_run, bytes: AtomicU64::new(0), unsure })
    }
}

impl Share {
    /// Counts `bytes`, all of them, or where the workspaces of the run or all of them would hold
    /// more than they may, none.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), QuotaReached> {
        if bytes == 0 {
            return Ok(());
        }
        let (max_of_run, max) = (self.ceiling.max_bytes_of_run(), self.ceiling.max_bytes);
        add(&self.of_run, bytes, max_of_run).ok_or(QuotaReached::Run(max_of_run))?;
        if add(&self.ceiling.bytes, bytes, max).is_none() {
            self.of_run.fetch_sub(bytes, Ordering::Relaxed);
            return Err(QuotaReached::Host(max));
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.doubt();
        Ok(())
    }

    /// Takes back what was counted and then not written.
    pub(crate) fn give_back(&self, bytes: u64) {
        let less = |own: u64| Some(own.saturating_sub(bytes));
        let own = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default();
        self.less(own.min(bytes));
    }

    /// Bytes that may still be written, here or elsewhere.
    pub(crate) fn left(&self) -> u64 {
        let left = |max: u64, taken: &AtomicU64| max.saturating_sub(taken.load(Ordering::Relaxed));
        let of_run = left(self.ceiling.max_bytes_of_run(), &self.of_run);
        of_run.min(left(self.ceiling.max_bytes, &self.ceiling.bytes))
    }

    /// Takes note of what lies there, in place of what was counted. Where that can't be measured
    /// it is taken to be the `quota`, or what one run has: one must not use up what all have.
    pub(super) fn found(&self, found: Addition, quota: u64) {
        let most = quota.min(self.ceiling.max_bytes_of_run());
        let bytes = match found {
            Addition { files: u64::MAX, bytes: u64::MAX } => most,
            Addition { files: u64::MAX, bytes } => bytes.max(most),
            Addition { bytes, .. } => bytes,
        };
        self.unsure.store(false, Ordering::Relaxed);
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        self.more(bytes.saturating_sub(before));
        self.less(before.saturating_sub(bytes));
    }

    /// Has what lies there measured when the call has ended.
    pub(crate) fn doubt(&self) {
        self.unsure.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_unsure(&self) -> bool {
        self.unsure.load(Ordering::Relaxed)
    }

    /// Counts what is there, be it more than there may be.
    fn more(&self, bytes: u64) {
        self.of_run.fetch_add(bytes, Ordering::Relaxed);
        self.ceiling.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn less(&self, bytes: u64) {
        self.of_run.fetch_sub(bytes, Ordering::Relaxed);
        self.ceiling.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        self.less(bytes);
    }
}

/// Counts `amount` where that makes no more than `max`.
fn add(taken: &AtomicU64, amount: u64, max: u64) -> Option<u64> {
    let more = |taken: u64| taken.checked_add(amount).filter(|sum| *sum <= max);
    taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::TOO_MUCH;

    #[test]
    fn all_count_together_and_what_is_gone_no_more() {
        let ceiling = Arc::new(Ceiling::new(8, 400));
        let full = [(); 3].map(|()| ceiling.share(None));
        assert!(full.iter().all(|share| share.take(100).is_ok()), "a quarter each");
        let (one, other) = (ceiling.share(None), ceiling.share(None));
        assert_eq!((one.take(60), other.take(41), other.left()), (Ok(()), Err(QuotaReached::Host(400)), 40));
        assert_eq!((other.take(40), other.take(0)), (Ok(()), Ok(())));
        assert_eq!(other.take(u64::MAX), Err(QuotaReached::Run(100)));
        other.give_back(30);
        other.give_back(30);
        assert_eq!(one.left(), 40, "nobody gives back what another took");
        one.found(Addition { bytes: 10, files: 1 }, 60);
        assert_eq!((one.left(), one.is_unsure()), (90, false));
        drop(one);
        assert_eq!(other.left(), 100);
        drop(full);
        assert_eq!(ceiling.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn one_run_takes_no_more_than_a_quarter() {
        let ceiling = Arc::new(Ceiling::new(8, 400));
        assert_eq!(ceiling.max_of_run(), 2);
        let one = ceiling.share(None);
        let (same, other) = (ceiling.share(Some(&one)), ceiling.share(None));
        assert_eq!((one.take(60), same.take(41), same.left()), (Ok(()), Err(QuotaReached::Run(100)), 40));
        assert_eq!((same.take(40), other.take(100)), (Ok(()), Ok(())), "what was refused took nothing");
        assert_eq!((one.left(), other.left()), (0, 0));
        drop(one);
        assert_eq!(same.left(), 60);
        // By commands a run can pass it, and then has nothing left.
        same.found(Addition { bytes: 200, files: 1 }, 60);
        assert_eq!((same.left(), same.take(1)), (0, Err(QuotaReached::Run(100))));
        assert_eq!(ceiling.bytes.load(Ordering::Relaxed), 300);
        drop((same, other));
        assert_eq!(ceiling.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_is_refused_by_all_together_is_none_of_the_run() {
        let ceiling = Arc::new(Ceiling::new(8, 400));
        let full = [95, 100, 100, 100].map(|bytes| (ceiling.share(None), bytes));
        assert!(full.iter().all(|(share, bytes)| share.take(*bytes).is_ok()));
        let late = ceiling.share(None);
        assert_eq!((late.take(6), late.take(5)), (Err(QuotaReached::Host(400)), Ok(())));
        drop(full);
        assert_eq!((late.left(), late.take(95)), (95, Ok(())));
    }

    #[test]
    fn what_cannot_be_measured_counts_as_its_quota() {
        let ceiling = Arc::new(Ceiling::new(8, 400));
        let share = ceiling.share(None);
        let all = || ceiling.bytes.load(Ordering::Relaxed);
        share.found(TOO_MUCH, 60);
        assert_eq!(all(), 60);
        share.found(Addition { bytes: 70, files: u64::MAX }, 60);
        assert_eq!(all(), 70);
        share.found(TOO_MUCH, u64::MAX);
        assert_eq!(all(), 100, "what one run has");
        drop(share);
        assert_eq!(all(), 0);
    }
}
