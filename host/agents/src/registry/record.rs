//! Agents that are records: their documents in the journal, and what the audit chain
//! says of a change.

use std::time::SystemTime;

use bailiwick_domain::digest::{Digest, hex};
use bailiwick_skills::audit::moment;
use bailiwick_skills::random;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::AgentError;
use super::event::AgentEventKind;
use super::{Agent, Source, files};
use crate::definition::{AgentDefinition, DefinitionError};

/// A record as the journal has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: String,
    /// Milliseconds since 1970.
    created_at: u64,
    /// Milliseconds since 1970.
    updated_at: u64,
    definition: Value,
}

/// What the audit chain says.
#[derive(Serialize)]
struct Told<'a> {
    at: String,
    kind: &'static str,
    change: &'static str,
    principal: &'a str,
    name: &'a str,
    /// sha256 of the definition as JSON; of one that is gone, of the last. Nothing where
    /// that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
}

/// A new agent.
pub(super) fn created(definition: AgentDefinition, now: u64) -> Result<Agent, AgentError> {
    let id = hex(&random::bytes::<16>().map_err(AgentError::Random)?);
    let name = definition.name.clone();
    let (definition, source) = (Ok(definition), Source::Record);
    Ok(Agent { id, name, definition, source, created_at: now, updated_at: now, paused: None })
}

/// An agent that is another from now on.
pub(super) fn replaced(old: &Agent, definition: AgentDefinition, now: u64) -> Agent {
    Agent { definition: Ok(definition), updated_at: now, ..old.clone() }
}

/// The document of an agent that can be used.
pub(super) fn write(agent: &Agent) -> Result<Vec<u8>, AgentError> {
    let definition = agent.definition.as_ref().map_err(|error| AgentError::Invalid(error.clone()))?.to_json();
    let (id, created_at, updated_at) = (agent.id.clone(), agent.created_at, agent.updated_at);
    let document = Document { id, created_at, updated_at, definition };
    serde_json::to_vec(&document).map_err(|error| AgentError::Invalid(DefinitionError::Record(error.to_string())))
}

/// The agent of a document. One that can't be read is a broken agent, so that it can be
/// seen and replaced.
pub(super) fn read(name: String, document: &[u8]) -> Agent {
    let unread = |error: serde_json::Error| DefinitionError::Record(error.to_string());
    let (id, created_at, updated_at, definition) = match serde_json::from_slice::<Document>(document) {
        Err(error) => (files::id(&name), 0, 0, Err(unread(error))),
        Ok(Document { id, created_at, updated_at, definition }) => {
            (id, created_at, updated_at, AgentDefinition::from_json(&definition))
        }
    };
    let definition = match definition {
        Ok(other) if other.name != name => {
            let problem = format!("it is kept under the name `{name}` and has the name `{}`", other.name);
            Err(DefinitionError::Record(problem))
        }
        definition => definition,
    };
    Agent { id, name, definition, source: Source::Record, created_at, updated_at, paused: None }
}

/// The audit record of a change, with its members in a fixed order.
pub(super) fn told(at: SystemTime, kind: AgentEventKind, by: &str, agent: &Agent) -> String {
    let told = Told {
        at: moment(at),
        kind: "agent",
        change: kind.name(),
        principal: by,
        name: &agent.name,
        digest: agent.usable().map(AgentDefinition::digest),
    };
    // Nothing here has keys that are not text, so writing can't fail.
    serde_json::to_string(&told).unwrap_or_else(|error| format!("{{\"kind\":\"unwritable\",\"error\":\"{error}\"}}"))
}
