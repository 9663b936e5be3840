//! What happens among agents and runs, told to whoever listens while it happens.
//!
//! What happens to runs is told here once it is durable. Nothing is kept here: who comes
//! later, or listens too slowly, reads the log of the run.

mod project;
#[cfg(test)]
mod tests;
mod topics;

use std::sync::Arc;

use bailiwick_domain::run::RunId;
use serde_json::Value;
use tokio::sync::broadcast;

pub(crate) use self::project::{told, told_of_agent};
pub use self::topics::{InvalidTopic, MAX_PATTERN_BYTES, MAX_PATTERNS, Topics};

/// What a listener may be behind: a few seconds of a busy host, and some MiB at the most,
/// because what is told is short. Who is behind further misses some, and is told so.
const MAX_BEHIND: usize = 1024;

/// Tells everybody who listens.
#[derive(Debug)]
pub struct Bus {
    listeners: broadcast::Sender<Arc<Told>>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Where it belongs: `agent.scout.task`, `agent.scout.status`, `workflow.ID.events`,
    /// `broadcast.clients`.
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
        Self { listeners: broadcast::Sender::new(MAX_BEHIND) }
    }
}

impl Bus {
    /// Tells everybody who listens now. Nobody has to, and nobody is waited for.
    pub fn publish(&self, told: Told) {
        drop(self.listeners.send(Arc::new(told)));
    }

    /// All that is told from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Told>> {
        self.listeners.subscribe()
    }

    /// Whether anybody listens, so that nobody makes words for no one.
    pub(crate) fn is_heard(&self) -> bool {
        self.listeners.receiver_count() > 0
    }
}
