//! Whose turn it is among calls that share a workspace.
//!
//! The sandbox lets one of them in at a time. Whoever waits for that takes no place meanwhile,
//! because others could use it. So the order is: first the turn, then a place. Nobody waits for
//! anybody in a circle by that: who has the turn gets a place or is refused, and waits for none;
//! who has a place has its turn already, or shares nothing, as what skills call does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::permit::{Permit, Terms};
use bailiwick_domain::run::RunId;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::workspace::WorkspaceKey;
use tokio::sync::{Mutex as Lock, OwnedMutexGuard, watch};
use tokio::time::{Instant, timeout_at};

use super::ended::{Ended, is_over};
use super::{Decision, ExecuteError, Executor, Prepared, Request};
use crate::policy::Now;

/// It is over when this is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

/// Those that somebody has or waits for.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Shared, Weak<Lock<()>>>>);

/// What tells one shared workspace from all others.
#[derive(PartialEq, Eq, Hash)]
struct Shared {
    run: RunId,
    task: u32,
    agent: String,
    skill: SkillId,
    digest: Digest,
}

impl Shared {
    fn of(key: &WorkspaceKey, terms: &Terms) -> Self {
        let WorkspaceKey { run, task, agent } = key.clone();
        Self { run, task, agent, skill: terms.skill.clone(), digest: terms.digest }
    }
}

impl Turns {
    /// Waits for the turn of a call that shares a workspace. Where the call's time is over
    /// before that it goes on without one, and the sandbox says so.
    pub(super) async fn wait(&self, permit: &Permit) -> Option<Turn> {
        let terms = permit.terms();
        let key = permit.workspace().filter(|_| terms.workspace.is_some())?;
        let turn = self.of(Shared::of(key, terms)).lock_owned();
        timeout_at(Instant::from_std(permit.deadline()), turn).await.ok()
    }

    fn of(&self, shared: Shared) -> Arc<Lock<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&shared).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Lock::new(()));
        turns.insert(shared, Arc::downgrade(&turn));
        turn
    }
}

impl Executor {
    /// The turn of a call that shares a workspace. Where the grant is gone before it comes, the
    /// call ends as one that runs does.
    pub(super) async fn turn(
        &self,
        call: &Request<'_>,
        decision: &Decision,
        changes: &watch::Receiver<u64>,
    ) -> Result<Option<Turn>, ExecuteError> {
        if decision.permit.workspace().is_none() {
            return Ok(None);
        }
        let (started_at, start) = (self.parts.clock.now(), self.parts.clock.instant());
        let ended = tokio::select! {
            // What is revoked doesn't begin, also where the turn comes by that.
            biased;
            ended = self.revoked(call, &decision.terms, decision.entry.grant.expires_at, None, changes.clone()) => ended,
            turn = self.turns.wait(&decision.permit) => {
                // The call before may have ended with the grant, a moment before this one hears of it.
                if !is_over(&self.parts.grants.current(), call.skill, Now::by(&*self.parts.clock)) {
                    return Ok(turn);
                }
                Ended::Over
            }
        };
        let measured = (call.arguments_digest, call.argument_bytes);
        let prepared = Prepared::new(call, measured, decision, None, started_at)?;
        let error = prepared.ended(ended, self.since(start));
        if let Some(receipt) = error.receipt() {
            self.parts.audit.call(receipt, &decision.basis, None).await?;
        }
        Err(error)
    }
}
