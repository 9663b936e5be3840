//! One call, front to back.
//!
//! resolve → tool → the author's schema → policy → where there is an idempotency
//! key, its durable beginning → where a risk is open, a person's approval → its turn where
//! it shares a workspace → a place for the call → the sandbox → the author's schema of the output → the
//! receipt, durable in the audit chain → answer. A future that is dropped on the
//! way ends the call, gives back all that it held, and leaves a record too.

mod arguments;
mod ended;
mod error;
mod event;
mod models;
mod nested;
mod prepared;
mod provided;
mod receipt_id;
mod record;
mod turns;

use std::borrow::Cow;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::model::Model;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::receipt::Receipt;
use bailiwick_domain::run::RunId;
use bailiwick_domain::sandbox::{InvokeError, Outcome, Output, Sandbox};
use bailiwick_domain::services::{Report, Services};
use bailiwick_domain::usage::Usage;
use bailiwick_journal::{Begin, Call, Journal, OnInterrupted};
use semver::Version;
use serde_json::Value;
use tokio::sync::watch;

pub(crate) use self::arguments::{digest as arguments_digest, size as arguments_size};
use self::ended::{Ended, changed_or_over};
pub use self::error::{BusyScope, ExecuteError};
use self::event::Event;
pub use self::models::Asking;
use self::nested::Nested;
use self::prepared::{Prepared, Unrecorded};
pub(crate) use self::provided::Ask;
pub use self::provided::{ListedTool, ProvidedError};
use self::record::Record;
pub(crate) use self::record::outcome as outcome_of;
use self::turns::{Turn, Turns};
use crate::approvals::{Approval, Approvals, Approved, Asked, Question, edited};
use crate::audit::Audit;
use crate::gate::{Gate, Pass};
use crate::grants::{GrantEntry, GrantStore};
use crate::near::near;
use crate::policy::{Decision, Now, Policy, Refusal, Wish};
use crate::registry::Registry;
use crate::schema::SchemaViolation;
use crate::skill::{Skill, Tool};

/// When to try again after a call found no place: most calls take far less.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How often a call is decided whose grant is for one call and is changed meanwhile. Few
/// people change one grant, and never without a pause.
const MAX_DECISIONS: usize = 8;

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
    /// What people are asked before a call.
    pub approvals: Arc<Approvals>,
    /// What remembers every call.
    pub audit: Arc<Audit>,
    /// What remembers calls with idempotency keys.
    pub journal: Arc<Journal>,
    /// The models that skills may ask, by name. A host may have none.
    pub models: Option<Arc<dyn Model>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Calls under way at once, over all skills.
    pub max_concurrent_calls: u32,
    /// How deep skills call skills: with 1, what a caller runs calls others, and these
    /// call none.
    pub max_call_depth: u32,
}

/// Gets what a skill tells while it runs. It must not block.
pub type Follower = Arc<dyn Fn(Report) + Send + Sync>;

/// Puts services of its own around those of a call.
pub type Serve = Arc<dyn Fn(Arc<dyn Services>) -> Arc<dyn Services> + Send + Sync>;

/// What whoever makes a call has to do with it while it runs.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Hears what the skill tells.
    pub follower: Option<Follower>,
    /// Serves what it asks for. What the permit gives is decided before.
    pub serve: Option<Serve>,
}

