//! A request to run one tool.

use std::time::Duration;

use serde_json::Value;

use crate::authority::SkillRule;
use crate::digest::Digest;
use crate::limits::LimitsRequest;
use crate::run::RunId;
use crate::skill_id::{SkillId, SkillSelector};
use crate::trace::TraceContext;
use crate::workspace::WorkspaceKey;

/// One call, before policy has seen it.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Which skill, in which versions.
    pub skill: SkillSelector,
    /// Which tool; may be left out where the skill has only one.
    pub tool: Option<String>,
    /// An object of arguments by parameter name.
    pub arguments: Value,
    /// On whose behalf.
    pub principal: Principal,
    /// The trace that it belongs to.
    pub trace: TraceContext,
    /// What others say of the trace: a `tracestate`.
    pub trace_state: Option<String>,
    /// Less time than the skill's own deadline, never more.
    pub deadline: Option<Duration>,
    /// Makes repeated requests one call, durably.
    pub idempotency_key: Option<String>,
    /// How long to wait for a person, where the call needs approval.
    pub approval_wait: Duration,
    /// The call that makes this one, where it is one of another skill.
    pub caller: Option<Caller>,
    /// The step of a run that makes this call, where one does.
    pub run: Option<Box<RunStep>>,
}

/// A step of a run that makes a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStep {
    /// The run.
    pub run: RunId,
    /// The step's number.
    pub step: u32,
    /// The bytes that the run began with: no others are called.
    pub digest: Digest,
    /// What the run has left.
    pub budget: LimitsRequest,
    /// With whom it shares a workspace, if it gets one; otherwise that is its own.
    pub workspace: Option<WorkspaceKey>,
}

impl RunStep {
    /// For records: `RUN/STEP`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.run, self.step)
    }
}

impl Invocation {
    /// With whom the call shares a workspace. One that a call makes shares none.
    pub fn workspace(&self) -> Option<&WorkspaceKey> {
        self.run.as_ref().and_then(|run| run.workspace.as_ref())
    }

    /// The run that it is made in, by a step of it or by a call of one.
    pub fn run_id(&self) -> Option<&RunId> {
        let of_caller = || self.caller.as_ref().and_then(|caller| caller.run.as_ref());
        self.run.as_ref().map(|step| &step.run).or_else(of_caller)
    }

    /// What the call may take beside its own limits: what is left to those that make it.
    pub fn budget(&self) -> Option<&LimitsRequest> {
        // A call is one of a run or one of another call; those that a run's call makes
        // have what that one has left.
        let of_caller = self.caller.as_ref().map(|caller| &caller.budget);
        of_caller.or_else(|| self.run.as_ref().map(|run| &run.budget))
    }
}

/// A call that makes another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its receipt.
    pub receipt: String,
    /// Its skill.
    pub skill: SkillId,
    /// How many calls stand above the called one: one where nobody called the caller.
    pub depth: u32,
    /// What the caller has left, which the called can't go beyond.
    pub budget: LimitsRequest,
    /// The releases that the caller's permit gives: others are not called.
    pub allowed: SkillRule,
    /// The run that the caller's own call is made in.
    pub run: Option<RunId>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// For records: `key:ci`, `cli:ada`, `loopback`.
    pub name: std::sync::Arc<str>,
}
