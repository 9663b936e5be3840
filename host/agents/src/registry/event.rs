//! What changed among the agents.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Agent;

/// One agent that is new, other than before, paused, or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentEvent {
    /// What happened.
    pub kind: AgentEventKind,
    /// To whom.
    pub name: String,
    /// The agent as it now is; one that is gone, as it was.
    pub agent: Arc<Agent>,
    /// On whose behalf, where it was not a file that changed.
    pub by: Option<String>,
}

/// What happened to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentEventKind {
    /// It is new.
    Registered,
    /// Its definition is other than before, or comes from elsewhere.
    Changed,
    /// A person paused it.
    Paused,
    /// A person let it go on.
    Resumed,
    /// It is gone.
    Removed,
}

impl AgentEventKind {
    /// As it stands in records and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Changed => "changed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
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

/// What changed from `old` to `new`, on behalf of `by`: first what is there, by name, then
/// what is gone.
pub(super) fn between(
    old: &BTreeMap<String, Arc<Agent>>,
    new: &BTreeMap<String, Arc<Agent>>,
    by: Option<&str>,
) -> Vec<AgentEvent> {
    let event = |kind, agent: &Arc<Agent>| AgentEvent {
        kind,
        name: agent.name.clone(),
        agent: Arc::clone(agent),
        by: by.map(str::to_owned),
    };
    let mut events = Vec::new();
    for (name, agent) in new {
        let Some(before) = old.get(name) else {
            events.push(event(AgentEventKind::Registered, agent));
            continue;
        };
        if !is_defined_alike(before, agent) {
            events.push(event(AgentEventKind::Changed, agent));
        }
        if before.paused != agent.paused {
            let kind = if agent.paused.is_some() { AgentEventKind::Paused } else { AgentEventKind::Resumed };
            events.push(event(kind, agent));
        }
    }
    let gone = old.iter().filter(|(name, _)| !new.contains_key(*name));
    events.extend(gone.map(|(_, agent)| event(AgentEventKind::Removed, agent)));
    events
}

/// Whether both are one agent but for whether a person paused it.
fn is_defined_alike(one: &Arc<Agent>, other: &Arc<Agent>) -> bool {
    // Whoever adds a member has to say here whether it counts.
    let Agent { id, name, definition, source, created_at, updated_at, paused: _ } = &**one;
    Arc::ptr_eq(one, other)
        || (id, name, definition, source, created_at, updated_at)
            == (&other.id, &other.name, &other.definition, &other.source, &other.created_at, &other.updated_at)
}
