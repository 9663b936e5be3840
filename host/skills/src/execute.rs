//! One call, front to back.
//!
//! resolve → tool → the author's schema → policy → a place for the call → where
//! there is an idempotency key, its durable beginning → the sandbox → the
//! author's schema of the output → receipt → its durable end → answer. A future
//! that is dropped on the way ends the call and gives back all that it held.

mod arguments;
mod error;
mod event;
mod receipt_id;
mod record;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::permit::{Permit, Terms};
use bailiwick_domain::receipt::{Denial, Receipt};
use bailiwick_domain::sandbox::{InvokeError, Outcome, Output, Sandbox};
use bailiwick_domain::usage::Usage;
use bailiwick_journal::{Begin, Call, Journal, OnInterrupted};
use tokio::sync::watch;

pub use self::error::{BusyScope, ExecuteError};
use self::event::Event;
use self::record::Record;
use crate::gate::{Gate, Pass};
use crate::grants::GrantStore;
use crate::near::near;
use crate::policy::{Now, Policy, Refusal};
use crate::registry::Registry;
use crate::schema::SchemaViolation;
use crate::skill::{Skill, Tool};

/// When to try again after a call found no place: most calls take far less.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What an executor works with.
pub struct ExecutorParts {
    /// The skills.
    pub registry: Arc<Registry>,
    /// What was granted to them.
    pub grants: Arc<GrantStore>,
    /// Who may call what.
    pub policy: Policy,
    /// What runs components; it must trust the policy's permits.
    pub sandbox: Arc<dyn Sandbox>,
    /// What remembers calls with idempotency keys.
    pub journal: Arc<Journal>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Calls under way at once, over all skills.
    pub max_concurrent_calls: u32,
}

/// Executes tools of skills.
pub struct Executor {
    parts: ExecutorParts,
    gate: Arc<Gate>,
}

/// A call that came to an answer, be it the tool's own failure.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The skill that was called.
    pub skill: Arc<Skill>,
    /// The tool's name.
    pub tool: String,
    /// What it answered.
    pub output: Output,
    /// What it could do, did and cost.
    pub receipt: Receipt,
    /// What the guest wrote to stdout and stderr; empty for a replay.
    pub log: String,
    /// Whether this is the answer of an earlier call with the same idempotency key.
    pub replayed: bool,
}

impl Executor {
    /// An executor made of `parts`.
    pub fn new(parts: ExecutorParts) -> Self {
        Self { parts, gate: Arc::default() }
    }

    /// Makes one call and waits for its answer. Dropping the future ends the call.
    pub async fn execute(&self, invocation: Invocation) -> Result<Execution, ExecuteError> {
        let mut event = Event::begin(&invocation, &*self.parts.clock);
        let result = self.run(&invocation, &mut event).await;
        event.end(&result);
        result
    }

    /// The skills that can be called.
    pub const fn registry(&self) -> &Arc<Registry> {
        &self.parts.registry
    }

    /// What was granted to them.
    pub const fn grants(&self) -> &Arc<GrantStore> {
        &self.parts.grants
    }

    /// Who may call what.
    pub const fn policy(&self) -> &Policy {
        &self.parts.policy
    }

    /// Calls under way, over all skills.
    pub fn calls_under_way(&self) -> u32 {
        self.gate.count()
    }

    async fn run(&self, invocation: &Invocation, event: &mut Event<'_>) -> Result<Execution, ExecuteError> {
        let skill = self.parts.registry.catalog().resolve(&invocation.skill)?;
        event.resolved(&skill);
        let tool = find_tool(&skill, invocation.tool.as_deref())?;
        event.found(tool);
        if let Some(schema) = &tool.input_narrowing {
            schema.check(&invocation.arguments).map_err(ExecuteError::Arguments)?;
        }
        // Whoever subscribes first misses no change of what is read afterwards.
        let changes = self.parts.grants.subscribe();
        let now = Now::by(&*self.parts.clock);
        let grants = self.parts.grants.current();
        let permit = self.parts.policy.decide(&skill, tool, &grants, invocation.deadline, now)?;
        drop(grants);
        let _places = self.enter(&skill, &permit)?;
        let prepared = Prepared::new(&skill, tool, invocation, &permit, now.time)?;
        match &invocation.idempotency_key {
            None => self.call(prepared, permit, changes).await,
            Some(key) => self.call_once(prepared, permit, changes, key).await,
        }
    }

