//! Why there is no run, or why it doesn't do what it is told.

use std::time::Duration;

use bailiwick_domain::run::{EventKind, IllegalEvent, InvalidSpec, RunId, Status};
use bailiwick_journal::JournalError;

use crate::registry::PinError;
use crate::scheduler::queue::RunQueueFull;
use crate::skills::DriverError;

/// Why no run was taken up.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The host runs no agents.
    #[error("this host runs no agents: `agents.enabled` is false")]
    Disabled,
    /// An agent that there isn't, or that can't be used.
    #[error(transparent)]
    Agent(#[from] PinError),
    /// The strategy makes no sense.
    #[error(transparent)]
    Spec(#[from] InvalidSpec),
    /// The skill can't drive a run.
    #[error(transparent)]
    Workflow(#[from] DriverError),
    /// The input is not what a workflow works on.
    #[error("the input of a workflow must be a JSON object: {0}")]
    WorkflowInput(String),
    /// The budget is none that a run can have.
    #[error("the budget of {what} can't be: {problem}")]
    Budget {
        /// Which part.
        what: &'static str,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// What is asked for is too long, or nothing.
    #[error("the input has {size} bytes, expected 1 to {max}")]
    Input {
        /// Bytes.
        size: usize,
        /// At the most.
        max: usize,
    },
    /// As many runs wait as may.
    #[error("{0}. Retry when queue pressure drops.")]
    QueueFull(#[from] RunQueueFull),
    /// The idempotency key belongs to another request.
    #[error("this idempotency key was used with another request: use a new key for a new run")]
    KeyMismatch,
    /// The run can't be kept.
    #[error("the host can't keep the run")]
    Journal(#[from] JournalError),
    /// The run can't be written down.
    #[error("the run can't be written down: {0}")]
    Unwritable(String),
    /// The system has no randomness.
    #[error("the host has no randomness for the run's name")]
    Random(#[from] getrandom::Error),
    /// The host goes down.
    #[error("the host is stopping")]
    Stopping,
}

impl SubmitError {
    /// When to try again, where that may help.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::QueueFull(full) => Some(full.retry_after),
            _ => None,
        }
    }
}

/// Why a run doesn't do what it is told, or can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no such run.
    #[error("no run has the id `{0}`")]
    Unknown(RunId),
    /// It stands where that can't happen.
    #[error("`{event}` can't happen to a run that is {status}")]
    Illegal {
        /// What was to happen.
        event: EventKind,
        /// Where it stands.
        status: Status,
    },
    /// It has nothing that this could happen to.
    #[error(transparent)]
    Unfit(IllegalEvent),
    /// Its record is not as it was written.
    #[error("the record of the run is damaged from event {at} on; nothing of it runs until a person has looked at it")]
    Damaged {
        /// The first event that can't be believed.
        at: u64,
    },
    /// It can't be read or kept.
    #[error("the host can't read or keep the run")]
    Journal(#[source] JournalError),
    /// The host goes down.
    #[error("the host is stopping")]
    Stopping,
}

impl From<JournalError> for ControlError {
    fn from(error: JournalError) -> Self {
        match &error {
            JournalError::NoRun(id) => id.parse().map_or(Self::Journal(error), Self::Unknown),
            _ => Self::Journal(error),
        }
    }
}
