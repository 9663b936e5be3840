//! One step: a model is asked, a skill is called, a person is waited for.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::invocation::{Invocation, Principal, RunStep};
use bailiwick_domain::model::{ChatRequest, Listener, ModelFailure};
use bailiwick_domain::run::{Action, Event, Run, Spend, StepResult, prompt};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::Report;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::random;
use tokio::sync::broadcast;

use super::{Heard, Inner};
use crate::skills::{CallOutcome, Verdict};

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
    heard: &broadcast::Sender<Heard>,
) -> Option<BoxFuture<'static, Done>> {
    let step = run.steps.get(number as usize)?;
    let left = left.unwrap_or_else(|| run.spec.budget.wall());
    match &step.action {
        Action::Model {} => {
            let request = request(run, step.task, left.min(inner.options.model_timeout))?;
            Some(Box::pin(ask(
                Arc::clone(inner),
                number,
                request,
                Voice { heard: heard.clone(), task: step.task, step: number },
            )))
        }
        Action::Skill { skill, digest, tool, arguments, .. } => {
            let version = run.member(step.task)?.skills.iter().find(|it| it.id == *skill)?.version.clone();
            let invocation = Invocation {
                // Exactly the release that the run began with; its bytes are compared too.
                skill: SkillSelector::within(skill.clone(), &format!("={version}")).ok()?,
                tool: Some(tool.clone()),
                arguments: arguments.clone(),
                principal: Principal { name: run.spec.principal.as_str().into() },
                trace: span(run)?,
                deadline: Some(left),
                idempotency_key: None,
                approval_wait: Duration::ZERO,
                caller: None,
                run: Some(Box::new(RunStep {
                    run: run.spec.id.clone(),
                    step: number,
                    digest: *digest,
                    budget: run.for_call(step.task),
                })),
            };
            let call = inner.parts.skills.call(invocation, told(number, heard.clone()));
            Some(Box::pin(async move {
                let called = call.await;
                let ended = |result| Done::Ended { step: number, result, spend: called.spend, receipt: called.receipt };
                match called.outcome {
                    CallOutcome::Output { json, failed } => ended(StepResult::Output { json, failed }),
                    CallOutcome::Failed { code, message, retriable } => {
                        ended(StepResult::Failed { code, message, retriable })
                    }
                    CallOutcome::Approval(approval) => Done::Asked { step: number, approval },
                }
            }))
        }
    }
}

/// Waits for the person whom a step asked.
pub(super) fn answer(inner: &Arc<Inner>, run: &Run, number: u32) -> Option<BoxFuture<'static, Done>> {
    let (_, approval) = run.awaiting().find(|(step, _)| *step == number)?;
    let verdict = inner.parts.skills.answer(approval.to_owned());
    Some(Box::pin(async move { Done::Answered { step: number, verdict: verdict.await } }))
}

fn request(run: &Run, task: u32, deadline: Duration) -> Option<ChatRequest> {
    let prompt = prompt(run, task)?;
    Some(ChatRequest {
        models: prompt.models,
        messages: prompt.messages,
        tools: prompt.tools,
        must_call: prompt.must_call,
        max_tokens: prompt.max_tokens,
        temperature: prompt.temperature,
        output_schema: None,
        deadline,
        trace: span(run)?,
        trace_state: run.spec.trace_state.clone(),
    })
}

/// A span of its own in the run's trace.
fn span(run: &Run) -> Option<TraceContext> {
    let trace: TraceContext = run.spec.trace.parse().ok()?;
    // Without randomness the spans of a run are one.
    Some(TraceContext { span_id: random::bytes().unwrap_or(trace.span_id), ..trace })
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

/// Passes on what a model says.
struct Voice {
    heard: broadcast::Sender<Heard>,
    task: u32,
    step: u32,
}

impl Listener for Voice {
    fn text(&self, piece: &str) {
        let piece = Heard::Text { task: self.task, step: self.step, piece: piece.to_owned() };
        // Nobody may be listening.
        drop(self.heard.send(piece));
    }

    fn again(&self, failure: &ModelFailure, model: &str, wait: Duration) {
        let message = format!("{failure}; `{model}` is asked in {:.1} s", wait.as_secs_f64());
        drop(self.heard.send(Heard::Again { step: self.step, message }));
    }
}

/// Passes on what a skill tells.
fn told(step: u32, heard: broadcast::Sender<Heard>) -> Arc<dyn Fn(Report) + Send + Sync> {
    Arc::new(move |report| {
        let told = match report {
            Report::Progress { done, total, message } => Heard::Progress { step, done, total, message },
            Report::Log { level, context, message } => {
                let message = if context.is_empty() { message } else { format!("{context}: {message}") };
                Heard::Log { step, level: level.name(), message }
            }
        };
        drop(heard.send(told));
    })
}
