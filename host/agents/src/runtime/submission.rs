//! How a run is asked for, and what makes it durable.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::Principal;
use bailiwick_domain::model::Usd;
use bailiwick_domain::run::{Budget, Class, Event, InvalidSpec, Record, Run, RunId, RunSpec, Strategy, Team};
use bailiwick_domain::text::start_of;
use bailiwick_domain::trace::TraceContext;
use bailiwick_journal::{Created, JournalError, NewRun, RunKey};
use serde_json::{Value, json};

use super::actor::at_once::First;
use super::error::SubmitError;
use super::{Inner, RuntimeOptions, keep};
use crate::registry;

/// Bytes of what is asked for.
const MAX_INPUT: usize = 256 << 10;

/// Characters that an error shows of what stands where an object should.
const MAX_SHOWN: usize = 60;

/// A run that somebody wants.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What is asked for.
    pub input: String,
    /// Who does what.
    pub strategy: Strategy,
    /// How urgent it is.
    pub class: Class,
    /// What it may take.
    pub budget: BudgetRequest,
    /// The client's own words.
    pub label: Option<String>,
    /// On whose behalf.
    pub principal: Principal,
    /// The trace that it belongs to.
    pub trace: TraceContext,
    /// The header `tracestate`.
    pub trace_state: Option<String>,
    /// Makes repeated requests one run, durably.
    pub idempotency_key: Option<String>,
}

/// What a run may take. What is not said is left to the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetRequest {
    /// Requests to models and calls of skills.
    pub steps: Option<u64>,
    /// Time.
    pub wall: Option<Duration>,
    /// Tokens of requests and answers together.
    pub tokens: Option<u64>,
    /// Money.
    pub usd: Option<Usd>,
    /// Units of fuel.
    pub fuel: Option<u64>,
    /// Calls of the host by skills.
    pub host_calls: Option<u64>,
}

/// A run that was taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// Which.
    pub id: RunId,
    /// Whether an earlier request with the same idempotency key took it up.
    pub replayed: bool,
}

impl Inner {
    pub(super) async fn submit(self: &Arc<Self>, submission: Submission) -> Result<Submitted, SubmitError> {
        if !self.options.enabled {
            return Err(SubmitError::Disabled);
        }
        if self.stopping.is_cancelled() {
            return Err(SubmitError::Stopping);
        }
        let size = submission.input.len();
        if size == 0 || size > MAX_INPUT {
            return Err(SubmitError::Input { size, max: MAX_INPUT });
        }
        if matches!(submission.strategy, Strategy::Workflow { .. }) {
            is_object(&submission.input).map_err(SubmitError::WorkflowInput)?;
        }
        let mut budget = submission.budget.within(&self.options)?;
        let key = key(&submission);
        // What was taken up once stays so, whatever became of its agents and of the queue.
        if let Some(found) = key.as_ref().map(|key| self.parts.journal.run_by_key(key)).transpose()?.flatten()
            && let Some(there) = there(found)?
        {
            return Ok(there);
        }
        let team = self.pin(&submission.strategy)?;
        budget.wall_ms = budget.wall_ms.min(self.wall_of(&submission.strategy));
        let team_bytes = serde_json::to_vec(&*team).map_err(|error| SubmitError::Unwritable(error.to_string()))?;
        let now = self.parts.clock.now();
        let id = self.parts.ids.run(now)?;
        let digest = Digest::of(&team_bytes);
        let class = submission.class;
        let spec = spec(submission, id.clone(), digest, budget);
        let first = Record { at: keep::millis(now), event: Event::Queued { spec: Box::new(spec) } };
        let queued = keep::bytes(&first);
        let run = Run::begin_checked(first, team).map_err(|error| SubmitError::Unwritable(error.to_string()))?;
        // The place in the queue comes first: nothing is kept of a run that has none.
        let ticket = self.scheduler.enter(class)?;
        let mut begun = self.begun(run, Some(ticket));
        let First { events, summary } = begun.actor.first(queued.len());
        let count = events.len();
        let events = std::iter::once(queued).chain(events).collect();
        let new = NewRun { id: id.as_str().to_owned(), key, team: (digest, team_bytes), events, summary };
        let inner = Arc::clone(self);
        let mut keeping = Box::pin(async move {
            // Somebody else may have had the same key meanwhile.
            if let Some(there) = there(inner.parts.journal.create_run(new, now).await?)? {
                return Ok(there);
            }
            begun.actor.is_kept(count);
            // A host that stops at this moment has the run in its journal, and takes it up later.
            drop(inner.launch(begun, Vec::new()));
            Ok(Submitted { id, replayed: false })
        });
        // What is kept at once, by this task itself, needs none of its own.
        if let Some(kept) = futures::future::poll_immediate(&mut keeping).await {
            return kept;
        }
        // Who submits may go away meanwhile. A run that is kept has its actor all the same.
        self.tracker.spawn(keeping).await.unwrap_or_else(|_| Err(JournalError::Stopped.into()))
    }

