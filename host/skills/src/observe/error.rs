//! Why nothing can be observed.

use bailiwick_journal::JournalError;

use super::folders::CopyError;
use crate::execute::ExecuteError;
use crate::grants::GrantError;

/// Why nothing can be observed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// There is nothing to do, or too much.
    #[error("{found} calls to observe; expected 1 to {max}")]
    Calls {
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// A command would not work on copies.
    #[error("commands of the host can't be observed: what they do is not seen; leave out `shell`")]
    Commands,
    /// The same as for a call that is made.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The bounds can't stand in a grant.
    #[error(transparent)]
    Bounds(#[from] GrantError),
    /// A folder of the bounds can't be copied.
    #[error("{0}")]
    Folder(String),
    /// The audit chain can't be written.
    #[error("the host can't keep the record of the observation")]
    Journal(#[from] JournalError),
    /// The host's own failure.
    #[error("the host failed: {0}")]
    Host(String),
}

impl ObserveError {
    /// A stable name for the record of an observation that had begun.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Execute(error) => error.code(),
            Self::Calls { .. } | Self::Commands | Self::Bounds(_) | Self::Folder(_) => "invalid-observation",
            Self::Journal(_) | Self::Host(_) => "host-failure",
        }
    }
}

impl From<CopyError> for ObserveError {
    fn from(error: CopyError) -> Self {
        Self::Folder(error.to_string())
    }
}
