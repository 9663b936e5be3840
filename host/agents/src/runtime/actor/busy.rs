//! How many open tasks each agent has.

use std::sync::Arc;

use super::super::Inner;

/// Counts an open task of an agent.
pub(super) struct Busy {
    inner: Arc<Inner>,
    agent: String,
}

impl Busy {
    pub(super) fn new(inner: &Arc<Inner>, agent: &str) -> Self {
        inner.bus.tally().opened(agent);
        Self { inner: Arc::clone(inner), agent: agent.to_owned() }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.inner.bus.tally().closed(&self.agent);
    }
}
