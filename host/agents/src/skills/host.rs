//! Skills as the host has them.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::run::{INVALID_ARGUMENTS, PinnedSkill, Spend};
use bailiwick_domain::sandbox::{BoxFuture, InvokeError, Output};
use bailiwick_domain::services::Report;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::approvals::{ApprovalError, State};
use bailiwick_skills::catalog::ResolveError;
use bailiwick_skills::execute::{ExecuteError, Executor};

use super::{CallOutcome, Called, Skills, Verdict};
use crate::registry::pinned;

/// So often a question is looked at without news, because it may have expired.
const LOOK: Duration = Duration::from_secs(15);

/// The skills of the host.
#[derive(Clone)]
pub struct HostSkills(Arc<Executor>);

impl HostSkills {
    /// Skills that `executor` calls.
    pub const fn new(executor: Arc<Executor>) -> Self {
        Self(executor)
    }
}

impl Skills for HostSkills {
    fn pin(&self, selector: &SkillSelector) -> Result<PinnedSkill, ResolveError> {
        self.0.registry().catalog().resolve(selector).map(|skill| pinned(&skill))
    }

    fn call(&self, invocation: Invocation, told: Arc<dyn Fn(Report) + Send + Sync>) -> BoxFuture<'static, Called> {
        let executor = Arc::clone(&self.0);
        Box::pin(async move {
            match executor.execute_followed(invocation, Some(told)).await {
                Ok(execution) => {
                    let (json, failed) = match execution.output {
                        Output::Success(json) => (json, false),
                        Output::Failure(json) => (json, true),
                    };
                    Called {
                        outcome: CallOutcome::Output { json, failed },
                        spend: Spend::of_call(&execution.receipt.usage),
                        receipt: Some(execution.receipt.id),
                    }
                }
                Err(error) => {
                    let receipt = error.receipt();
                    Called {
                        outcome: outcome(&error),
                        spend: receipt
                            .map_or_else(|| Spend::of_nothing(Duration::ZERO), |it| Spend::of_call(&it.usage)),
                        receipt: receipt.map(|it| it.id.clone()),
                    }
                }
            }
        })
    }

    fn answer(&self, approval: String) -> BoxFuture<'static, Verdict> {
        let executor = Arc::clone(&self.0);
        Box::pin(async move {
            let approvals = executor.approvals();
            // Whoever subscribes first misses no answer that comes after the look.
            let mut changes = approvals.subscribe();
            loop {
                if let Some(verdict) = verdict(approvals.get(&approval).map(|it| (it.state, it.reason))) {
                    return verdict;
                }
                // Lagging, silence and an end all mean the same: look again.
                let news = tokio::time::timeout(LOOK, changes.recv()).await;
                if matches!(news, Ok(Err(tokio::sync::broadcast::error::RecvError::Closed))) {
                    tokio::time::sleep(LOOK).await;
                }
            }
        })
    }
}

/// What an approval says; `None` while nobody has answered.
fn verdict(approval: Option<(State, Option<String>)>) -> Option<Verdict> {
    let no = |reason: &str| Some(Verdict { approved: false, reason: Some(reason.to_owned()) });
    match approval {
        Some((State::Pending, _)) => None,
        Some((State::Approved | State::Used, reason)) => Some(Verdict { approved: true, reason }),
        Some((State::Denied, reason)) => Some(Verdict { approved: false, reason }),
        Some((State::Expired, _)) => no("nobody answered in time"),
        None => no("the question is gone"),
    }
}

fn outcome(error: &ExecuteError) -> CallOutcome {
    let failed =
        |code: &str, retriable| CallOutcome::Failed { code: code.to_owned(), message: error.to_string(), retriable };
    match error {
        ExecuteError::ApprovalPending(approval) => CallOutcome::Approval(approval.id.clone()),
        ExecuteError::ApprovalDenied(_) => failed("APPROVAL_DENIED", false),
        ExecuteError::Arguments(_) | ExecuteError::Invoke { error: InvokeError::Arguments { .. }, .. } => {
            failed(INVALID_ARGUMENTS, false)
        }
        ExecuteError::Invoke { error: InvokeError::Deadline { .. }, .. } => failed("TIMEOUT", false),
        // Nothing of these has begun.
        ExecuteError::Busy { .. }
        | ExecuteError::Approval(ApprovalError::TooMany { .. })
        | ExecuteError::Resolve(ResolveError::Preparing { .. })
        | ExecuteError::Invoke { error: InvokeError::Full, .. } => failed(error.code(), true),
        _ => failed(error.code(), false),
    }
}
