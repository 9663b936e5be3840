//! What services answer, as far as it is read. They add what they like, so unknown
//! fields are passed over, and each may be absent or null.

use serde::Deserialize;
use serde_json::Value;

/// An event of a stream, or a whole answer.
#[derive(Debug, Deserialize)]
pub(super) struct Chunk {
    pub(super) choices: Option<Vec<Choice>>,
    /// Read apart, so that numbers nobody can read don't cost the answer.
    pub(super) usage: Option<Value>,
    pub(super) error: Option<Value>,
}

/// One of the answers; only the first was asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    pub(super) index: Option<u64>,
    /// In a stream.
    pub(super) delta: Option<Said>,
    /// In a whole answer.
    pub(super) message: Option<Said>,
    pub(super) finish_reason: Option<String>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    /// A string, or by some a list of parts.
    pub(super) content: Option<Value>,
    pub(super) refusal: Option<String>,
    pub(super) tool_calls: Option<Vec<CallPiece>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CallPiece {
    pub(super) index: Option<u64>,
    pub(super) id: Option<String>,
    pub(super) function: Option<FunctionPiece>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FunctionPiece {
    pub(super) name: Option<String>,
    /// JSON in a string, or by some the JSON itself.
    pub(super) arguments: Option<Value>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Usage {
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
    /// In US dollars; only some say it.
    pub(super) cost: Option<f64>,
}
