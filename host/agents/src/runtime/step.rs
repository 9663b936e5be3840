//! One step: a model is asked, a skill is called, a person is waited for.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::invocation::{Invocation, Principal, RunStep};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::model::{ChatRequest, Listener, ModelFailure, Usd};
use bailiwick_domain::run::{Action, Event, Role, Run, Spend, Step, StepResult, prompt};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::{ModelRequest, Report};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::trace::TraceContext;
use bailiwick_domain::workspace::WorkspaceKey;
use bailiwick_skills::execute::Asking;
use futures::FutureExt as _;

use super::hearers::Hearers;
use super::{Heard, Inner, driver};
use crate::skills::{CallOutcome, Called, Serve, Verdict};
use crate::spans::ids;

/// A step that came to something.
pub(super) enum Done {
    /// It has its result.
    Ended { step: u32, result: StepResult, spend: Spend, receipt: Option<String> },
    /// A person has to say yes first.
    Asked { step: u32, approval: String },
    /// A person has answered.
    Answered { step: u32, verdict: Verdict },
}

impl Done {
    pub(super) fn event(self) -> Event {
        match self {
            Self::Ended { step, result, spend, receipt } => Event::StepEnded { step, result, spend, receipt },
            Self::Asked { step, approval } => Event::ApprovalRequested { step, approval },
            Self::Answered { step, verdict: Verdict { approved, reason } } => {
                Event::ApprovalAnswered { step, approved, reason }
            }
        }
    }
}

/// What is told of a step whose task panicked.
pub(super) fn died(step: u32) -> Event {
    let message = "the part of the host that worked on the step died".to_owned();
    let result = StepResult::Failed { code: "WORKER_DIED".to_owned(), message, retriable: false };
    Event::StepEnded { step, result, spend: Spend::of_nothing(Duration::ZERO), receipt: None }
}

/// What has to be done for a step that begins. `left` is what is left of the run's time.
pub(super) fn work(
    inner: &Arc<Inner>,
    run: &Run,
    number: u32,
    left: Option<Duration>,
    hearers: &Hearers,
) -> Option<BoxFuture<'static, Done>> {
    let step = run.steps.get(number as usize)?;
    let left = left.unwrap_or_else(|| run.spec.budget.wall());
    match &step.action {
        Action::Complete { output_schema: Some(_), .. } => {
            let request = request(inner, run, number, left.min(inner.options.model_timeout))?;
            let tokens = run.spec.budget.tokens.map_or(u64::MAX, |most| most.saturating_sub(run.spend.tokens()));
            Some(Box::pin(ask_until_it_fits(Arc::clone(inner), number, request, tokens)))
        }
        Action::Model {} | Action::Complete { .. } => {
            let request = request(inner, run, number, left.min(inner.options.model_timeout))?;
            Some(Box::pin(ask(
                Arc::clone(inner),
                number,
                request,
                Voice { hearers: hearers.clone(), task: step.task, step: number },
            )))
        }
        Action::Skill { .. } => {
            let call = inner.parts.skills.call(invocation(inner, run, number, left)?, told(number, hearers.clone()));
            Some(came(number, call))
        }
        // These begin when somebody is there whom they serve.
        Action::Drive { .. } | Action::Question { .. } => None,
    }
}

/// Has a workflow run, served by what `serve` makes.
pub(super) fn drive(
    inner: &Arc<Inner>,
    run: &Run,
    number: u32,
    left: Option<Duration>,
    hearers: &Hearers,
    serve: Serve,
) -> Option<BoxFuture<'static, Done>> {
    let left = left.unwrap_or_else(|| run.spec.budget.wall());
    let drive = inner.parts.skills.drive(invocation(inner, run, number, left)?, told(number, hearers.clone()), serve);
    // What its models took is counted where they were asked, which are steps of their own.
    let own = |spend: Spend| Spend { input_tokens: 0, output_tokens: 0, usd: Usd::ZERO, ..spend };
    let drive = drive.map(move |called| Called { spend: own(called.spend), ..called });
    Some(came(number, Box::pin(drive)))
}

