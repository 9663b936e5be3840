//! What serves a workflow that drives a run.
//!
//! Whatever its component asks for goes to the run's actor, which makes it durable
//! before anybody is asked, and answers with what came of it, be it now or before a stop
//! of the host. Where that takes long, the component is put away: it runs anew when the
//! answers are there, and comes to the same place.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::authority::SkillRule;
use bailiwick_domain::model::{ChatAnswer, Finish, Message};
use bailiwick_domain::run::{Action, INVALID_ARGUMENTS, PinnedSkill, PinnedTool, StepResult, Team};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::{
    ModelError, ModelFinish, ModelMessage, ModelRequest, ModelResponse, ModelRole, Question, QuestionError, Report,
    Services, SkillAnswer, SkillCall, SkillCallError, Verdict,
};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::usage::Usage;
use tokio::sync::{mpsc, oneshot};

/// How long a workflow waits for an answer where nothing bounds it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that a workflow's services tell the actor of its run.
pub(super) struct Mail {
    /// The step by which the workflow runs.
    pub(super) driver: u32,
    /// Which of its beginnings this one is.
    pub(super) activation: u64,
    pub(super) word: Word,
}

pub(super) enum Word {
    /// The workflow asks for something.
    Asks { action: Box<Action>, answer: oneshot::Sender<Answer> },
    /// The question of a step was put to a person, who has not answered.
    Put { step: u32, approval: String, answer: oneshot::Sender<Answer> },
    /// The question of a step came to an end at once.
    Settled { step: u32, result: Box<StepResult>, answer: oneshot::Sender<Answer> },
    /// It has waited for as long as it may.
    Sleeps,
}

pub(super) enum Answer {
    /// What came of it.
    Came(StepResult),
    /// The question is durable as this step, and can be put.
    Ask(u32),
}

/// What a workflow is served by.
pub(super) struct Driven {
    /// What any call is served by.
    pub(super) own: Arc<dyn Services>,
    pub(super) mail: mpsc::Sender<Mail>,
    pub(super) driver: u32,
    pub(super) activation: u64,
    pub(super) team: Arc<Team>,
    /// Whose skills it calls.
    pub(super) member: String,
    /// The same each time that it runs.
    pub(super) seed: [u8; 32],
}

impl Driven {
    /// What comes of `action`, which the workflow has `left` to wait for.
    async fn ask(&self, action: Action, left: Duration) -> Answer {
        let (answer, heard) = oneshot::channel();
        self.say(Word::Asks { action: Box::new(action), answer }).await;
        self.wait(heard, left).await
    }

    async fn result(&self, action: Action, left: Duration) -> StepResult {
        match self.ask(action, left).await {
            Answer::Came(result) => result,
            // Only questions are answered so.
            Answer::Ask(_) => self.sleep().await,
        }
    }

    /// Waits for half of the time that is left: the other half is for what comes after.
    async fn wait(&self, heard: oneshot::Receiver<Answer>, left: Duration) -> Answer {
        match tokio::time::timeout(left / 2, heard).await {
            Ok(Ok(answer)) => answer,
            _ => self.sleep().await,
        }
    }

    /// Has the workflow put away: whoever awaits this is dropped.
    async fn sleep<T>(&self) -> T {
        self.say(Word::Sleeps).await;
        std::future::pending().await
    }

    async fn say(&self, word: Word) {
        // An actor that is gone ends all that works for it.
        drop(self.mail.send(Mail { driver: self.driver, activation: self.activation, word }).await);
    }

    async fn call(&self, call: SkillCall) -> Result<String, SkillCallError> {
        let SkillCall { skill, allowed, tool, arguments, budget } = call;
        let (skill, tool) = self.callee(&skill, &allowed, tool.as_deref())?;
        let action = Action::Skill {
            call: String::new(),
            skill: skill.id.clone(),
            digest: skill.digest,
            tool: tool.name.clone(),
            arguments,
            idempotent: tool.idempotent,
        };
        match self.result(action, budget.deadline.unwrap_or(PATIENCE)).await {
            StepResult::Output { json, failed: false } => Ok(json),
            StepResult::Output { json, failed: true } => Err(SkillCallError::Failed(json)),
            StepResult::Failed { code, message, .. } => Err(call_error(&code, message)),
            StepResult::Answer { answer } => Ok(answer.text),
        }
    }

