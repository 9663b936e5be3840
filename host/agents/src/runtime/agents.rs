//! What happens among the agents, passed on to the bus.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tokio::sync::broadcast::error::RecvError;

use super::Inner;
use crate::bus;
use crate::registry::AgentEvent;

impl Inner {
    /// Begins to tell the bus of agents, where nobody does yet.
    pub(super) fn tell_of_agents(self: &Arc<Self>) {
        self.telling.call_once(|| {
            let mut events = self.parts.agents.subscribe();
            // A runtime that is dropped must not be held by what only tells of it.
            let (inner, stopping) = (Arc::downgrade(self), self.stopping.clone());
            self.tracker.spawn(async move {
                loop {
                    let event = tokio::select! {
                        () = stopping.cancelled() => return,
                        event = events.recv() => event,
                    };
                    let event = match event {
                        Ok(event) => event,
                        // Who wants to know all agents asks for the list.
                        Err(RecvError::Lagged(_)) => continue,
                        Err(RecvError::Closed) => return,
                    };
                    let Some(inner) = inner.upgrade() else { return };
                    inner.tell_of_agent(&event);
                }
            });
        });
    }

    fn tell_of_agent(&self, event: &AgentEvent) {
        if !self.bus.is_heard() {
            return;
        }
        let since = self.parts.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let works = self.busy().contains_key(&event.name);
        for told in bus::told_of_agent(event, at, works) {
            self.bus.publish(told);
        }
    }
}