    /// A place among the host's calls and one among the skill's.
    fn enter(&self, skill: &Skill, permit: &Permit) -> Result<(Pass, Pass), ExecuteError> {
        let busy = |scope, limit| ExecuteError::Busy { scope, limit, retry_after: RETRY_AFTER };
        let limit = self.parts.max_concurrent_calls;
        let of_host = self.gate.enter(limit).ok_or_else(|| busy(BusyScope::Host, limit))?;
        let limit = permit.terms().limits.concurrency;
        let scope = || BusyScope::Skill(skill.manifest.id.clone());
        let of_skill = skill.gate.enter(limit).ok_or_else(|| busy(scope(), limit))?;
        Ok((of_host, of_skill))
    }

    /// Makes the call unless it was made before.
    async fn call_once(
        &self,
        prepared: Prepared<'_>,
        permit: Permit,
        changes: watch::Receiver<u64>,
        key: &str,
    ) -> Result<Execution, ExecuteError> {
        let call = match self.begin(&prepared, key).await? {
            Begin::New(call) => call,
            Begin::Done(record) => return prepared.replay(&record),
            Begin::InProgress => return Err(ExecuteError::KeyInProgress { retry_after: RETRY_AFTER }),
            Begin::Interrupted => return Err(ExecuteError::Interrupted { tool: prepared.tool.name.clone() }),
            Begin::Mismatch => return Err(ExecuteError::KeyMismatch),
        };
        let idempotent = prepared.tool.idempotent;
        let result = self.call(prepared, permit, changes).await;
        self.end(call, &result, idempotent).await?;
        result
    }

    async fn begin(&self, prepared: &Prepared<'_>, key: &str) -> Result<Begin, ExecuteError> {
        let Prepared { invocation, tool, .. } = prepared;
        let selector = invocation.skill.to_string();
        let request = arguments::request(&selector, invocation.tool.as_deref(), &prepared.arguments);
        let interrupted = if tool.idempotent { OnInterrupted::Rerun } else { OnInterrupted::Report };
        let scope = &invocation.principal.name;
        Ok(self.parts.journal.begin_call(scope, key, request, prepared.started_at, interrupted).await?)
    }

    /// Records how a call ended, before anybody is told. A failure of which it
    /// isn't known how far the guest got leaves an idempotent call to be made
    /// again, for which nothing has to be written; any other call keeps it.
    async fn end(
        &self,
        call: Call,
        result: &Result<Execution, ExecuteError>,
        idempotent: bool,
    ) -> Result<(), ExecuteError> {
        let unwritable = |error: serde_json::Error| ExecuteError::Record(error.to_string());
        let journal = &self.parts.journal;
        match result {
            Ok(execution) => {
                let record = record::answered(&execution.output, &execution.receipt).map_err(unwritable)?;
                journal.finish_call(call, record).await?;
            }
            Err(error) if ran_nothing(error) => journal.abandon_call(call).await?,
            Err(_) if idempotent => drop(call),
            Err(error) => {
                let record = record::failed(error.code(), &error.to_string()).map_err(unwritable)?;
                journal.finish_call(call, record).await?;
            }
        }
        Ok(())
    }

    async fn call(
        &self,
        prepared: Prepared<'_>,
        permit: Permit,
        changes: watch::Receiver<u64>,
    ) -> Result<Execution, ExecuteError> {
        let start = self.parts.clock.instant();
        let Prepared { skill, tool, invocation, .. } = &prepared;
        let terms = Arc::clone(permit.terms());
        if prepared.argument_bytes > terms.limits.input_bytes {
            let usage = Usage { input_bytes: prepared.argument_bytes, ..Usage::default() };
            return prepared.judge(Outcome::failed(InvokeError::InputTooLarge(terms.limits.input_bytes), usage));
        }
        let mut outcome = tokio::select! {
            biased;
            outcome = self.parts.sandbox.invoke(permit, tool.index, &invocation.arguments) => outcome,
            () = self.revoked(skill, tool, &terms, changes) => {
                let wall = self.parts.clock.instant().saturating_duration_since(start);
                let usage = Usage { wall, ..Usage::default() };
                let receipt = prepared.receipt("revoked", usage, Vec::new());
                return Err(ExecuteError::Revoked { receipt: Box::new(receipt) });
            }
        };
        outcome.usage.input_bytes = prepared.argument_bytes;
        event::guest_log(skill, tool, &outcome.log);
        prepared.judge(outcome)
    }

    /// Ends when the grant no longer gives what the call began with.
    async fn revoked(&self, skill: &Arc<Skill>, tool: &Tool, terms: &Terms, mut changes: watch::Receiver<u64>) {
        while changes.changed().await.is_ok() {
            let now = Now::by(&*self.parts.clock);
            if !self.parts.policy.still_allows(skill, tool, &self.parts.grants.current(), terms, now) {
                return;
            }
        }
        // Nobody is left who could change a grant.
        std::future::pending::<()>().await;
    }
}

