//! Running one tool.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::receipt::{Receipt, Usage};

/// The headers of a request that runs a tool, beside those that every request has.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct ExecuteHeaders {
    /// 1 to 255 visible ASCII characters that the client uses for no other
    /// request. A request that is sent again with them runs nothing again.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    pub idempotency_key: Option<String>,
    /// W3C trace context. The answer has it back, or a new one.
    #[param(example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    pub traceparent: Option<String>,
    /// What others say of the trace. It is told to the models that the skill asks.
    #[param(example = "vendor=t61rcWkgMzE")]
    pub tracestate: Option<String>,
}

/// Which tool to run, and with what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(
    json!({ "tool": "evaluate", "arguments": { "expression": "0.1 + 0.2" } }),
    json!({ "tool": "evaluate", "arguments": { "expression": "1/3" }, "version": "^0.1", "deadline_ms": 500 })
))]
pub struct ExecuteRequest {
    /// Which tool. May be left out where the skill has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The arguments by parameter name, as the tool's input schema says. May be
    /// left out where the tool needs none.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub arguments: Map<String, Value>,
    /// Which releases will do: `0.1.2` is exactly that one, `^0.1` and `>=1, <3`
    /// are ranges. The newest that fits is run. Either here or in the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Milliseconds after which the call is ended. It shortens the skill's own
    /// deadline and never lengthens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub deadline_ms: Option<u64>,
}

/// What the tool answered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "skill": "bailiwick/calculate",
    "version": "0.1.0",
    "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "tool": "evaluate",
    "output": { "value": "0.3", "exact": true },
    "usage": {
        "wall_us": 412,
        "memory_bytes": 1_114_112,
        "host_calls": 0,
        "input_bytes": 26,
        "output_bytes": 30,
        "http_sent_bytes": 0,
        "http_received_bytes": 0
    },
    "receipt": {
        "id": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
        "started_at": "2026-11-20T11:00:00.123Z",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "arguments": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "outcome": "succeeded",
        "denials": []
    },
    "replayed": false
})))]
pub struct ExecuteResponse {
    /// The skill that ran.
    pub skill: String,
    /// The release that ran.
    pub version: String,
    /// sha256 of the bytes that ran.
    pub digest: String,
    /// The tool that ran.
    pub tool: String,
    /// What it answered, as its output schema says. It is passed on as the
    /// sandbox wrote it.
    #[schema(value_type = Value)]
    pub output: Box<RawValue>,
    /// What the call cost.
    pub usage: Usage,
    /// The record of the call.
    pub receipt: Receipt,
    /// Whether this is the kept answer of an earlier call with the same
    /// `Idempotency-Key`, so that nothing ran this time.
    pub replayed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_member_is_an_error() {
        let error = serde_json::from_str::<ExecuteRequest>(r#"{"arguments":{},"args":{}}"#).expect_err("unknown");
        assert!(error.to_string().starts_with("unknown field `args`"), "{error}");
    }

    #[test]
    fn arguments_are_an_object_and_may_be_left_out() {
        assert!(serde_json::from_str::<ExecuteRequest>(r#"{"arguments":[1]}"#).is_err());
        assert!(serde_json::from_str::<ExecuteRequest>(r#"{"arguments":null}"#).is_err());
        assert_eq!(serde_json::from_str::<ExecuteRequest>("{}").expect("valid"), ExecuteRequest::default());
    }

    #[test]
    fn the_output_keeps_its_bytes() {
        // A parse into numbers would lose the digits of the first and the spelling of the second.
        let output = r#"{"a":12345678901234567890123,"b":1.50}"#;
        let raw = RawValue::from_string(output.to_owned()).expect("JSON");
        let text = serde_json::to_string(&Some(raw)).expect("writable");
        assert_eq!(text, output);
    }
}