/// Executes tools of skills.
pub struct Executor {
    parts: ExecutorParts,
    gate: Arc<Gate>,
    turns: Turns,
    /// Itself, for calls that calls make.
    this: Weak<Self>,
    listings: provided::Listings,
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
    pub fn new(parts: ExecutorParts) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            parts,
            gate: Arc::default(),
            turns: Turns::default(),
            this: Weak::clone(this),
            listings: provided::Listings::default(),
        })
    }

    /// Makes one call and waits for its answer. Dropping the future ends the call.
    pub fn execute(&self, invocation: Invocation) -> impl Future<Output = Result<Execution, ExecuteError>> + Send {
        self.execute_with(invocation, Hooks::default())
    }

    /// The same for a caller who wants to hear meanwhile what the skill tells.
    pub fn execute_followed(
        &self,
        invocation: Invocation,
        follower: Option<Follower>,
    ) -> impl Future<Output = Result<Execution, ExecuteError>> + Send {
        self.execute_with(invocation, Hooks { follower, serve: None })
    }

    /// The same for a caller who serves what the skill asks for, too.
    pub async fn execute_with(&self, invocation: Invocation, hooks: Hooks) -> Result<Execution, ExecuteError> {
        let mut event = Event::begin(&invocation, &*self.parts.clock);
        // Boxed, because it is large, and would be part of everything that waits for a call.
        let result = Box::pin(self.run(&invocation, hooks, &mut event)).await;
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

    /// What people are asked.
    pub const fn approvals(&self) -> &Arc<Approvals> {
        &self.parts.approvals
    }

    /// What remembers every call.
    pub const fn audit(&self) -> &Arc<Audit> {
        &self.parts.audit
    }

    /// What runs components.
    pub(crate) fn sandbox(&self) -> &Arc<dyn Sandbox> {
        &self.parts.sandbox
    }

    /// The time.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    /// Takes away what calls of a run shared, which is over, and the questions that they asked.
    pub async fn end_run(&self, run: &RunId) {
        if let Err(error) = self.parts.approvals.withdraw_all(run).await {
            // The next start looks again.
            tracing::error!(%run, %error, "questions of a run that is over can't be withdrawn");
        }
        self.parts.sandbox.end_run(run).await;
    }

    /// Runs whose calls have left something that lasts, or a question that is open. Blocks.
    pub fn runs(&self) -> Vec<RunId> {
        let mut runs = self.parts.approvals.runs();
        runs.extend(self.parts.sandbox.runs());
        runs.into_iter().collect()
    }

    /// Calls under way, over all skills.
    pub fn calls_under_way(&self) -> u32 {
        self.gate.count()
    }

    async fn run(
        &self,
        invocation: &Invocation,
        hooks: Hooks,
        event: &mut Event<'_>,
    ) -> Result<Execution, ExecuteError> {
        // What a skill calls is what its permit gives, however it named the release.
        let allowed = |version: &Version| invocation.caller.as_ref().is_none_or(|it| it.allowed.allows(version));
        let skill = self.parts.registry.catalog().resolve_among(&invocation.skill, allowed)?;
        event.resolved(&skill);
        if let Some(run) = invocation.run.as_ref().filter(|run| run.digest != skill.digest) {
            let id = skill.manifest.id.clone();
            return Err(ExecuteError::OtherBytes {
                skill: id,
                pinned: Box::new(run.digest),
                found: Box::new(skill.digest),
            });
        }
        let tool = self.tool(&skill, invocation).await?;
        event.found(&tool);
        self.run_tool(&skill, &tool, invocation, hooks).await
    }

    /// Calls one function of a skill that was found.
    async fn run_tool(
        &self,
        skill: &Arc<Skill>,
        tool: &Tool,
        invocation: &Invocation,
        hooks: Hooks,
    ) -> Result<Execution, ExecuteError> {
        check_input(tool, &invocation.arguments)?;
        let call = Request { hooks, ..Request::new(skill, tool, invocation) };
        let result = match &invocation.idempotency_key {
            None => self.call(&call).await,
            // An answer that is kept is given again only to whom policy would still let call.
            Some(key) => match self.decide(&call, None) {
                Ok(_) | Err((_, Refusal::ApprovalRequired { .. })) => self.call_once(&call, key).await,
                Err((_, refusal)) => Err(refusal.into()),
            },
        };
        if let Err(ExecuteError::Refused(refusal)) = &result {
            let recorded = self.parts.audit.refusal(invocation, skill, &tool.name, call.arguments_digest, refusal);
            recorded.await?;
        }
        result
    }

    /// What policy says now, and the grant that it looked at.
    fn decide(
        &self,
        call: &Request<'_>,
        approved: Option<&Approved>,
    ) -> Result<Decision, (Option<Arc<GrantEntry>>, Refusal)> {
        let grants = self.parts.grants.current();
        let now = Now::by(&*self.parts.clock);
        let it = call.invocation;
        let wish = Wish { deadline: it.deadline, budget: it.budget(), workspace: it.workspace() };
        let decided = self.parts.policy.decide(call.skill, call.tool, &grants, approved, wish, now);
        let entry = || grants.of(&call.skill.manifest.id, &call.skill.digest).cloned();
        decided.map_err(|refusal| (entry(), refusal))
    }

    /// All that has to be so before the guest runs: a place, a permit, and where a
    /// person had to be asked, an approval that no other call can use.
    async fn admit<'a>(
        &self,
        call: &Request<'a>,
        changes: &watch::Receiver<u64>,
    ) -> Result<Admission<'a>, ExecuteError> {
        match self.decide(call, None) {
            Ok(mut decision) => {
                let turn = self.turn(call, &decision, changes).await?;
                let places = self.enter(call.skill, decision.permit.terms())?;
                self.use_up(call, &mut decision, None).await?;
                let arguments = Cow::Borrowed(&call.invocation.arguments);
                Ok(Admission { turn, places, decision, approved: None, arguments })
            }
            Err((Some(entry), Refusal::ApprovalRequired { tags, .. })) => {
                let approval = self.approval(call, &entry, tags).await?;
                let arguments = match edited(&approval) {
                    None => Cow::Borrowed(&call.invocation.arguments),
                    Some(arguments) => {
                        check_input(call.tool, arguments)?;
                        Cow::Owned(arguments.clone())
                    }
                };
                let now = Now::by(&*self.parts.clock);
                let terms = self.parts.policy.terms(call.skill, &self.parts.grants.current(), now)?;
                // Whoever finds no place keeps the approval.
                let places = self.enter(call.skill, &terms)?;
                let approved = self.parts.approvals.use_for(&approval.id, &call.invocation.principal.name).await?;
                let mut decision = self.decide(call, Some(&approved)).map_err(|(_, refusal)| refusal)?;
                self.use_up(call, &mut decision, Some(&approved)).await?;
                // What runs by that shares no workspace.
                Ok(Admission { turn: None, places, decision, approved: Some(approved), arguments })
            }
            Err((_, refusal)) => Err(refusal.into()),
        }
    }

    /// Uses a grant that is for one call. Where it is another one than at the decision, the call
    /// is decided again by that, which also says why one that is used or gone allows nothing.
    async fn use_up(
        &self,
        call: &Request<'_>,
        decision: &mut Decision,
        approved: Option<&Approved>,
    ) -> Result<(), ExecuteError> {
        for _ in 0..MAX_DECISIONS {
            if !decision.entry.grant.one_shot {
                return Ok(());
            }
            if self.parts.grants.use_up(&decision.entry, &call.invocation.principal.name).await? {
                return Ok(());
            }
            *decision = self.decide(call, approved).map_err(|(_, refusal)| refusal)?;
        }
        let problem = "it was another one whenever a call was to use it".to_owned();
        Err(Refusal::GrantInvalid { skill: call.skill.manifest.id.clone(), problem }.into())
    }

    /// What a person says of the call; waits for it as long as the caller wants to.
    async fn approval(
        &self,
        call: &Request<'_>,
        entry: &GrantEntry,
        tags: Vec<String>,
    ) -> Result<Approval, ExecuteError> {
        let invocation = call.invocation;
        let question = Question {
            principal: &invocation.principal.name,
            run: invocation.run_id(),
            trace_id: invocation.trace.trace_id_hex(),
            skill: call.skill,
            tool: &call.tool.name,
            arguments: &invocation.arguments,
            arguments_digest: call.arguments_digest,
            entry,
            tags,
            summary: None,
        };
        match self.parts.approvals.ask_and_wait(question, invocation.approval_wait).await? {
            Asked::Approved(approval) => Ok(approval),
            Asked::Denied(approval) => Err(ExecuteError::ApprovalDenied(Box::new(approval))),
            Asked::Pending(approval) => Err(ExecuteError::ApprovalPending(Box::new(approval))),
        }
    }

    /// A place among the host's calls and one among the skill's.
    pub(crate) fn enter(&self, skill: &Skill, terms: &Terms) -> Result<(Pass, Pass), ExecuteError> {
        let busy = |scope, limit| ExecuteError::Busy { scope, limit, retry_after: RETRY_AFTER };
        let limit = self.parts.max_concurrent_calls;
        let of_host = self.gate.enter(limit).ok_or_else(|| busy(BusyScope::Host, limit))?;
        let limit = terms.limits.concurrency;
        let scope = || BusyScope::Skill(skill.manifest.id.clone());
        let of_skill = skill.gate.enter(limit).ok_or_else(|| busy(scope(), limit))?;
        Ok((of_host, of_skill))
    }

    /// Makes the call unless it was made before.
    async fn call_once(&self, request: &Request<'_>, key: &str) -> Result<Execution, ExecuteError> {
        let call = match self.begin(request, key).await? {
            Begin::New(call) => call,
            Begin::Done(record) => return request.replay(&record),
            Begin::InProgress => return Err(ExecuteError::KeyInProgress { retry_after: RETRY_AFTER }),
            Begin::Interrupted => return Err(ExecuteError::Interrupted { tool: request.tool.name.clone() }),
            Begin::Mismatch => return Err(ExecuteError::KeyMismatch),
        };
        let result = self.call(request).await;
        self.end(call, &result, request.tool.idempotent).await?;
        result
    }

    async fn begin(&self, request: &Request<'_>, key: &str) -> Result<Begin, ExecuteError> {
        let Request { invocation, tool, .. } = request;
        let selector = invocation.skill.to_string();
        let digest = arguments::request(&selector, invocation.tool.as_deref(), &request.arguments_digest);
        let interrupted = if tool.idempotent { OnInterrupted::Rerun } else { OnInterrupted::Report };
        let scope = &invocation.principal.name;
        Ok(self.parts.journal.begin_call(scope, key, digest, self.parts.clock.now(), interrupted).await?)
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

    async fn call(&self, request: &Request<'_>) -> Result<Execution, ExecuteError> {
        // Whoever subscribes first misses no change of what is read afterwards.
        let changes = self.parts.grants.subscribe();
        // What is named first is dropped last: who has the next turn finds the place.
        let Admission { turn, places, decision, approved, arguments } = self.admit(request, &changes).await?;
        let started_at = self.parts.clock.now();
        let measured = match &arguments {
            Cow::Borrowed(_) => (request.arguments_digest, request.argument_bytes),
            Cow::Owned(edited) => arguments::measure(edited),
        };
        let prepared = Prepared::new(request, measured, &decision, approved.as_ref(), started_at)?;
        let start = self.parts.clock.instant();
        let terms = Arc::clone(decision.permit.terms());
        let began = decision.entry.grant.expires_at;
        let too_large = prepared.argument_bytes > terms.limits.input_bytes;
        let own: Arc<dyn Services> = Arc::new(Nested::new(self, request, &prepared, &decision.entry));
        let services = request.hooks.serve.as_ref().map_or_else(|| Arc::clone(&own), |serve| serve(Arc::clone(&own)));
        let passed = request.tool.pass(&arguments);
        let mut unrecorded = Unrecorded { executor: self, prepared: Some(&prepared), basis: &decision.basis, start };
        let outcome = tokio::select! {
            biased;
            () = std::future::ready(()), if too_large => {
                Ok(Outcome::failed(InvokeError::InputTooLarge(terms.limits.input_bytes), Usage::default()))
            }
            outcome = self.parts.sandbox.invoke(decision.permit, request.tool.index, &passed, services) => Ok(outcome),
            ended = self.revoked(request, &decision.terms, began, approved.as_ref(), changes) => Err(ended),
        };
        unrecorded.prepared = None;
        drop(unrecorded);
        let result = match outcome {
            Ok(mut outcome) => {
                outcome.usage.input_bytes = prepared.argument_bytes;
                outcome.result = outcome.result.and_then(|output| request.tool.unwrap(output));
                event::guest_log(request.skill, request.tool, &outcome.log);
                prepared.judge(outcome)
            }
            Err(ended) => Err(prepared.ended(ended, self.since(start))),
        };
        drop(places);
        drop(turn);
        let receipt = match &result {
            Ok(execution) => Some(&execution.receipt),
            Err(error) => error.receipt(),
        };
        if let Some(receipt) = receipt {
            let approval = approved.as_ref().map(Approved::id);
            self.parts.audit.call(receipt, &decision.basis, approval).await?;
        }
        result
    }

    fn since(&self, start: Instant) -> Duration {
        self.parts.clock.instant().saturating_duration_since(start)
    }

    /// Ends when the grant no longer gives what the call began with, or is over earlier than
    /// `began`, its end then. That one is a deadline in the permit: the sandbox ends the call by
    /// it, and tells what it did.
    async fn revoked(
        &self,
        call: &Request<'_>,
        terms: &Terms,
        began: Option<SystemTime>,
        approved: Option<&Approved>,
        mut changes: watch::Receiver<u64>,
    ) -> Ended {
        let Request { skill, tool, .. } = *call;
        let mut end = None;
        loop {
            changed_or_over(&mut changes, end, &*self.parts.clock).await;
            let now = Now::by(&*self.parts.clock);
            let grants = self.parts.grants.current();
            if !self.parts.policy.still_allows(skill, tool, &grants, approved, terms, now) {
                return Ended::by(&grants, skill, now);
            }
            let entry = grants.of(&skill.manifest.id, &skill.digest);
            let earlier = |end: &SystemTime| began.is_none_or(|began| *end < began);
            end = entry.and_then(|entry| entry.grant.expires_at).filter(earlier);
        }
    }
}

