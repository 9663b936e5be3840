//! How many calls are under way at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts what is under way. The limit is named at each entrance, because it
/// comes with the grant and may change while calls are under way.
#[derive(Debug, Default)]
pub(crate) struct Gate(AtomicU32);

/// Counts as one until it is dropped.
#[derive(Debug)]
#[must_use = "the gate counts the pass only while it is held"]
pub(crate) struct Pass(Arc<Gate>);

impl Gate {
    /// A pass, unless `limit` of them are out.
    pub(crate) fn enter(self: &Arc<Self>, limit: u32) -> Option<Pass> {
        let one_more = |count: u32| (count < limit).then_some(count + 1);
        let entered = self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more);
        entered.ok().map(|_| Pass(Arc::clone(self)))
    }

    /// Passes that are out.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_counted_and_come_back() {
        let gate = Arc::new(Gate::default());
        let first = gate.enter(2).expect("room");
        let _second = gate.enter(2).expect("room");
        assert!(gate.enter(2).is_none());
        assert!(gate.enter(1).is_none(), "a lower limit lets nobody in");
        drop(first);
        assert_eq!(gate.count(), 1);
        assert!(gate.enter(0).is_none());
        assert!(gate.enter(2).is_some());
    }
}
