//! What the host does for a running skill: calls of other skills, models, questions.
//!
//! A called skill is called like any other: resolved, held against its own grant,
//! asked about where it has risks, and recorded. That its caller was granted the call
//! gives it nothing; that its caller has little left leaves it little too.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bailiwick_domain::invocation::{Caller, Invocation, Principal};
use bailiwick_domain::run::RunId;
use bailiwick_domain::sandbox::{BoxFuture, InvokeError, Output};
use bailiwick_domain::services::{
    self, ModelError, ModelRequest, ModelResponse, QuestionError, Report, Services, SkillAnswer, SkillCall,
    SkillCallError, Verdict,
};
use bailiwick_domain::trace::TraceContext;
use bailiwick_domain::usage::Usage;
use serde_json::json;

use super::models::{self, Asking};
use super::prepared::Prepared;
use super::{ExecuteError, Executor, Follower, Request, arguments_digest};
use crate::approvals::{ApprovalError, Asked, Question};
use crate::catalog::ResolveError;
use crate::grants::GrantEntry;
use crate::skill::Skill;

/// Serves one call.
pub(super) struct Nested {
    executor: Weak<Executor>,
    principal: Principal,
    trace: TraceContext,
    trace_state: Option<String>,
    skill: Arc<Skill>,
    tool: String,
    /// Of the call that is served.
    receipt: String,
    entry: Arc<GrantEntry>,
    /// The run that the call is made in.
    run: Option<RunId>,
    /// How many calls stand above the one that is served.
    depth: u32,
    follower: Option<Follower>,
}

impl Nested {
    pub(super) fn new(
        executor: &Executor,
        request: &Request<'_>,
        prepared: &Prepared<'_>,
        entry: &Arc<GrantEntry>,
    ) -> Self {
        Self {
            executor: Weak::clone(&executor.this),
            principal: request.invocation.principal.clone(),
            trace: request.invocation.trace,
            trace_state: request.invocation.trace_state.clone(),
            skill: Arc::clone(request.skill),
            tool: request.tool.name.clone(),
            receipt: prepared.id.clone(),
            entry: Arc::clone(entry),
            run: request.invocation.run_id().cloned(),
            depth: request.invocation.caller.as_ref().map_or(0, |caller| caller.depth),
            follower: request.hooks.follower.clone(),
        }
    }

    async fn call(&self, call: SkillCall) -> SkillAnswer {
        let nothing = |error| SkillAnswer { result: Err(error), usage: Usage::default() };
        let Some(executor) = self.executor.upgrade() else {
            return nothing(SkillCallError::Unavailable("the host is ending".to_owned()));
        };
        let most = executor.parts.max_call_depth;
        if self.depth >= most {
            let problem = format!("skills call skills at most {most} deep on this host");
            return nothing(SkillCallError::Limit(problem));
        }
        let SkillCall { skill, allowed, tool, arguments, budget } = call;
        let invocation = Invocation {
            skill,
            tool,
            arguments,
            principal: self.principal.clone(),
            trace: self.trace,
            trace_state: self.trace_state.clone(),
            deadline: budget.deadline,
            idempotency_key: None,
            approval_wait: Duration::ZERO,
            caller: Some(Caller {
                receipt: self.receipt.clone(),
                skill: self.skill.manifest.id.clone(),
                depth: self.depth + 1,
                budget,
                allowed,
                run: self.run.clone(),
            }),
            run: None,
        };
        match executor.execute(invocation).await {
            Ok(execution) => {
                let usage = execution.receipt.usage;
                match execution.output {
                    Output::Success(json) => SkillAnswer { result: Ok(json), usage },
                    Output::Failure(json) => SkillAnswer { result: Err(SkillCallError::Failed(json)), usage },
                }
            }
            Err(error) => {
                let usage = error.receipt().map(|receipt| receipt.usage.clone()).unwrap_or_default();
                SkillAnswer { result: Err(told(&error)), usage }
            }
        }
    }

