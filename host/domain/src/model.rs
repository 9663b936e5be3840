//! Models: what is asked of one, what it answers, and how it can fail.
//!
//! A provider stands behind [`Model`]: an OpenAI-compatible service, a script, an engine
//! in this process. What it says is data; nothing that it answers is believed before it
//! was checked.

mod quota;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::quota::{Allowance, Quota, UsedUp};
use crate::sandbox::BoxFuture;
use crate::trace::TraceContext;

/// Something that answers conversations.
pub trait Model: Send + Sync + 'static {
    /// Answers `request`. What it says meanwhile goes to `listener`, piece by piece,
    /// where the provider streams. Dropping the future ends the request.
    fn chat<'a>(
        &'a self,
        request: &'a ChatRequest,
        listener: &'a dyn Listener,
    ) -> BoxFuture<'a, Result<ChatAnswer, ModelFailure>>;

    /// Whether there is a model of this name. What answers by any name knows all.
    fn knows(&self, _name: &str) -> bool {
        true
    }

    /// What providers last said is left of what they allow, for each model of which one did.
    fn quotas(&self) -> Vec<Quota> {
        Vec::new()
    }
}

/// Hears what a model says while it says it. Never waits.
pub trait Listener: Send + Sync {
    /// A piece of the answer's text.
    fn text(&self, piece: &str);

    /// An attempt failed, and the answer begins anew after `wait`, with `model`: what was
    /// heard until now is void.
    fn again(&self, failure: &ModelFailure, model: &str, wait: Duration);
}

/// For those who only want the answer.
#[derive(Clone, Copy, Debug)]
pub struct Unheard;

impl Listener for Unheard {
    fn text(&self, _: &str) {}

    fn again(&self, _: &ModelFailure, _: &str, _: Duration) {}
}

/// What is asked of a model.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// Names of models by preference; the first that can answer does. Never empty.
    pub models: Vec<String>,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<ToolSpec>,
    /// Whether it has to call one.
    pub must_call: bool,
    /// The most tokens to answer with.
    pub max_tokens: Option<u32>,
    /// From 0 upward.
    pub temperature: Option<f32>,
    /// A JSON Schema that the answer's text has to fit.
    pub output_schema: Option<Value>,
    /// Where the time of the answer ends, all attempts together.
    pub deadline: Duration,
    /// The trace that it belongs to, told to the provider.
    pub trace: TraceContext,
    /// What belongs to the trace by the word of others: the header `tracestate`.
    pub trace_state: Option<String>,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase", deny_unknown_fields)]
pub enum Message {
    /// Whoever set the model up.
    System {
        /// What.
        text: String,
    },
    /// Whoever talks with it.
    User {
        /// What.
        text: String,
    },
    /// The model.
    Assistant {
        /// What; may be empty where it calls something.
        text: String,
        /// What it wants called.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        calls: Vec<ToolCall>,
    },
    /// What a call gave.
    Tool {
        /// The call's id.
        call: String,
        /// The output, or words about why there is none.
        text: String,
    },
}

/// A call that a model wants made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// By which its output is told.
    pub id: String,
    /// The tool, by the name of its [`ToolSpec`]. It may be one that there isn't.
    pub name: String,
    /// The arguments as the model wrote them: JSON, if the model is good at it.
    pub arguments: String,
}

/// What a model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// 1 to 64 letters, digits, `_` and `-`, as all providers take them.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of an object of arguments.
    pub input_schema: Arc<Value>,
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatAnswer {
    /// The model that answered, by the name that it was asked for.
    pub model: String,
    /// What it said.
    pub text: String,
    /// What it wants called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
    /// Why the answer ends where it does.
    pub finish: Finish,
    /// What it took.
    pub cost: ModelCost,
}

/// What an answer took. Providers that don't say leave it at nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCost {
    /// Tokens of the conversation.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Money.
    pub usd: Usd,
}

impl ModelCost {
    /// Where nobody was asked.
    pub const NOTHING: Self = Self { input_tokens: 0, output_tokens: 0, usd: Usd::ZERO };

    /// Of conversation and answer together.
    pub const fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            usd: self.usd.plus(other.usd),
        }
    }
}

/// Why an answer ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// The model was done.
    Stop,
    /// It had no tokens left.
    Length,
    /// It, or its provider, refused.
    Refusal,
}