/// The call that a step is.
fn invocation(inner: &Inner, run: &Run, number: u32, left: Duration) -> Option<Invocation> {
    let step = run.steps.get(number as usize)?;
    let (Action::Skill { skill, digest, tool, arguments, .. } | Action::Drive { skill, digest, tool, arguments }) =
        &step.action
    else {
        return None;
    };
    let budget = run.for_call(step.task);
    let version = run.member(step.task)?.skills.iter().find(|it| it.id == *skill)?.version.clone();
    Some(Invocation {
        // Exactly the release that the run began with; its bytes are compared too.
        skill: SkillSelector::within(skill.clone(), &format!("={version}")).ok()?,
        tool: Some(tool.clone()),
        arguments: arguments.clone(),
        principal: Principal { name: run.spec.principal.as_str().into() },
        trace: span(inner, run, number)?,
        trace_state: run.spec.trace_state.clone(),
        deadline: Some(left),
        idempotency_key: None,
        approval_wait: Duration::ZERO,
        caller: None,
        run: Some(Box::new(RunStep {
            run: run.spec.id.clone(),
            step: number,
            digest: *digest,
            budget: LimitsRequest {
                // What a workflow is told again is paid for already: the tokens of its models are
                // counted where they were asked.
                model_tokens: budget.model_tokens.filter(|_| !step.action.is_drive()),
                ..budget
            },
            workspace: workspace(run, step),
        })),
    })
}

/// The calls of a task share a workspace, as long as one agent has it. A workflow runs again
/// from its beginning, and passes on itself what is to be passed on.
fn workspace(run: &Run, step: &Step) -> Option<WorkspaceKey> {
    let opening = &run.tasks.get(step.task as usize)?.opening;
    let key = || WorkspaceKey { run: run.spec.id.clone(), task: step.task, agent: opening.agent.clone() };
    (opening.role != Role::Drive).then(key)
}

/// What comes of a call.
fn came(number: u32, call: BoxFuture<'static, Called>) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        let called = call.await;
        let ended = |result| Done::Ended { step: number, result, spend: called.spend, receipt: called.receipt };
        match called.outcome {
            CallOutcome::Output { json, failed } => ended(StepResult::Output { json, failed }),
            CallOutcome::Failed { code, message, retriable } => ended(StepResult::Failed { code, message, retriable }),
            CallOutcome::Approval(approval) => Done::Asked { step: number, approval },
        }
    })
}

/// Waits for the person whom a step asked.
pub(super) fn answer(inner: &Arc<Inner>, run: &Run, number: u32) -> Option<BoxFuture<'static, Done>> {
    let (_, approval) = run.awaiting().find(|(step, _)| *step == number)?;
    // A yes to a workflow's question is for nothing else.
    let is_question = run.steps.get(number as usize).is_some_and(|step| step.action.is_question());
    let by = is_question.then(|| run.spec.principal.clone());
    let verdict = inner.parts.skills.answer(approval.to_owned(), by);
    Some(Box::pin(async move { Done::Answered { step: number, verdict: verdict.await } }))
}

fn request(inner: &Inner, run: &Run, number: u32, deadline: Duration) -> Option<ChatRequest> {
    let step = run.steps.get(number as usize)?;
    let (trace, trace_state) = (span(inner, run, number)?, run.spec.trace_state.clone());
    if let Action::Complete { model, messages, max_tokens, temperature_milli, output_schema } = &step.action {
        return Some(ChatRequest {
            models: vec![model.clone()],
            messages: messages.clone(),
            tools: Vec::new(),
            must_call: false,
            max_tokens: run.spec.budget.for_answer(&run.spend).into_iter().chain(*max_tokens).min(),
            #[expect(clippy::cast_precision_loss, reason = "a temperature is a small number")]
            temperature: temperature_milli.map(|milli| milli as f32 / 1000.0),
            output_schema: output_schema.clone(),
            deadline,
            trace,
            trace_state,
        });
    }
    let prompt = prompt(run, step.task)?;
    Some(ChatRequest {
        models: prompt.models,
        messages: prompt.messages,
        tools: prompt.tools,
        must_call: prompt.must_call,
        max_tokens: prompt.max_tokens,
        temperature: prompt.temperature,
        output_schema: prompt.output_schema,
        deadline,
        trace,
        trace_state,
    })
}

