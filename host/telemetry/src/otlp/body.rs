//! Spans as OTLP has them in JSON: names in camel case, ids in hex, numbers of 64 bits as
//! texts.

use bailiwick_domain::digest::hex;
use bailiwick_domain::span::{Attribute, Span, SpanKind, SpanOutcome};
use serde::Serialize;

/// By which a collector knows what sends.
const SERVICE: &str = "bailiwick";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The body of a request with these spans.
pub(super) fn of(spans: &[Span]) -> Result<Vec<u8>, serde_json::Error> {
    let resource = Resource {
        attributes: [("service.name", SERVICE), ("service.version", VERSION)]
            .map(|(key, text)| KeyValue { key, value: AnyValue::StringValue(text) })
            .into(),
    };
    let scope = Scope { name: SERVICE, version: VERSION };
    let scope_spans = [ScopeSpans { scope, spans: spans.iter().map(WireSpan::from).collect() }];
    serde_json::to_vec(&Export { resource_spans: [ResourceSpans { resource, scope_spans }] })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Export<'s> {
    resource_spans: [ResourceSpans<'s>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'s> {
    resource: Resource<'s>,
    scope_spans: [ScopeSpans<'s>; 1],
}

#[derive(Serialize)]
struct Resource<'s> {
    attributes: Vec<KeyValue<'s>>,
}

#[derive(Serialize)]
struct ScopeSpans<'s> {
    scope: Scope,
    spans: Vec<WireSpan<'s>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireSpan<'s> {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_state: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    flags: u8,
    name: &'s str,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<KeyValue<'s>>,
    status: Status<'s>,
}

#[derive(Serialize)]
struct KeyValue<'s> {
    key: &'s str,
    value: AnyValue<'s>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::enum_variant_names, reason = "the protocol has these names")]
enum AnyValue<'s> {
    StringValue(&'s str),
    IntValue(String),
    DoubleValue(f64),
    BoolValue(bool),
    ArrayValue(Values<'s>),
}

#[derive(Serialize)]
struct Values<'s> {
    values: Vec<AnyValue<'s>>,
}

#[derive(Serialize)]
struct Status<'s> {
    code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'s str>,
}

impl<'s> From<&'s Span> for WireSpan<'s> {
    fn from(span: &'s Span) -> Self {
        Self {
            trace_id: span.context.trace_id_hex(),
            span_id: hex(&span.context.span_id),
            trace_state: span.trace_state.as_deref(),
            parent_span_id: span.parent.map(|parent| hex(&parent)),
            flags: u8::from(span.context.sampled),
            name: &span.name,
            kind: match span.kind {
                SpanKind::Internal => 1,
                SpanKind::Client => 3,
            },
            start_time_unix_nano: nanos(span.began),
            end_time_unix_nano: nanos(span.ended),
            attributes: span.attributes.iter().map(|(key, value)| KeyValue { key, value: value.into() }).collect(),
            status: match &span.outcome {
                SpanOutcome::Ended => Status { code: 0, message: None },
                SpanOutcome::Done => Status { code: 1, message: None },
                SpanOutcome::Failed(code) => Status { code: 2, message: Some(code) },
            },
        }
    }
}

impl<'s> From<&'s Attribute> for AnyValue<'s> {
    fn from(attribute: &'s Attribute) -> Self {
        match attribute {
            Attribute::Text(text) => Self::StringValue(text),
            Attribute::Texts(texts) => {
                Self::ArrayValue(Values { values: texts.iter().map(|text| Self::StringValue(text)).collect() })
            }
            // The protocol has signed numbers of 64 bits.
            Attribute::Number(number) => Self::IntValue(i64::try_from(*number).unwrap_or(i64::MAX).to_string()),
            Attribute::Real(number) => Self::DoubleValue(*number),
            Attribute::Flag(flag) => Self::BoolValue(*flag),
        }
    }
}

/// Nanoseconds since 1970, of milliseconds.
fn nanos(millis: u64) -> String {
    (u128::from(millis) * 1_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_span_is_written_as_the_protocol_has_it() {
        let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().expect("a trace");
        let whole = Span {
            context,
            trace_state: Some("vendor=1".to_owned()),
            parent: Some([1; 8]),
            name: "chat m".to_owned(),
            kind: SpanKind::Client,
            began: 1_700_000_000_001,
            ended: 1_700_000_000_002,
            attributes: vec![
                ("gen_ai.request.model", Attribute::Text("m".to_owned())),
                ("gen_ai.usage.input_tokens", Attribute::Number(u64::MAX)),
                ("gen_ai.request.temperature", Attribute::Real(0.5)),
                ("bailiwick.flag", Attribute::Flag(true)),
                ("gen_ai.response.finish_reasons", Attribute::Texts(vec!["stop".to_owned()])),
            ],
            outcome: SpanOutcome::Failed("TIMEOUT".to_owned()),
        };
        let bare = Span {
            trace_state: None,
            parent: None,
            kind: SpanKind::Internal,
            attributes: Vec::new(),
            outcome: SpanOutcome::Done,
            ..whole.clone()
        };
        let body: Value = serde_json::from_slice(&of(&[whole, bare]).expect("a body")).expect("JSON");
        let spans = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        assert_eq!(
            spans[0],
            json!({
                "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                "spanId": "00f067aa0ba902b7",
                "traceState": "vendor=1",
                "parentSpanId": "0101010101010101",
                "flags": 1,
                "name": "chat m",
                "kind": 3,
                "startTimeUnixNano": "1700000000001000000",
                "endTimeUnixNano": "1700000000002000000",
                "attributes": [
                    { "key": "gen_ai.request.model", "value": { "stringValue": "m" } },
                    { "key": "gen_ai.usage.input_tokens", "value": { "intValue": "9223372036854775807" } },
                    { "key": "gen_ai.request.temperature", "value": { "doubleValue": 0.5 } },
                    { "key": "bailiwick.flag", "value": { "boolValue": true } },
                    {
                        "key": "gen_ai.response.finish_reasons",
                        "value": { "arrayValue": { "values": [{ "stringValue": "stop" }] } },
                    },
                ],
                "status": { "code": 2, "message": "TIMEOUT" },
            })
        );
        assert_eq!((&spans[1]["status"], &spans[1]["kind"]), (&json!({ "code": 1 }), &json!(1)));
        assert_eq!((spans[1].get("parentSpanId"), spans[1].get("traceState")), (None, None));
        let resource = &body["resourceSpans"][0]["resource"]["attributes"][0];
        assert_eq!(*resource, json!({ "key": "service.name", "value": { "stringValue": "bailiwick" } }));
    }
}
