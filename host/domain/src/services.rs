//! What a running guest may ask of the rest of the host, beyond what its permit lets
//! the sandbox do alone: another skill, a model, a person; and telling how far it is.

use std::time::Duration;

use serde_json::Value;

use crate::authority::SkillRule;
use crate::limits::LimitsRequest;
use crate::model::{ChatAnswer, Finish, Message, ModelCost, Usd};
use crate::sandbox::BoxFuture;
use crate::skill_id::SkillSelector;
use crate::usage::Usage;

/// Serves one call. Each call has services of its own, which know who it is.
///
/// The sandbox has checked before that the permit gives what is asked for, and counted
/// it.
pub trait Services: Send + Sync + 'static {
    /// Calls another skill under that one's own grant.
    fn call_skill(&self, call: SkillCall) -> BoxFuture<'_, SkillAnswer>;

    /// Asks a model.
    fn complete(&self, request: ModelRequest) -> BoxFuture<'_, Result<ModelResponse, ModelError>>;

    /// Asks a person, and waits for `wait` at the most.
    fn ask(&self, question: Question, wait: Duration) -> BoxFuture<'_, Result<Verdict, QuestionError>>;

    /// Tells whoever follows the call. Never waits.
    fn report(&self, report: Report);

    /// What random bytes follow from, where a guest that runs anew has to get the same.
    fn seed(&self) -> Option<[u8; 32]> {
        None
    }
}

/// A call of another skill.
#[derive(Clone, Debug, PartialEq)]
pub struct SkillCall {
    /// Which skill, in the releases that caller and permit accept.
    pub skill: SkillSelector,
    /// What the permit gives: whatever release is found has to be one that this allows.
    pub allowed: SkillRule,
    /// Which tool; may be left out where the skill has only one.
    pub tool: Option<String>,
    /// An object of arguments by parameter name.
    pub arguments: Value,
    /// What the caller has left for it.
    pub budget: LimitsRequest,
}

/// How a call of another skill ended.
#[derive(Clone, Debug, PartialEq)]
pub struct SkillAnswer {
    /// Its output as JSON text.
    pub result: Result<String, SkillCallError>,
    /// What it took of the budget, whatever came of it.
    pub usage: Usage,
}

/// Why a call of another skill gave no output. Each with words for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkillCallError {
    /// Not allowed to the caller, or to the skill that was called.
    #[error("{0}")]
    Denied(String),
    /// No such skill or tool.
    #[error("{0}")]
    NotFound(String),
    /// The arguments don't fit.
    #[error("{0}")]
    InvalidArguments(String),
    /// The tool's own failure, as JSON text.
    #[error("{0}")]
    Failed(String),
    /// A person has to say yes first; the approval's id.
    #[error("{0}")]
    ApprovalRequired(String),
    /// A limit of the caller, of the called or of the host.
    #[error("{0}")]
    Limit(String),
    /// It trapped, or can't be run now.
    #[error("{0}")]
    Unavailable(String),
}

/// What is asked of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// Its name, which the permit gives.
    pub model: String,
    /// The conversation so far.
    pub messages: Vec<ModelMessage>,
    /// The most tokens to answer with, as the caller asked for them: see
    /// [`ModelRequest::answer_tokens`].
    pub max_tokens: Option<u32>,
    /// From 0 upward.
    pub temperature: Option<f32>,
    /// A JSON Schema that the answer has to fit.
    pub output_schema: Option<Value>,
    /// What the caller has left of its tokens, of requests and answers together.
    pub tokens: u64,
    /// What the caller has left of its time, but for what it needs to say that no answer
    /// came.
    pub deadline: Duration,
}

/// Tokens that every model has for one answer. Many refuse a request that asks for more
/// than their own limit, so that none is named where this many are left.
const EVERY_ANSWER: u32 = 4096;

