//! Why an approval can't be asked for, given or used.

use bailiwick_journal::JournalError;

use super::State;

/// Why an approval can't be asked for, given or used.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// There is no such question.
    #[error("no approval has the id `{id}`")]
    Unknown {
        /// The id.
        id: String,
    },
    /// The question is not open, or the approval can't be used any more.
    #[error("the approval `{id}` is {state}")]
    Settled {
        /// The id.
        id: String,
        /// How it stands.
        state: State,
    },
    /// Other arguments for what is no call.
    #[error("the approval `{id}` is a question of a running skill, which has no arguments to edit: approve or deny it")]
    NothingToEdit {
        /// The id.
        id: String,
    },
    /// As many questions wait as may.
    #[error("{limit} calls wait for approval, as many as may at once: somebody has to answer first")]
    TooMany {
        /// How many may wait.
        limit: usize,
    },
    /// The document is not one that this release knows.
    #[error("the approval `{id}` in the journal can't be read: {problem}")]
    Unreadable {
        /// The id.
        id: String,
        /// What is wrong.
        problem: String,
    },
    /// The journal does not do as asked.
    #[error("the approvals can't be kept or read")]
    Journal(#[source] JournalError),
    /// The system has no randomness for an id.
    #[error("the host has no randomness for an id")]
    Random(#[source] getrandom::Error),
}