    /// The time that all agents have whom the strategy names. A fallback that may never be at
    /// work doesn't shorten a run.
    pub(super) fn wall_of(&self, strategy: &Strategy) -> u64 {
        let wall = |name| self.parts.agents.get(name)?.usable()?.limits.wall;
        let walls = strategy.agents().into_iter().filter_map(wall);
        walls.map(|wall| u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)).min().unwrap_or(u64::MAX)
    }

    /// The agents as they are now, with the skills as they are now. The strategy is checked with
    /// them.
    fn pin(&self, strategy: &Strategy) -> Result<Arc<Team>, SubmitError> {
        self.parts.agents.reload_if_changed();
        if let Strategy::Workflow { skill } = strategy {
            let team = registry::driven(self.parts.skills.driver(skill)?);
            strategy.check(&team)?;
            return Ok(Arc::new(team));
        }
        // What is wrong with a graph by itself is said before who is missing.
        let is_graph = matches!(strategy, Strategy::Graph { .. });
        if is_graph {
            strategy.check_alone()?;
        }
        let names = strategy.agents();
        if names.iter().all(|name| name.is_empty()) {
            return Err(InvalidSpec::Empty("agents").into());
        }
        let team = registry::team(&self.parts.agents, &names, &|selector| self.parts.skills.pin(selector))?;
        // Of a graph nothing is left to check: the team has everybody whom it names.
        if !is_graph {
            strategy.check(&team)?;
        }
        Ok(Arc::new(team))
    }
}

impl BudgetRequest {
    /// The budget that this asks for, if the host gives so much.
    pub fn within(&self, options: &RuntimeOptions) -> Result<Budget, SubmitError> {
        let wrong = |what, problem: String| Err(SubmitError::Budget { what, problem });
        let steps = self.steps.unwrap_or(options.max_steps);
        if steps == 0 || steps > options.max_steps {
            return wrong("steps", format!("{steps}, expected 1 to {}", options.max_steps));
        }
        let wall = self.wall.unwrap_or(options.default_timeout);
        if wall.is_zero() || wall > options.max_timeout {
            let most = options.max_timeout.as_secs();
            return wrong("wall", format!("{} s, expected more than none and at most {most} s", wall.as_secs_f64()));
        }
        for (what, asked) in [("tokens", self.tokens), ("fuel", self.fuel), ("host_calls", self.host_calls)] {
            if asked == Some(0) {
                return wrong(what, "0, expected 1 at least".to_owned());
            }
        }
        if self.usd == Some(Usd::ZERO) {
            return wrong("usd", "0, expected more".to_owned());
        }
        Ok(Budget {
            steps,
            wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
            tokens: self.tokens,
            usd: self.usd,
            fuel: self.fuel,
            host_calls: self.host_calls,
        })
    }
}

/// The run that an earlier request made, if it did.
fn there(created: Created) -> Result<Option<Submitted>, SubmitError> {
    match created {
        Created::New => Ok(None),
        Created::Mismatch => Err(SubmitError::KeyMismatch),
        Created::Existing(id) => {
            let id = id.parse().map_err(|_| SubmitError::Unwritable("the run of this key has no id".to_owned()))?;
            Ok(Some(Submitted { id, replayed: true }))
        }
    }
}

/// Whether a text is what a workflow works on.
fn is_object(input: &str) -> Result<(), String> {
    match serde_json::from_str::<Value>(input) {
        Ok(Value::Object(_)) => Ok(()),
        Ok(other) => Err(format!("found {}", start_of(&other.to_string(), MAX_SHOWN))),
        Err(error) => Err(error.to_string()),
    }
}

fn spec(submission: Submission, id: RunId, team: Digest, budget: Budget) -> RunSpec {
    RunSpec {
        id,
        input: submission.input,
        strategy: submission.strategy,
        team,
        class: submission.class,
        budget,
        principal: submission.principal.name.to_string(),
        trace: submission.trace.to_string(),
        trace_state: submission.trace_state,
        label: submission.label,
    }
}

/// The key by which the request is known, with the digest of all that makes two requests
/// the same.
fn key(submission: &Submission) -> Option<RunKey> {
    let key = submission.idempotency_key.clone()?;
    let BudgetRequest { steps, wall, tokens, usd, fuel, host_calls } = &submission.budget;
    let request = json!([
        submission.input,
        submission.strategy,
        submission.class,
        [
            steps,
            &wall.map(|wall| u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)),
            tokens,
            &usd.map(Usd::nanos),
            fuel,
            host_calls
        ],
        submission.label,
    ]);
    let request = Digest::of(request.to_string().as_bytes());
    Some(RunKey { scope: submission.principal.name.to_string(), key, request })
}
