//! A call that is about to run, and the record that it leaves in any case.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::{Invocation, RunStep};
use bailiwick_domain::permit::Terms;
use bailiwick_domain::receipt::{Denial, Receipt};
use bailiwick_domain::sandbox::Outcome;
use bailiwick_domain::usage::Usage;

use super::{ExecuteError, Execution, Executor, Request, check_output, receipt_id, record};
use crate::approvals::Approved;
use crate::policy::{Basis, Decision};
use crate::skill::{Skill, Tool};

/// A call whose guest runs. Dropped before it is disarmed, because the caller went
/// away, it leaves a record that says so.
pub(super) struct Unrecorded<'a> {
    pub(super) executor: &'a Executor,
    pub(super) prepared: Option<&'a Prepared<'a>>,
    pub(super) basis: &'a Arc<Basis>,
    pub(super) start: Instant,
}

impl Drop for Unrecorded<'_> {
    fn drop(&mut self) {
        if let Some(prepared) = self.prepared.take() {
            let receipt = prepared.cut_off("cancelled", self.executor.since(self.start));
            let approval = prepared.approval.map(str::to_owned);
            self.executor.parts.audit.cancelled(receipt, Arc::clone(self.basis), approval);
        }
    }
}

/// A call that is about to run, with what its receipt will say.
pub(super) struct Prepared<'a> {
    skill: &'a Arc<Skill>,
    tool: &'a Tool,
    invocation: &'a Invocation,
    terms: Arc<Terms>,
    arguments: Digest,
    pub(super) argument_bytes: u64,
    approval: Option<&'a str>,
    pub(super) id: String,
    started_at: SystemTime,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(
        request: &Request<'a>,
        (arguments, argument_bytes): (Digest, u64),
        decision: &Decision,
        approved: Option<&'a Approved>,
        started_at: SystemTime,
    ) -> Result<Self, ExecuteError> {
        Ok(Self {
            skill: request.skill,
            tool: request.tool,
            invocation: request.invocation,
            terms: Arc::clone(decision.permit.terms()),
            arguments,
            argument_bytes,
            approval: approved.map(Approved::id),
            id: receipt_id::new(started_at)?,
            started_at,
        })
    }

    /// The receipt of a call that did not come to its end.
    pub(super) fn cut_off(&self, outcome: &'static str, wall: Duration) -> Receipt {
        let usage = Usage { wall, input_bytes: self.argument_bytes, ..Usage::default() };
        self.receipt(outcome, usage, Vec::new(), Vec::new())
    }

    /// The execution that `outcome` is, or the error.
    pub(super) fn judge(&self, outcome: Outcome) -> Result<Execution, ExecuteError> {
        let Outcome { result, usage, denials, used, log } = outcome;
        let output = match result {
            Ok(output) => output,
            Err(error) => {
                let receipt = Box::new(self.receipt(error.code(), usage, denials, used));
                return Err(ExecuteError::Invoke { error, receipt, log });
            }
        };
        if let Err(violation) = check_output(self.tool, &output) {
            let receipt = Box::new(self.receipt("invalid-output", usage, denials, used));
            return Err(ExecuteError::Output { violation, receipt, log });
        }
        let receipt = self.receipt(record::outcome(&output), usage, denials, used);
        let (skill, tool) = (Arc::clone(self.skill), self.tool.name.clone());
        Ok(Execution { skill, tool, output, receipt, log, replayed: false })
    }

    fn receipt(&self, outcome: &'static str, usage: Usage, denials: Vec<Denial>, used: Vec<String>) -> Receipt {
        Receipt {
            id: self.id.clone(),
            started_at: self.started_at,
            principal: self.invocation.principal.name.to_string(),
            caller: self.invocation.caller.as_ref().map(|caller| caller.receipt.clone()),
            run: self.invocation.run.as_deref().map(RunStep::name),
            trace_id: self.invocation.trace.trace_id_hex(),
            skill: self.skill.manifest.id.clone(),
            version: self.skill.manifest.version.clone(),
            digest: self.skill.digest,
            tool: self.tool.name.clone(),
            arguments: self.arguments,
            terms: Arc::clone(&self.terms),
            denials,
            used,
            usage,
            outcome,
        }
    }
}
