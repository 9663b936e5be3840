//! What changed among the agents.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Agent;

/// One agent that is new, other than before, or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentEvent {
    /// What happened.
    pub kind: AgentEventKind,
    /// To whom.
    pub name: String,
    /// The agent as it now is; one that is gone, as it was.
    pub agent: Arc<Agent>,
}

/// What happened to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentEventKind {
    /// It is new.
    Registered,
    /// It is other than before.
    Changed,
    /// It is gone.
    Removed,
}

impl AgentEventKind {
    /// As it stands in records and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

impl AgentEvent {
    /// Tells those who run the host.
    pub(super) fn log(&self) {
        match &self.agent.definition {
            Err(error) if self.kind != AgentEventKind::Removed => {
                tracing::warn!(agent = self.name, "broken agent: {error}");
            }
            _ => tracing::info!(agent = self.name, change = self.kind.name(), "the agents changed"),
        }
    }
}

/// What changed from `old` to `new`: first what is there, by name, then what is gone.
pub(super) fn between(old: &BTreeMap<String, Arc<Agent>>, new: &BTreeMap<String, Arc<Agent>>) -> Vec<AgentEvent> {
    let event =
        |kind, (name, agent): (&String, &Arc<Agent>)| AgentEvent { kind, name: name.clone(), agent: Arc::clone(agent) };
    let there = new.iter().filter_map(|(name, agent)| match old.get(name) {
        None => Some(event(AgentEventKind::Registered, (name, agent))),
        Some(before) if before != agent => Some(event(AgentEventKind::Changed, (name, agent))),
        Some(_) => None,
    });
    let gone = old.iter().filter(|(name, _)| !new.contains_key(*name));
    there.chain(gone.map(|gone| event(AgentEventKind::Removed, gone))).collect()
}