    async fn complete(&self, request: ModelRequest) -> Result<ModelResponse, ModelError> {
        let ending = || ModelError::Failed("the host is ending".to_owned());
        let executor = self.executor.upgrade().ok_or_else(ending)?;
        let Some(model) = executor.parts.models.as_deref() else {
            let problem = format!("this host has no model, so not `{}` either", request.model);
            return Err(ModelError::NoModel(problem));
        };
        if !model.knows(&request.model) {
            return Err(models::unknown(&request.model, &self.entry.grant.capabilities.models, model));
        }
        let trace_state = self.trace_state.clone();
        Asking { model, clock: executor.clock(), trace: self.trace, trace_state }.complete(&request).await
    }

    async fn ask(&self, question: services::Question, wait: Duration) -> Result<Verdict, QuestionError> {
        let ending = || QuestionError::Failed("the host is ending".to_owned());
        let executor = self.executor.upgrade().ok_or_else(ending)?;
        let failed = |error: ApprovalError| match error {
            ApprovalError::TooMany { .. } => QuestionError::Limit(error.to_string()),
            error => QuestionError::Failed(error.to_string()),
        };
        // The hash covers all that a person reads.
        let whole = json!({ "summary": question.summary, "details": question.details });
        let asked = Question {
            principal: &self.principal.name,
            run: self.run.as_ref(),
            trace_id: self.trace.trace_id_hex(),
            skill: &self.skill,
            tool: &self.tool,
            arguments: &question.details,
            arguments_digest: arguments_digest(&whole),
            entry: &self.entry,
            tags: Vec::new(),
            summary: Some(&question.summary),
        };
        match executor.parts.approvals.ask_and_wait(asked, wait).await.map_err(failed)? {
            Asked::Approved(approval) => {
                // One yes is for one call, also where two ask the same at once.
                executor.parts.approvals.use_for(&approval.id, &self.principal.name).await.map_err(failed)?;
                Ok(Verdict::Approved)
            }
            Asked::Denied(approval) => Ok(Verdict::Denied(approval.reason)),
            Asked::Pending(approval) => Err(QuestionError::Pending(approval.id)),
        }
    }
}

impl Services for Nested {
    fn call_skill(&self, call: SkillCall) -> BoxFuture<'_, SkillAnswer> {
        Box::pin(self.call(call))
    }

    fn complete(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelResponse, ModelError>> {
        Box::pin(self.complete(request))
    }

    fn ask(&self, question: services::Question, wait: Duration) -> BoxFuture<'_, Result<Verdict, QuestionError>> {
        Box::pin(self.ask(question, wait))
    }

    fn report(&self, report: Report) {
        if let Some(follower) = &self.follower {
            follower(report);
        }
    }
}

/// What a calling skill is told of an error: no more than any other caller.
fn told(error: &ExecuteError) -> SkillCallError {
    let text = error.to_string();
    match error {
        ExecuteError::Resolve(ResolveError::Broken { .. } | ResolveError::Preparing { .. }) => {
            SkillCallError::Unavailable(text)
        }
        ExecuteError::Resolve(_) | ExecuteError::UnknownTool { .. } | ExecuteError::NoToolNamed { .. } => {
            SkillCallError::NotFound(text)
        }
        ExecuteError::Arguments(_) | ExecuteError::Invoke { error: InvokeError::Arguments { .. }, .. } => {
            SkillCallError::InvalidArguments(text)
        }
        ExecuteError::Refused(_) | ExecuteError::ApprovalDenied(_) | ExecuteError::Revoked { .. } => {
            SkillCallError::Denied(text)
        }
        ExecuteError::ApprovalPending(approval) => SkillCallError::ApprovalRequired(approval.id.clone()),
        ExecuteError::Busy { .. } | ExecuteError::Approval(ApprovalError::TooMany { .. }) => {
            SkillCallError::Limit(text)
        }
        ExecuteError::Invoke { error, .. } if is_limit(error) => SkillCallError::Limit(text),
        _ => SkillCallError::Unavailable(text),
    }
}

const fn is_limit(error: &InvokeError) -> bool {
    matches!(
        error,
        InvokeError::Full
            | InvokeError::Deadline { .. }
            | InvokeError::Fuel(_)
            | InvokeError::Memory(_)
            | InvokeError::InputTooLarge(_)
            | InvokeError::Limit { .. }
            | InvokeError::OutputTooLarge(_)
    )
}