/// Why a model did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelFailure {
    /// The host has no such model.
    #[error("no model `{0}` is configured")]
    NoModel(String),
    /// The provider takes no such request: status 400 and the like.
    #[error("the provider refuses the request: {0}")]
    InvalidRequest(String),
    /// Status 401 or 403.
    #[error("the provider refuses the key: {0}")]
    Unauthorized(String),
    /// Status 402.
    #[error("the provider wants to be paid: {0}")]
    Payment(String),
    /// Status 429, with the time to wait where it was told.
    #[error("the provider has too many requests: {message}")]
    RateLimited {
        /// What the provider said.
        message: String,
        /// When to try again.
        retry_after: Option<Duration>,
    },
    /// Status 500 and the like.
    #[error("the provider failed: {0}")]
    Server(String),
    /// The provider can't be reached.
    #[error("the provider can't be reached: {0}")]
    Connection(String),
    /// No answer, or no more of it, in time.
    #[error("the provider did not answer in time")]
    Timeout,
    /// The stream ended before the answer did.
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    /// An answer that nobody can read.
    #[error("the provider answered what can't be read: {0}")]
    Nonsense(String),
    /// Too many failures lately: the provider is left alone for a while.
    #[error("the provider failed too often lately, and is asked again in {} s", .0.as_secs().max(1))]
    CircuitOpen(Duration),
}

impl ModelFailure {
    /// Whether the same request may well be answered later.
    pub const fn is_retriable(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Server(_)
            | Self::Connection(_)
            | Self::Timeout
            | Self::BrokenOff(_)
            | Self::Nonsense(_)
            | Self::CircuitOpen(_) => true,
            Self::NoModel(_) | Self::InvalidRequest(_) | Self::Unauthorized(_) | Self::Payment(_) => false,
        }
    }

    /// A stable name for records.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoModel(_) => "NO_MODEL",
            Self::InvalidRequest(_) => "MODEL_REQUEST",
            Self::Unauthorized(_) => "MODEL_UNAUTHORIZED",
            Self::Payment(_) => "MODEL_PAYMENT",
            Self::RateLimited { .. } => "MODEL_RATE_LIMITED",
            Self::Server(_) => "MODEL_FAILED",
            Self::Connection(_) => "MODEL_UNREACHABLE",
            Self::Timeout => "TIMEOUT",
            Self::BrokenOff(_) => "MODEL_BROKE_OFF",
            Self::Nonsense(_) => "MODEL_NONSENSE",
            Self::CircuitOpen(_) => "CIRCUIT_OPEN",
        }
    }
}

/// An amount of US dollars, exact to a billionth: some models take less than a
/// millionth for a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd {
    nanos: u64,
}

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0 };

    /// The most that can be told.
    pub const MAX: Self = Self { nanos: u64::MAX };

    /// So many billionths.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self { nanos }
    }

    /// In billionths.
    pub const fn nanos(self) -> u64 {
        self.nanos
    }

    /// The amount that a provider tells as a number. What is no amount counts as nothing;
    /// fractions of a billionth count as one.
    pub fn from_dollars(dollars: f64) -> Self {
        let nanos = (dollars * 1e9).ceil();
        if !dollars.is_finite() || nanos <= 0.0 {
            return Self::ZERO;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is above zero, and a cast from a float ends at the largest number"
        )]
        Self::from_nanos(nanos as u64)
    }

    /// As a number, for those who only show it.
    #[expect(clippy::cast_precision_loss, reason = "whoever shows it needs no more than 15 digits")]
    pub fn dollars(self) -> f64 {
        self.nanos as f64 / 1e9
    }

    /// The sum, or the most that can be told.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { nanos: self.nanos.saturating_add(other.nanos) }
    }

    /// What is left, or nothing.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self { nanos: self.nanos.saturating_sub(other.nanos) }
    }
}

impl fmt::Display for Usd {
    /// `0.0021`: as many places as there are, two at least.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.nanos / 1_000_000_000, self.nanos % 1_000_000_000);
        let part = format!("{part:09}");
        let places = part.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", &part[..places])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_never_runs_over() {
        assert_eq!(Usd::from_dollars(0.000_002_1).to_string(), "0.0000021");
        assert_eq!(Usd::from_dollars(1.5).to_string(), "1.50");
        assert_eq!(Usd::from_dollars(f64::NAN), Usd::ZERO);
        assert_eq!(Usd::from_dollars(-3.0), Usd::ZERO);
        assert_eq!(Usd::from_dollars(f64::INFINITY), Usd::ZERO);
        assert_eq!(Usd::from_dollars(1e300), Usd::MAX);
        assert_eq!(Usd::MAX.plus(Usd::from_nanos(1)), Usd::MAX);
        assert_eq!(Usd::ZERO.minus(Usd::from_nanos(1)), Usd::ZERO);
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        assert!(ModelFailure::Timeout.is_retriable());
        assert!(ModelFailure::RateLimited { message: String::new(), retry_after: None }.is_retriable());
        for fatal in [ModelFailure::Unauthorized(String::new()), ModelFailure::Payment(String::new())] {
            assert!(!fatal.is_retriable(), "{fatal}");
        }
    }
}
