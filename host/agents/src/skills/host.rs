//! Skills as the host has them.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::manifest::Permissions;
use bailiwick_domain::run::{INVALID_ARGUMENTS, PinnedSkill, RunId, Spend};
use bailiwick_domain::sandbox::{BoxFuture, InvokeError, Output};
use bailiwick_domain::services::Report;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::approvals::{ApprovalError, State};
use bailiwick_skills::catalog::ResolveError;
use bailiwick_skills::execute::{ExecuteError, Execution, Executor, Hooks};

use super::{CallOutcome, Called, Driver, DriverError, Serve, Skills, Verdict};
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
        Box::pin(async move { called(executor.execute_followed(invocation, Some(told)).await) })
    }

    fn driver(&self, selector: &SkillSelector) -> Result<Driver, DriverError> {
        let catalog = self.0.registry().catalog();
        let skill = catalog.resolve(selector)?;
        let id = &skill.manifest.id;
        let mut driver = pinned(&skill);
        driver.tools.retain(|tool| skill.workflow().is_some_and(|own| own.name == tool.name));
        if driver.tools.is_empty() {
            return Err(DriverError::NoWorkflow(id.clone()));
        }
        let permissions = &skill.manifest.permissions;
        if let Some(permission) = acts(permissions) {
            return Err(DriverError::Acts { skill: id.clone(), permission });
        }
        let callee = |callee: &SkillSelector| {
            let missing =
                |reason| DriverError::Callee { skill: id.clone(), callee: callee.clone(), reason: Box::new(reason) };
            catalog.resolve(callee).map(|skill| pinned(&skill)).map_err(missing)
        };
        let calls = permissions.skills.iter().map(callee).collect::<Result<_, _>>()?;
        Ok(Driver { skill: driver, calls })
    }

    fn drive(
        &self,
        invocation: Invocation,
        told: Arc<dyn Fn(Report) + Send + Sync>,
        serve: Serve,
    ) -> BoxFuture<'static, Called> {
        let executor = Arc::clone(&self.0);
        let hooks = Hooks { follower: Some(told), serve: Some(serve) };
        Box::pin(async move { called(executor.execute_with(invocation, hooks).await) })
    }

    fn answer(&self, approval: String, by: Option<String>) -> BoxFuture<'static, Verdict> {
        let executor = Arc::clone(&self.0);
        Box::pin(async move {
            let approvals = executor.approvals();
            // Whoever subscribes first misses no answer that comes after the look.
            let mut changes = approvals.subscribe();
            loop {
                if let Some(verdict) = verdict(approvals.get(&approval).map(|it| (it.state, it.reason))) {
                    if let Some(by) = by.as_ref().filter(|_| verdict.approved)
                        && let Err(error) = approvals.use_up(&approval, by).await
                    {
                        // It was used up when the host stopped, or can't be now: the answer is the same.
                        tracing::warn!(approval, %error, "an approval can't be used up");
                    }
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

    fn withdraw(&self, approval: String, run: RunId) -> BoxFuture<'static, ()> {
        let executor = Arc::clone(&self.0);
        Box::pin(async move {
            if let Err(error) = executor.approvals().withdraw(&approval, &run).await {
                // The end of the run tries again.
                tracing::error!(%run, approval, %error, "a question that nobody waits for can't be withdrawn");
            }
        })
    }

    fn end_run(&self, run: RunId) -> BoxFuture<'static, ()> {
        let executor = Arc::clone(&self.0);
        Box::pin(async move { executor.end_run(&run).await })
    }

    fn runs(&self) -> BoxFuture<'static, Vec<RunId>> {
        let executor = Arc::clone(&self.0);
        // Where the look fails, the next start looks again.
        Box::pin(async move { tokio::task::spawn_blocking(move || executor.runs()).await.unwrap_or_default() })
    }
}

/// What it does by itself, and would do again whenever it runs anew.
fn acts(permissions: &Permissions) -> Option<&'static str> {
    let Permissions { fs, http, http_deny: _, workspace: _, state, config: _, secrets: _, skills: _, models: _, shell } =
        permissions;
    let acts =
        [("fs", !fs.is_empty()), ("http", !http.is_empty()), ("state", state.is_some()), ("shell", !shell.is_empty())];
    acts.into_iter().find(|(_, does)| *does).map(|(permission, _)| permission)
}

/// What a run keeps of a call.
fn called(result: Result<Execution, ExecuteError>) -> Called {
    match result {
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
                spend: receipt.map_or_else(|| Spend::of_nothing(Duration::ZERO), |it| Spend::of_call(&it.usage)),
                receipt: receipt.map(|it| it.id.clone()),
            }
        }
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
        Some((State::Withdrawn, _)) => no("the question was withdrawn"),
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