/// Whether the call ended before the guest began.
const fn ran_nothing(error: &ExecuteError) -> bool {
    let error = match error {
        ExecuteError::Refused(_)
        | ExecuteError::Busy { .. }
        | ExecuteError::Arguments(_)
        | ExecuteError::Approval(_)
        | ExecuteError::ApprovalPending(_)
        | ExecuteError::ApprovalDenied(_) => return true,
        ExecuteError::Invoke { error, .. } => error,
        _ => return false,
    };
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

pub(crate) fn find_tool<'s>(skill: &'s Skill, name: Option<&str>) -> Result<&'s Tool, ExecuteError> {
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

/// A call that names a tool that there is.
struct Request<'a> {
    skill: &'a Arc<Skill>,
    tool: &'a Tool,
    invocation: &'a Invocation,
    arguments_digest: Digest,
    argument_bytes: u64,
    hooks: Hooks,
}

impl<'a> Request<'a> {
    fn new(skill: &'a Arc<Skill>, tool: &'a Tool, invocation: &'a Invocation) -> Self {
        let (arguments_digest, argument_bytes) = arguments::measure(&invocation.arguments);
        Self { skill, tool, invocation, arguments_digest, argument_bytes, hooks: Hooks::default() }
    }

    fn replay(&self, record: &[u8]) -> Result<Execution, ExecuteError> {
        match record::read(record).map_err(|error| ExecuteError::Record(error.to_string()))? {
            Record::Answered(output, receipt) => {
                let (skill, tool) = (Arc::clone(self.skill), receipt.tool.clone());
                Ok(Execution { skill, tool, output, receipt: *receipt, log: String::new(), replayed: true })
            }
            Record::Failed(code, message) => Err(ExecuteError::FailedBefore { code, message }),
        }
    }
}

/// A call that is allowed and has its places.
struct Admission<'a> {
    turn: Option<Turn>,
    places: (Pass, Pass),
    decision: Decision,
    approved: Option<Approved>,
    /// The caller's, or what a person put in their place.
    arguments: Cow<'a, Value>,
}

/// Holds the arguments against the author's schema, where there is one.
pub(crate) fn check_input(tool: &Tool, arguments: &Value) -> Result<(), ExecuteError> {
    match &tool.input_narrowing {
        Some(schema) => schema.check(arguments).map_err(ExecuteError::Arguments),
        None => Ok(()),
    }
}

/// Holds a success against the author's schema of the output, where there is one.
pub(crate) fn check_output(tool: &Tool, output: &Output) -> Result<(), SchemaViolation> {
    let (Some(schema), Output::Success(json)) = (&tool.output_narrowing, output) else { return Ok(()) };
    let value = serde_json::from_str(json).map_err(|error| SchemaViolation {
        path: String::new(),
        problem: format!("the output is not JSON: {error}"),
    })?;
    schema.check(&value)
}