impl ModelRequest {
    /// The most tokens of the next answer, where answers before took `spent`: those that
    /// were asked for, or those that are left where these are fewer. Where none were asked
    /// for and many are left, the model's own limit holds.
    pub fn answer_tokens(&self, spent: u64) -> Option<u32> {
        let left = u32::try_from(self.tokens.saturating_sub(spent)).unwrap_or(u32::MAX);
        match self.max_tokens {
            Some(asked) => Some(asked.min(left)),
            None => (left < EVERY_ANSWER).then_some(left),
        }
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelMessage {
    /// Who says it.
    pub role: ModelRole,
    /// What.
    pub content: String,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelRole {
    /// Whoever set the model up.
    System,
    /// Whoever talks with it.
    User,
    /// The model.
    Assistant,
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelResponse {
    /// The model that answered.
    pub model: String,
    /// What.
    pub text: String,
    /// Why it ends there.
    pub finish: ModelFinish,
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Money.
    pub usd: Usd,
}

impl From<ModelMessage> for Message {
    fn from(message: ModelMessage) -> Self {
        let ModelMessage { role, content: text } = message;
        match role {
            ModelRole::System => Self::System { text },
            ModelRole::User => Self::User { text },
            ModelRole::Assistant => Self::Assistant { text, calls: Vec::new() },
        }
    }
}

impl ModelResponse {
    /// What a guest is told of an answer that took `cost`, those before it included.
    pub fn of(answer: ChatAnswer, cost: ModelCost) -> Self {
        let ModelCost { input_tokens, output_tokens, usd } = cost;
        let finish = match answer.finish {
            Finish::Stop => ModelFinish::Stop,
            Finish::Length => ModelFinish::Length,
            Finish::Refusal => ModelFinish::Refusal,
        };
        Self { model: answer.model, text: answer.text, finish, input_tokens, output_tokens, usd }
    }

    /// What it took.
    pub const fn cost(&self) -> ModelCost {
        ModelCost { input_tokens: self.input_tokens, output_tokens: self.output_tokens, usd: self.usd }
    }
}

/// Why an answer ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelFinish {
    /// The model was done.
    Stop,
    /// It had no tokens left.
    Length,
    /// It, or its provider, refused.
    Refusal,
}

/// Why a model did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The host has no such model.
    #[error("{0}")]
    NoModel(String),
    /// The request makes no sense.
    #[error("{0}")]
    InvalidRequest(String),
    /// A limit of the host.
    #[error("{0}")]
    Limit(String),
    /// The model, or the way to it, failed.
    #[error("{0}")]
    Failed(String),
    /// It answered, and no answer fits the schema.
    #[error("{message}")]
    Unfit {
        /// What is wrong with the last one, and why it was not asked again.
        message: String,
        /// What the answers took.
        cost: ModelCost,
    },
}

impl ModelError {
    /// What was paid for all the same.
    pub const fn cost(&self) -> ModelCost {
        match self {
            Self::Unfit { cost, .. } => *cost,
            Self::NoModel(_) | Self::InvalidRequest(_) | Self::Limit(_) | Self::Failed(_) => ModelCost::NOTHING,
        }
    }
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// In one line.
    pub summary: String,
    /// An object with what the person should know.
    pub details: Value,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Approved,
    /// No, with the reason where one was given.
    Denied(Option<String>),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// Nobody has answered yet; the approval's id.
    #[error("{0}")]
    Pending(String),
    /// As many questions wait as may.
    #[error("{0}")]
    Limit(String),
    /// The host could not ask.
    #[error("{0}")]
    Failed(String),
}

/// What a guest tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// How far it is.
    Progress {
        /// In a unit of its own.
        done: u64,
        /// Where the end is, if that is known.
        total: Option<u64>,
        /// One line for a person.
        message: String,
    },
    /// A line for its log.
    Log {
        /// How much it matters.
        level: LogLevel,
        /// The part of the skill; may be empty.
        context: String,
        /// What.
        message: String,
    },
}

/// How much a line of a log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Step by step.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// For whoever runs the skill.
    Info,
    /// Something may be wrong.
    Warn,
    /// Something is wrong.
    Error,
    /// The skill can't go on.
    Critical,
}

impl LogLevel {
    /// In lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// Services of a call that has nobody to serve it: one on copies, or one of a test.
#[derive(Clone, Copy, Debug)]
pub struct NoServices;

impl Services for NoServices {
    fn call_skill(&self, _: SkillCall) -> BoxFuture<'_, SkillAnswer> {
        let error = SkillCallError::Unavailable("no other skill can be called from here".to_owned());
        Box::pin(std::future::ready(SkillAnswer { result: Err(error), usage: Usage::default() }))
    }

    fn complete(&self, _: ModelRequest) -> BoxFuture<'_, Result<ModelResponse, ModelError>> {
        let error = ModelError::NoModel("no model can be asked from here".to_owned());
        Box::pin(std::future::ready(Err(error)))
    }

    fn ask(&self, _: Question, _: Duration) -> BoxFuture<'_, Result<Verdict, QuestionError>> {
        let error = QuestionError::Failed("nobody can be asked from here".to_owned());
        Box::pin(std::future::ready(Err(error)))
    }

    fn report(&self, _: Report) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(max_tokens: Option<u32>, tokens: u64) -> ModelRequest {
        ModelRequest {
            model: "small".to_owned(),
            messages: Vec::new(),
            max_tokens,
            temperature: None,
            output_schema: None,
            tokens,
            deadline: Duration::ZERO,
        }
    }

    #[test]
    fn an_answer_has_what_is_asked_for_or_what_is_left() {
        assert_eq!(request(Some(50), 80).answer_tokens(0), Some(50));
        assert_eq!(request(Some(50), 80).answer_tokens(45), Some(35));
        assert_eq!(request(Some(50), 80).answer_tokens(81), Some(0));
        assert_eq!(request(Some(u32::MAX), u64::MAX).answer_tokens(0), Some(u32::MAX));
        assert_eq!(request(None, 80).answer_tokens(45), Some(35));
        assert_eq!(request(None, 4095).answer_tokens(0), Some(4095));
        assert_eq!(request(None, 4096).answer_tokens(0), None, "the model's own limit is not guessed");
        assert_eq!(request(None, 1 << 40).answer_tokens(1 << 40), Some(0));
    }

    #[test]
    fn only_answers_that_came_are_paid_for() {
        let cost = ModelCost { input_tokens: 7, output_tokens: 2, usd: Usd::from_nanos(3) };
        assert_eq!(ModelError::Unfit { message: String::new(), cost }.cost(), cost);
        assert_eq!(ModelError::Limit(String::new()).cost(), ModelCost::default());
    }
}
