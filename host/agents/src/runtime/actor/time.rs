//! What is left of a run's own time.

use std::time::Duration;

use bailiwick_domain::run::Status;
use tokio::time::Instant;

/// The run's own time.
#[derive(Clone, Copy)]
pub(super) enum TimeLeft {
    /// It has not begun.
    All,
    /// It ends then.
    Until(Instant),
    /// It stands still, because a person stopped the run or has to say how it goes on.
    Held(Duration),
}

impl TimeLeft {
    /// What is left, as a run in `status` has it.
    pub(super) fn of(status: Status, left: Duration) -> Self {
        match status {
            Status::Paused | Status::Interrupted => Self::Held(left),
            _ => Self::Until(Instant::now() + left),
        }
    }

    pub(super) fn left(self) -> Option<Duration> {
        match self {
            Self::All => None,
            Self::Until(end) => Some(end.saturating_duration_since(Instant::now())),
            Self::Held(left) => Some(left),
        }
    }
}
