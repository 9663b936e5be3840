//! Why an agent can't be changed.

use bailiwick_journal::JournalError;
use bailiwick_skills::near::hint;

use crate::definition::DefinitionError;

/// Why an agent can't be changed.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The definition says what it may not.
    #[error(transparent)]
    Invalid(DefinitionError),
    /// The agent is a file of the host.
    #[error("the agent `{name}` is a file on the host: change or remove that file, or choose another name")]
    IsFile {
        /// Which agent.
        name: String,
    },
    /// There is no such agent.
    #[error("there is no agent `{name}`{}", hint(near))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Names that are like it.
        near: Vec<String>,
    },
    /// As many records as there may be.
    #[error("{max} agents are kept, as many as may be: remove one first")]
    TooMany {
        /// How many may be kept.
        max: usize,
    },
    /// The system has no randomness for an id.
    #[error("the host has no randomness for an id")]
    Random(#[source] getrandom::Error),
    /// The journal does not do as asked.
    #[error("the agents can't be kept or read")]
    Journal(#[from] JournalError),
    /// The host goes down.
    #[error("the host is stopping")]
    Stopping,
}
