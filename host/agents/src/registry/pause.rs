//! Agents that a person paused: documents of the journal, so that no restart lets them go on.
//!
//! They stand beside the agents, because those that are files have no record, and by their
//! names: a file that is written anew is the same agent.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_journal::{Journal, JournalError, Shelf, Undone};
use serde::{Deserialize, Serialize};

use super::error::AgentError;
use super::event::AgentEventKind;
use super::{Agent, Agents, millis, record};
use crate::definition::DefinitionError;

/// Who paused an agent, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// On whose behalf.
    pub by: String,
    /// Milliseconds since 1970.
    pub at: u64,
}

/// The names of those that are paused.
pub(super) type Pauses = BTreeMap<String, Pause>;

impl Agents {
    /// Keeps new runs from an agent, on behalf of `by`, and answers it as it then is. That is
    /// durable when this answers, and the audit chain tells of it. One that is paused
    /// already stays so, by whoever paused it.
    ///
    /// # Errors
    ///
    /// When there is no such agent, or when the journal can't keep it.
    pub async fn pause(self: &Arc<Self>, name: &str, by: &str) -> Result<Arc<Agent>, AgentError> {
        let (agents, name, by) = (Arc::clone(self), name.to_owned(), by.to_owned());
        let pause = tokio::spawn(async move { agents.pause_now(&name, true, &by).await });
        pause.await.unwrap_or(Err(AgentError::Stopping))
    }

    /// Lets new runs have an agent that was paused, on behalf of `by`, and answers it as it
    /// then is. That is durable when this answers, and the audit chain tells of it. One
    /// that is not paused stays as it is.
    ///
    /// # Errors
    ///
    /// When there is no such agent, or when the journal can't keep it.
    pub async fn resume(self: &Arc<Self>, name: &str, by: &str) -> Result<Arc<Agent>, AgentError> {
        let (agents, name, by) = (Arc::clone(self), name.to_owned(), by.to_owned());
        let resume = tokio::spawn(async move { agents.pause_now(&name, false, &by).await });
        resume.await.unwrap_or(Err(AgentError::Stopping))
    }

    /// Pauses an agent, or has it go on.
    async fn pause_now(&self, name: &str, paused: bool, by: &str) -> Result<Arc<Agent>, AgentError> {
        let _writing = self.writing.lock().await;
        let Some(agent) = self.get(name) else {
            return Err(AgentError::Unknown { name: name.to_owned(), near: self.near(name) });
        };
        if agent.paused.is_some() == paused {
            return Ok(agent);
        }
        let now = self.clock.now();
        let pause = paused.then(|| Pause { by: by.to_owned(), at: millis(now) });
        let kind = if paused { AgentEventKind::Paused } else { AgentEventKind::Resumed };
        let told = record::told(now, kind, by, &agent);
        let document = pause.as_ref().map(write).transpose()?;
        let key = name.to_owned();
        let kept = self.journal.update(move |batch| {
            match document {
                Some(document) => batch.put(Shelf::Pauses, key, document),
                None => batch.remove(Shelf::Pauses, key),
            }
            batch.append(told);
            Ok::<_, Undone>(Ok::<(), std::convert::Infallible>(()))
        });
        match kept.await? {
            Ok(()) => {}
            Err(never) => match never {},
        }
        let mut known = self.known();
        match pause {
            Some(pause) => drop(known.pauses.insert(name.to_owned(), pause)),
            None => drop(known.pauses.remove(name)),
        }
        self.publish(&known, Some(by));
        drop(known);
        // A file may be gone meanwhile.
        Ok(self.get(name).unwrap_or(agent))
    }
}

/// What the journal has. An agent whose document can't be read stays paused, because
/// somebody paused it.
pub(super) fn read(journal: &Journal) -> Result<Pauses, JournalError> {
    let read = |(name, document): (String, Vec<u8>)| {
        let pause = serde_json::from_slice(&document).unwrap_or_else(|error| {
            tracing::warn!(agent = name, %error, "who paused an agent can't be read; it stays paused");
            Pause { by: "unknown".to_owned(), at: 0 }
        });
        (name, pause)
    };
    Ok(journal.documents(Shelf::Pauses)?.into_iter().map(read).collect())
}

/// The document of a pause.
fn write(pause: &Pause) -> Result<Vec<u8>, AgentError> {
    serde_json::to_vec(pause).map_err(|error| AgentError::Invalid(DefinitionError::Record(error.to_string())))
}

/// Marks those of `agents` that are paused.
pub(super) fn mark(agents: &mut BTreeMap<String, Arc<Agent>>, pauses: &Pauses) {
    for (name, pause) in pauses {
        if let Some(agent) = agents.get_mut(name) {
            *agent = Arc::new(Agent { paused: Some(pause.clone()), ..Agent::clone(agent) });
        }
    }
}