/// The span of a step in the run's trace. Whoever keeps our spans has one with the same id.
fn span(inner: &Inner, run: &Run, number: u32) -> Option<TraceContext> {
    let trace: TraceContext = run.spec.trace.parse().ok()?;
    let attempt = run.steps.get(number as usize)?.attempt;
    let span_id = ids::of_step(&run.spec.id, number, attempt);
    Some(TraceContext { span_id, sampled: trace.sampled || inner.parts.tracer.is_on(), ..trace })
}

async fn ask(inner: Arc<Inner>, step: u32, request: ChatRequest, voice: Voice) -> Done {
    let clock = &inner.parts.clock;
    let start = clock.instant();
    // The model has the same time; this is for one that doesn't keep to it.
    let answered = tokio::time::timeout(request.deadline, inner.parts.models.chat(&request, &voice)).await;
    let took = clock.instant().saturating_duration_since(start);
    let (result, spend) = match answered.unwrap_or(Err(ModelFailure::Timeout)) {
        Ok(answer) => {
            let spend = Spend::of_model(&answer.cost, took);
            (StepResult::Answer { answer }, spend)
        }
        // Whoever asks models has tried again already.
        Err(failure) => {
            let (code, message) = (failure.code().to_owned(), failure.to_string());
            (StepResult::Failed { code, message, retriable: false }, Spend::of_nothing(took))
        }
    };
    Done::Ended { step, result, spend, receipt: None }
}

/// Asks for an answer that fits a schema, a few times where it doesn't. `tokens` are left
/// for all of them.
async fn ask_until_it_fits(inner: Arc<Inner>, step: u32, request: ChatRequest, tokens: u64) -> Done {
    let clock = &*inner.parts.clock;
    let start = clock.instant();
    let ChatRequest { trace, trace_state, .. } = request;
    let wanted = ModelRequest {
        model: request.models.into_iter().next().unwrap_or_default(),
        messages: request.messages.into_iter().map(driver::said).collect(),
        max_tokens: request.max_tokens,
        temperature: request.temperature,
        output_schema: request.output_schema,
        tokens,
        deadline: request.deadline,
    };
    let answered = Asking { model: &*inner.parts.models, clock, trace, trace_state }.complete(&wanted).await;
    let took = clock.instant().saturating_duration_since(start);
    let (result, cost) = match answered {
        Ok(response) => {
            let cost = response.cost();
            (StepResult::Answer { answer: driver::answer(response) }, cost)
        }
        Err(error) => (driver::failed(&error), error.cost()),
    };
    Done::Ended { step, result, spend: Spend::of_model(&cost, took), receipt: None }
}

/// Passes on what a model says.
struct Voice {
    hearers: Hearers,
    task: u32,
    step: u32,
}

impl Listener for Voice {
    fn text(&self, piece: &str) {
        self.hearers.tell(|| Heard::Text { task: self.task, step: self.step, piece: piece.to_owned() });
    }

    fn again(&self, failure: &ModelFailure, model: &str, wait: Duration) {
        self.hearers.tell(|| {
            let message = format!("{failure}; `{model}` is asked in {:.1} s", wait.as_secs_f64());
            Heard::Again { step: self.step, message }
        });
    }
}

/// Passes on what a skill tells.
fn told(step: u32, hearers: Hearers) -> Arc<dyn Fn(Report) + Send + Sync> {
    Arc::new(move |report| {
        hearers.tell(|| match report {
            Report::Progress { done, total, message } => Heard::Progress { step, done, total, message },
            Report::Log { level, context, message } => {
                let message = if context.is_empty() { message } else { format!("{context}: {message}") };
                Heard::Log { step, level: level.name(), message }
            }
        });
    })
}
