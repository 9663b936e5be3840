//! Errors, as RFC 9457 problem documents.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::receipt::{Receipt, Usage};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What stands before the code in `type`.
pub const TYPE_PREFIX: &str = "urn:bailiwick:problem:";

/// Why a request failed. `code` is for programs and never changes its meaning,
/// `detail` is for people and may.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(examples(
    json!({
        "type": "urn:bailiwick:problem:invalid-arguments",
        "title": "The arguments don't fit the tool",
        "status": 422,
        "code": "invalid-arguments",
        "detail": "/arguments/expression: expected string, found number",
        "errors": [{ "pointer": "/arguments/expression", "detail": "expected string, found number" }]
    }),
    json!({
        "type": "urn:bailiwick:problem:busy",
        "title": "Too many calls at once",
        "status": 429,
        "code": "busy",
        "detail": "as many calls of bailiwick/calculate run as may; try again in 1 s",
        "retry_after_ms": 1000
    })
))]
pub struct Problem {
    /// `urn:bailiwick:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub kind: String,
    /// What went wrong in general; the same text for the same code.
    pub title: String,
    /// The status of the response.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// A stable name of the problem.
    pub code: String,
    /// What went wrong this time, and what was expected.
    pub detail: String,
    /// Names this occurrence; the operator finds it in the host's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri")]
    pub instance: Option<String>,
    /// The places in the request that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Milliseconds to wait before a new try; the header `Retry-After` has it in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The tool's own failure, as its failure schema says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub failure: Option<Box<RawValue>>,
    /// The skill that ran, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// The release that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// sha256 of the bytes that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The tool that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What the call cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The record of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// The approval that the call waits for, or that was denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Whether this is the kept answer of an earlier call with the same `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<bool>,
    /// Runs that wait, where the queue of runs is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Runs that may wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
}

/// One place in the request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "pointer": "/arguments/expression", "detail": "expected string, found number" })))]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body of the request.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_left_out() {
        let problem = Problem { kind: format!("{TYPE_PREFIX}busy"), status: 429, ..Problem::default() };
        let document = serde_json::to_value(problem).expect("writable");
        let keys: Vec<&str> = document.as_object().expect("object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["type", "title", "status", "code", "detail"]);
    }
}
