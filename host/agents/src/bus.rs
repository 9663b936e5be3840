//! What happens among agents and runs, told to whoever listens while it happens.
//!
//! What happens to runs is told here once it is durable. Nothing that is told is kept: who
//! comes later, or listens too slowly, reads the log of the run. What is counted on the way
//! is the tally's.

mod metrics;
mod project;
mod tally;
#[cfg(test)]
mod tests;
mod topics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bailiwick_domain::run::RunId;
use serde_json::Value;
use tokio::sync::broadcast;

pub(crate) use self::metrics::metrics;
use self::project::STATUS_CHANGED;
pub(crate) use self::project::{spawned, told, told_of_agent};
pub(crate) use self::tally::Tally;
pub use self::topics::{InvalidTopic, MAX_PATTERN_BYTES, MAX_PATTERNS, Topics};

/// What a listener may be behind: a few seconds of a busy host, and some MiB at the most,
/// because what is told is short. Who is behind further misses some, and is told so.
const MAX_BEHIND: usize = 1024;

/// Tells everybody who listens.
#[derive(Debug)]
pub struct Bus {
    listeners: broadcast::Sender<Arc<Told>>,
    /// How often somebody began to listen where nobody did: who listens now was told
    /// nothing before.
    audiences: AtomicU64,
    tally: Tally,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where it belongs: `agent.scout.task`, `agent.scout.status`, `workflow.ID.events`,
    /// `broadcast.clients`, `metrics`.
    pub topic: String,
    /// What happened: `task.completed`.
    pub name: &'static str,
    /// Milliseconds since 1970.
    pub at: u64,
    /// To which run, where it is one.
    pub run: Option<RunId>,
    /// More of it, by its name; an object.
    pub data: Value,
}

impl Default for Bus {
    fn default() -> Self {
        let listeners = broadcast::Sender::new(MAX_BEHIND);
        Self { listeners, audiences: AtomicU64::default(), tally: Tally::default() }
    }
}

impl Bus {
    /// Tells everybody who listens now. Nobody has to, and nobody is waited for.
    pub fn publish(&self, told: Told) {
        match told.data.get("agent").and_then(Value::as_str) {
            // Several runs may have the agent, and what it is at follows from all of them.
            Some(agent) if told.name == STATUS_CHANGED => self.stands(agent, told.at, told.run.as_ref()),
            _ => self.send(told),
        }
    }

    /// All that is told from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Told>> {
        if !self.is_heard() {
            self.audiences.fetch_add(1, Ordering::Relaxed);
        }
        self.listeners.subscribe()
    }

    /// Tells what an agent is at, where that is other than was told before. `run` is the one
    /// that changed it, where one did.
    pub(crate) fn stands(&self, agent: &str, at: u64, run: Option<&RunId>) {
        let audience = self.audiences.load(Ordering::Relaxed);
        self.tally.tell(agent, audience, |state| self.send(project::status(agent, state, at, run.cloned())));
    }

    /// What is counted since the host started.
    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> usize {
        self.listeners.receiver_count()
    }

    /// Whether anybody listens, so that nobody makes words for no one.
    pub(crate) fn is_heard(&self) -> bool {
        self.listeners() > 0
    }

    fn send(&self, told: Told) {
        drop(self.listeners.send(Arc::new(told)));
    }
}
