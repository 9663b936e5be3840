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
        *inner.busy().entry(agent.to_owned()).or_default() += 1;
        Self { inner: Arc::clone(inner), agent: agent.to_owned() }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut busy = self.inner.busy();
        if let Some(count) = busy.get_mut(&self.agent) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                busy.remove(&self.agent);
            }
        }
    }
}
