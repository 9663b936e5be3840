//! What ends a call that is allowed: its grant, once it no longer gives what the call has.

use std::time::{Duration, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::sandbox::InvokeError;
use tokio::sync::watch;

use super::{ExecuteError, Prepared};
use crate::grants::Grants;
use crate::policy::Now;
use crate::skill::Skill;

/// How long to sleep before the clock is read again. Somebody may set it forward meanwhile,
/// and no timer hears of that.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// Why a grant ends a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was taken back, or gives something else.
    Revoked,
    /// Its time is over, earlier than it was to be when the call began.
    Over,
}

impl Ended {
    /// Why `grants`, which no longer allow a call of `skill`, don't.
    pub(super) fn by(grants: &Grants, skill: &Skill, now: Now) -> Self {
        if is_over(grants, skill, now) { Self::Over } else { Self::Revoked }
    }
}

/// Whether the grant of `skill` has come to its end.
pub(super) fn is_over(grants: &Grants, skill: &Skill, now: Now) -> bool {
    let entry = grants.of(&skill.manifest.id, &skill.digest);
    entry.is_some_and(|entry| !entry.grant.holds_at(now.time))
}

impl Prepared<'_> {
    /// The error of a call that its grant has ended after `wall`. The end of a grant is one more
    /// deadline, whenever it was set.
    pub(super) fn ended(&self, ended: Ended, wall: Duration) -> ExecuteError {
        match ended {
            Ended::Revoked => ExecuteError::Revoked { receipt: Box::new(self.cut_off("revoked", wall)) },
            Ended::Over => {
                let error = InvokeError::Deadline { millis: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX) };
                let receipt = Box::new(self.cut_off(error.code(), wall));
                ExecuteError::Invoke { error, receipt, log: String::new() }
            }
        }
    }
}

/// Returns once grants have changed, at `end`, or some time before it: whoever waits looks again.
pub(super) async fn changed_or_over(changes: &mut watch::Receiver<u64>, end: Option<SystemTime>, clock: &dyn Clock) {
    let change = async {
        if changes.changed().await.is_err() {
            // Nobody is left who could change a grant.
            std::future::pending::<()>().await;
        }
    };
    let over = async {
        match end {
            Some(end) => {
                let left = end.duration_since(clock.now()).unwrap_or_default();
                tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = change => {}
        () = over => {}
    }
}
