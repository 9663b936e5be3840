//! Skills of which those that broke too often are left alone for a while.
//!
//! Each has a circuit of its own. What opens it are calls in which the component broke or
//! the host did: not a tool's own failure, not what policy, a person or a limit said, and
//! not what could not begin. While it is open, models are told so at once instead of
//! waiting for what will break again.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bailiwick_domain::breaker::{Breaker, CircuitState, Ended, FAILURES, OPEN_FOR, Pass};
use bailiwick_domain::clock::Clock;
use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::run::{PinnedSkill, RunId, Spend};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::Report;
use bailiwick_domain::skill_id::{SkillId, SkillSelector};
use bailiwick_skills::catalog::ResolveError;

use super::{CallOutcome, Called, Driver, DriverError, Serve, Skills, Verdict};

/// The code of a call that was not made, because its skill broke too often lately.
const CIRCUIT_OPEN: &str = "CIRCUIT_OPEN";

/// The code of a call that was ended at its deadline.
const TIMEOUT: &str = "TIMEOUT";

/// Codes by which the component broke, or the host did.
const BROKEN: [&str; 5] = ["guest-trapped", "guest-exited", "invalid-output", "tools-not-listed", "host-failure"];

/// Calls skills, but for those that broke too often lately.
pub struct Guarded {
    skills: Arc<dyn Skills>,
    circuits: Arc<Circuits>,
}

/// The circuits of skills that broke and did not answer since; every other one is closed.
/// So there are no more than there are skills.
struct Circuits {
    breakers: Mutex<HashMap<SkillId, Breaker>>,
    clock: Arc<dyn Clock>,
}

/// A call that was let through. Dropped without an end, it says nothing of its skill, so
/// that no trial keeps a circuit half open for ever.
#[must_use = "a call that is dropped says nothing"]
struct Passing {
    circuits: Arc<Circuits>,
    skill: SkillId,
    pass: Option<Pass>,
    began: Instant,
    /// The time that whoever calls has for it.
    deadline: Option<Duration>,
}

impl Guarded {
    /// Those of `skills` that `clock` says are not left alone.
    pub fn new(skills: Arc<dyn Skills>, clock: Arc<dyn Clock>) -> Self {
        Self { skills, circuits: Arc::new(Circuits { breakers: Mutex::default(), clock }) }
    }
}

impl Skills for Guarded {
    fn pin(&self, selector: &SkillSelector) -> Result<PinnedSkill, ResolveError> {
        self.skills.pin(selector)
    }

    fn call(&self, invocation: Invocation, told: Arc<dyn Fn(Report) + Send + Sync>) -> BoxFuture<'static, Called> {
        let (skills, circuits) = (Arc::clone(&self.skills), Arc::clone(&self.circuits));
        Box::pin(async move {
            let skill = invocation.skill.id.clone();
            let passing = match circuits.enter(&skill, invocation.deadline) {
                Ok(passing) => passing,
                Err(left) => return refused(&skill, left),
            };
            let called = skills.call(invocation, told).await;
            passing.ended(&called.outcome);
            called
        })
    }

    fn driver(&self, selector: &SkillSelector) -> Result<Driver, DriverError> {
        self.skills.driver(selector)
    }

    /// Where a workflow breaks, its run has failed, and nobody calls it again by itself.
    fn drive(
        &self,
        invocation: Invocation,
        told: Arc<dyn Fn(Report) + Send + Sync>,
        serve: Serve,
    ) -> BoxFuture<'static, Called> {
        self.skills.drive(invocation, told, serve)
    }

    fn answer(&self, approval: String, by: Option<String>) -> BoxFuture<'static, Verdict> {
        self.skills.answer(approval, by)
    }

    fn withdraw(&self, approval: String, run: RunId) -> BoxFuture<'static, ()> {
        self.skills.withdraw(approval, run)
    }

    fn end_run(&self, run: RunId) -> BoxFuture<'static, ()> {
        self.skills.end_run(run)
    }

    fn runs(&self) -> BoxFuture<'static, Vec<RunId>> {
        self.skills.runs()
    }
}

impl Circuits {
    /// Lets a call through, or says for how long its skill is left alone.
    fn enter(self: &Arc<Self>, skill: &SkillId, deadline: Option<Duration>) -> Result<Passing, Duration> {
        let now = self.clock.instant();
        let pass = match self.breakers.lock().unwrap_or_else(PoisonError::into_inner).get_mut(skill) {
            Some(breaker) => breaker.enter(now)?,
            None => Pass::Normal,
        };
        Ok(Passing { circuits: Arc::clone(self), skill: skill.clone(), pass: Some(pass), began: now, deadline })
    }

    fn ended(&self, skill: &SkillId, pass: Pass, ended: Ended) {
        let now = self.clock.instant();
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        if ended != Ended::Failed && !breakers.contains_key(skill) {
            return;
        }
        let breaker = breakers.entry(skill.clone()).or_default();
        let opened = breaker.ended(pass, ended, now);
        if breaker.state(now) == (CircuitState::Closed { failures: 0 }) {
            breakers.remove(skill);
        }
        drop(breakers);
        if opened {
            tracing::warn!(%skill, seconds = OPEN_FOR.as_secs(), "a skill breaks, and runs leave it alone for a while");
        }
    }
}

impl Passing {
    /// Takes note of what came of the call.
    fn ended(mut self, outcome: &CallOutcome) {
        let took = self.circuits.clock.instant().saturating_duration_since(self.began);
        // A call that had only what was left of its run's time may have ended for that alone.
        let cut_short = self.deadline.is_some_and(|deadline| took >= deadline);
        if let Some(pass) = self.pass.take() {
            self.circuits.ended(&self.skill, pass, what_it_says(outcome, cut_short));
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.circuits.ended(&self.skill, pass, Ended::Abandoned);
        }
    }
}

/// What an outcome says of the skill. `cut_short` says that the run's own time was over.
fn what_it_says(outcome: &CallOutcome, cut_short: bool) -> Ended {
    match outcome {
        CallOutcome::Output { .. } => Ended::Answered,
        CallOutcome::Failed { code, .. } if BROKEN.contains(&code.as_str()) => Ended::Failed,
        CallOutcome::Failed { code, .. } if code == TIMEOUT && !cut_short => Ended::Failed,
        CallOutcome::Failed { .. } | CallOutcome::Approval(_) => Ended::Abandoned,
    }
}

/// What stands in place of a call that is not made.
fn refused(skill: &SkillId, left: Duration) -> Called {
    // Rounded up, so that nobody is told to come back too early.
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let message = format!(
        "the skill `{skill}` broke {FAILURES} times in a row and is not called for another {seconds} s: do without it, \
         or call it again after that"
    );
    Called {
        outcome: CallOutcome::Failed { code: CIRCUIT_OPEN.to_owned(), message, retriable: false },
        spend: Spend::of_nothing(Duration::ZERO),
        receipt: None,
    }
}