    /// The release of a skill that the run began with, and its tool.
    fn callee(
        &self,
        wanted: &SkillSelector,
        allowed: &SkillRule,
        tool: Option<&str>,
    ) -> Result<(&PinnedSkill, &PinnedTool), SkillCallError> {
        let not_found = |problem: String| SkillCallError::NotFound(problem);
        let skills = self.team.members.get(&self.member).map_or(&[][..], |member| &member.skills);
        // The first one is the workflow itself.
        let mut others = skills.iter().skip(1);
        let is_meant = |it: &&PinnedSkill| {
            it.id == wanted.id && wanted.versions.matches(&it.version) && allowed.allows(&it.version)
        };
        let Some(skill) = others.find(is_meant) else {
            return Err(not_found(format!(
                "the run began without `{wanted}`: a run keeps the skills that it began with"
            )));
        };
        let names = || skill.tools.iter().map(|tool| format!("`{}`", tool.name)).collect::<Vec<_>>().join(", ");
        let found = match (tool, skill.tools.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => return Err(not_found(format!("`{}` has the tools {}: name one", skill.id, names()))),
            (Some(name), tools) => tools.iter().find(|tool| tool.name == name),
        };
        found.map(|tool| (skill, tool)).ok_or_else(|| {
            not_found(format!("`{}` has no tool `{}`; it has {}", skill.id, tool.unwrap_or_default(), names()))
        })
    }

    async fn answer_of(&self, request: ModelRequest) -> Result<ModelResponse, ModelError> {
        let left = request.deadline;
        let action = Action::Complete {
            model: request.model,
            messages: request.messages.into_iter().map(Message::from).collect(),
            max_tokens: request.max_tokens,
            temperature_milli: request.temperature.map(milli),
            output_schema: request.output_schema,
        };
        match self.result(action, left).await {
            StepResult::Answer { answer } => {
                let cost = answer.cost;
                Ok(ModelResponse::of(answer, cost))
            }
            StepResult::Failed { code, message, .. } => Err(model_error(&code, message)),
            StepResult::Output { .. } => Err(ModelError::Failed("the model gave no answer".to_owned())),
        }
    }

    async fn verdict(&self, question: Question, wait: Duration) -> Result<Verdict, QuestionError> {
        let action = Action::Question { summary: question.summary.clone(), details: question.details.clone() };
        let answer = match self.ask(action, wait).await {
            Answer::Ask(step) => self.put(step, question, wait).await,
            answer @ Answer::Came(_) => answer,
        };
        let Answer::Came(result) = answer else { return self.sleep().await };
        match result.verdict() {
            Some((true, _)) => Ok(Verdict::Approved),
            Some((false, reason)) => Ok(Verdict::Denied(reason)),
            None => Err(QuestionError::Failed(words(&result))),
        }
    }

    /// Puts a question that is durable now.
    async fn put(&self, step: u32, question: Question, wait: Duration) -> Answer {
        let (answer, heard) = oneshot::channel();
        let settled = |result: StepResult, answer| Word::Settled { step, result: Box::new(result), answer };
        let word = match self.own.ask(question, Duration::ZERO).await {
            Ok(Verdict::Approved) => settled(StepResult::of_verdict(true, None), answer),
            Ok(Verdict::Denied(reason)) => settled(StepResult::of_verdict(false, reason.as_deref()), answer),
            Err(QuestionError::Pending(approval)) => Word::Put { step, approval, answer },
            Err(QuestionError::Limit(message) | QuestionError::Failed(message)) => {
                let code = "QUESTION_FAILED".to_owned();
                settled(StepResult::Failed { code, message, retriable: false }, answer)
            }
        };
        self.say(word).await;
        self.wait(heard, wait).await
    }
}

