//! The runs of one class that wait.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Runs in their order, each with the time that its wait counts from. How many wait is
/// bounded by the queue's capacity, and by the runs that were admitted once.
#[derive(Debug)]
pub(super) struct Lane<T> {
    /// Runs that came back, by the time of their wait and the turn in which they came.
    returned: BTreeMap<(Duration, u64), T>,
    /// Runs that were never started.
    fresh: VecDeque<(Duration, T)>,
    turn: u64,
}

impl<T> Lane<T> {
    pub(super) fn new() -> Self {
        Self { returned: BTreeMap::new(), fresh: VecDeque::new(), turn: 0 }
    }

    /// O(1).
    pub(super) fn push(&mut self, id: T, now: Duration) {
        self.fresh.push_back((now, id));
    }

    /// O(log n).
    pub(super) fn requeue(&mut self, id: T, queued_at: Duration) {
        self.turn = self.turn.wrapping_add(1);
        self.returned.insert((queued_at, self.turn), id);
    }

    /// The first run, and when it was queued. O(log n) if it came back, else O(1).
    pub(super) fn pop(&mut self) -> Option<(Duration, T)> {
        let returned = self.returned.pop_first().map(|((queued_at, _), id)| (queued_at, id));
        returned.or_else(|| self.fresh.pop_front())
    }

    /// When the first run was queued.
    pub(super) fn head(&self) -> Option<Duration> {
        self.first_returned().or_else(|| self.first_fresh())
    }

    /// When the run was queued that has waited longest. Fresh runs stand in the order of
    /// time, but a run that came back may stand before an older one.
    pub(super) fn oldest(&self) -> Option<Duration> {
        [self.first_returned(), self.first_fresh()].into_iter().flatten().min()
    }

    pub(super) fn len(&self) -> usize {
        self.returned.len() + self.fresh.len()
    }

    fn first_returned(&self) -> Option<Duration> {
        self.returned.first_key_value().map(|((queued_at, _), _)| *queued_at)
    }

    fn first_fresh(&self) -> Option<Duration> {
        self.fresh.front().map(|(queued_at, _)| *queued_at)
    }
}

impl<T: PartialEq> Lane<T> {
    /// Whether the run waited. O(n).
    pub(super) fn remove(&mut self, id: &T) -> bool {
        if let Some(index) = self.fresh.iter().position(|(_, waiting)| waiting == id) {
            return self.fresh.remove(index).is_some();
        }
        let key = self.returned.iter().find(|(_, waiting)| *waiting == id).map(|(key, _)| *key);
        key.is_some_and(|key| self.returned.remove(&key).is_some())
    }
}