/// Whether the sandbox refused the call before the guest began.
const fn ran_nothing(error: &ExecuteError) -> bool {
    let ExecuteError::Invoke { error, .. } = error else { return false };
    matches!(
        error,
        InvokeError::Arguments { .. }
            | InvokeError::NoPermit
            | InvokeError::NotLoaded(_)
            | InvokeError::Full
            | InvokeError::Mount { .. }
            | InvokeError::InputTooLarge(_)
    )
}

fn find_tool<'s>(skill: &'s Skill, name: Option<&str>) -> Result<&'s Tool, ExecuteError> {
    let id = || skill.manifest.id.clone();
    let names = || skill.tools.iter().map(|tool| tool.name.clone()).collect::<Vec<_>>();
    match (name, skill.tools.as_slice()) {
        // A prompt has no tools; that it is one says more than that it lacks this one.
        (_, []) => Err(Refusal::Prompt { skill: id() }.into()),
        (None, [only]) => Ok(only),
        (None, _) => Err(ExecuteError::NoToolNamed { skill: id(), tools: names() }),
        (Some(name), tools) => skill.tool(name).ok_or_else(|| {
            let near = near(name, tools.iter().map(|tool| tool.name.as_str()));
            ExecuteError::UnknownTool { skill: id(), name: name.to_owned(), near, tools: names() }
        }),
    }
}

/// A call that is allowed and has its place, with what its receipt will say.
struct Prepared<'a> {
    skill: &'a Arc<Skill>,
    tool: &'a Tool,
    invocation: &'a Invocation,
    terms: Arc<Terms>,
    arguments: Digest,
    argument_bytes: u64,
    id: String,
    started_at: SystemTime,
}

impl<'a> Prepared<'a> {
    fn new(
        skill: &'a Arc<Skill>,
        tool: &'a Tool,
        invocation: &'a Invocation,
        permit: &Permit,
        started_at: SystemTime,
    ) -> Result<Self, ExecuteError> {
        let (arguments, argument_bytes) = arguments::measure(&invocation.arguments);
        Ok(Self {
            skill,
            tool,
            invocation,
            terms: Arc::clone(permit.terms()),
            arguments,
            argument_bytes,
            id: receipt_id::new(started_at)?,
            started_at,
        })
    }

    /// The execution that `outcome` is, or the error.
    fn judge(self, outcome: Outcome) -> Result<Execution, ExecuteError> {
        let Outcome { result, usage, denials, log } = outcome;
        let output = match result {
            Ok(output) => output,
            Err(error) => {
                let receipt = Box::new(self.receipt(error.code(), usage, denials));
                return Err(ExecuteError::Invoke { error, receipt, log });
            }
        };
        if let Err(violation) = check_output(self.tool, &output) {
            let receipt = Box::new(self.receipt("invalid-output", usage, denials));
            return Err(ExecuteError::Output { violation, receipt, log });
        }
        let receipt = self.receipt(record::outcome(&output), usage, denials);
        let (skill, tool) = (Arc::clone(self.skill), self.tool.name.clone());
        Ok(Execution { skill, tool, output, receipt, log, replayed: false })
    }

    fn replay(self, record: &[u8]) -> Result<Execution, ExecuteError> {
        match record::read(record).map_err(|error| ExecuteError::Record(error.to_string()))? {
            Record::Answered(output, receipt) => {
                let (skill, tool) = (Arc::clone(self.skill), receipt.tool.clone());
                Ok(Execution { skill, tool, output, receipt: *receipt, log: String::new(), replayed: true })
            }
            Record::Failed(code, message) => Err(ExecuteError::FailedBefore { code, message }),
        }
    }

    fn receipt(&self, outcome: &'static str, usage: Usage, denials: Vec<Denial>) -> Receipt {
        Receipt {
            id: self.id.clone(),
            started_at: self.started_at,
            principal: self.invocation.principal.name.to_string(),
            trace_id: self.invocation.trace.trace_id_hex(),
            skill: self.skill.manifest.id.clone(),
            version: self.skill.manifest.version.clone(),
            digest: self.skill.digest,
            tool: self.tool.name.clone(),
            arguments: self.arguments,
            terms: Arc::clone(&self.terms),
            denials,
            usage,
            outcome,
        }
    }
}

/// Holds a success against the author's schema of the output, where there is one.
fn check_output(tool: &Tool, output: &Output) -> Result<(), SchemaViolation> {
    let (Some(schema), Output::Success(json)) = (&tool.output_narrowing, output) else { return Ok(()) };
    let value = serde_json::from_str(json).map_err(|error| SchemaViolation {
        path: String::new(),
        problem: format!("the output is not JSON: {error}"),
    })?;
    schema.check(&value)
}