impl Services for Driven {
    fn call_skill(&self, call: SkillCall) -> BoxFuture<'_, SkillAnswer> {
        // What the call takes is counted on the run's account, once.
        Box::pin(async move { SkillAnswer { result: self.call(call).await, usage: Usage::default() } })
    }

    fn complete(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelResponse, ModelError>> {
        Box::pin(self.answer_of(request))
    }

    fn ask(&self, question: Question, wait: Duration) -> BoxFuture<'_, Result<Verdict, QuestionError>> {
        Box::pin(self.verdict(question, wait))
    }

    fn report(&self, report: Report) {
        self.own.report(report);
    }

    fn seed(&self) -> Option<[u8; 32]> {
        Some(self.seed)
    }
}

/// What a workflow is told of a call that gave nothing.
fn call_error(code: &str, message: String) -> SkillCallError {
    match code {
        INVALID_ARGUMENTS => SkillCallError::InvalidArguments(message),
        "APPROVAL_DENIED" | "no-grant" | "suspended" | "grant-expired" | "grant-used-up" | "grant-invalid"
        | "revoked" | "prompt" => SkillCallError::Denied(message),
        "TIMEOUT" | "MAX_RETRIES" | "fuel-exhausted" | "memory-exhausted" | "limit-exceeded" | "output-too-large"
        | "OUTPUT_TOO_LARGE" => SkillCallError::Limit(message),
        _ => SkillCallError::Unavailable(format!("{code}: {message}")),
    }
}

fn model_error(code: &str, message: String) -> ModelError {
    match code {
        "NO_MODEL" => ModelError::NoModel(message),
        "MODEL_REQUEST" => ModelError::InvalidRequest(message),
        "TIMEOUT" => ModelError::Limit(message),
        _ => ModelError::Failed(format!("{code}: {message}")),
    }
}

/// What a workflow's request to a model came to, where there is no answer.
pub(super) fn failed(error: &ModelError) -> StepResult {
    let code = match error {
        ModelError::NoModel(_) => "NO_MODEL",
        ModelError::InvalidRequest(_) => "MODEL_REQUEST",
        ModelError::Limit(_) => "TIMEOUT",
        ModelError::Failed(_) => "MODEL_FAILED",
        ModelError::Unfit { .. } => "MODEL_UNFIT",
    };
    StepResult::Failed { code: code.to_owned(), message: error.to_string(), retriable: false }
}

fn words(result: &StepResult) -> String {
    match result {
        StepResult::Failed { message, .. } => message.clone(),
        StepResult::Answer { .. } | StepResult::Output { .. } => "nobody could be asked".to_owned(),
    }
}

/// A turn as services have it. A workflow's conversations have no tools.
pub(super) fn said(message: Message) -> ModelMessage {
    let (role, content) = match message {
        Message::System { text } => (ModelRole::System, text),
        Message::User { text } | Message::Tool { text, .. } => (ModelRole::User, text),
        Message::Assistant { text, .. } => (ModelRole::Assistant, text),
    };
    ModelMessage { role, content }
}

/// The answer, as runs keep it.
pub(super) fn answer(response: ModelResponse) -> ChatAnswer {
    let cost = response.cost();
    let finish = match response.finish {
        ModelFinish::Stop => Finish::Stop,
        ModelFinish::Length => Finish::Length,
        ModelFinish::Refusal => Finish::Refusal,
    };
    ChatAnswer { model: response.model, text: response.text, calls: Vec::new(), finish, cost }
}

/// A temperature in thousandths, so that the same request is the same text.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it was checked to be no less than zero, and a cast from a float ends at the largest number"
)]
fn milli(temperature: f32) -> u32 {
    (temperature * 1000.0).round() as u32
}
