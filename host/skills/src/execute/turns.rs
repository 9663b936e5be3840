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
use tokio::sync::{Mutex as Lock, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

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
