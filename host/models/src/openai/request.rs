//! What is asked, in the form that services read.

use bailiwick_domain::model::{ChatRequest, Message, ModelFailure, ToolCall, ToolSpec};
use serde::Serialize;
use serde_json::{Value, json};

/// Bytes of the longest request: several times what the largest context holds.
const MAX_REQUEST_BYTES: usize = 32 << 20;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'static str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Called<'a> {
    id: &'a str,
    r#type: &'static str,
    function: CalledFunction<'a>,
}

#[derive(Serialize)]
struct CalledFunction<'a> {
    name: &'a str,
    arguments: String,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    r#type: &'static str,
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a Value,
}

/// The JSON text of `request`, for the model that the service calls `model`.
pub(super) fn body(request: &ChatRequest, model: &str) -> Result<Vec<u8>, ModelFailure> {
    let body = Body {
        model,
        messages: request.messages.iter().map(turn).collect(),
        tools: request.tools.iter().map(tool).collect(),
        tool_choice: (request.must_call && !request.tools.is_empty()).then_some("required"),
        max_tokens: request.max_tokens,
        temperature: request.temperature,
        response_format: request.output_schema.as_ref().map(response_format),
        stream: true,
        stream_options: StreamOptions { include_usage: true },
    };
    let bytes = serde_json::to_vec(&body).map_err(|error| ModelFailure::InvalidRequest(error.to_string()))?;
    if bytes.len() > MAX_REQUEST_BYTES {
        let problem = format!("it has {} bytes, expected at most {MAX_REQUEST_BYTES}", bytes.len());
        return Err(ModelFailure::InvalidRequest(problem));
    }
    Ok(bytes)
}

fn turn(message: &Message) -> Turn<'_> {
    match message {
        Message::System { text } => plain("system", text),
        Message::User { text } => plain("user", text),
        Message::Assistant { text, calls } => Turn {
            // Some refuse an empty text beside calls, and some null without any.
            content: (!text.is_empty() || calls.is_empty()).then_some(text.as_str()),
            tool_calls: calls.iter().map(called).collect(),
            ..plain("assistant", text)
        },
        Message::Tool { call, text } => Turn { tool_call_id: Some(call), ..plain("tool", text) },
    }
}

fn plain<'a>(role: &'static str, text: &'a str) -> Turn<'a> {
    Turn { role, content: Some(text), tool_calls: Vec::new(), tool_call_id: None }
}

fn called(call: &ToolCall) -> Called<'_> {
    let function = CalledFunction { name: &call.name, arguments: arguments(&call.arguments) };
    Called { id: &call.id, r#type: "function", function }
}

/// What the model wrote, if it is an object. Some refuse a conversation in which it
/// isn't, so that one slip of a model would end it.
fn arguments(written: &str) -> String {
    match serde_json::from_str::<Value>(written) {
        Ok(Value::Object(_)) => written.to_owned(),
        _ if written.trim().is_empty() => "{}".to_owned(),
        _ => json!({ "unreadable": written }).to_string(),
    }
}

fn tool(tool: &ToolSpec) -> Tool<'_> {
    let function = Function { name: &tool.name, description: &tool.description, parameters: &tool.input_schema };
    Tool { r#type: "function", function }
}

fn response_format(schema: &Value) -> ResponseFormat<'_> {
    ResponseFormat { r#type: "json_schema", json_schema: JsonSchema { name: "answer", strict: true, schema } }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bailiwick_domain::trace::TraceContext;

    use super::*;

    fn request(messages: Vec<Message>) -> ChatRequest {
        ChatRequest {
            models: vec!["small".to_owned()],
            messages,
            tools: Vec::new(),
            must_call: false,
            max_tokens: None,
            temperature: None,
            output_schema: None,
            deadline: Duration::from_secs(1),
            trace: TraceContext { trace_id: [1; 16], span_id: [2; 8], sampled: true },
            trace_state: None,
        }
    }

    fn json_of(request: &ChatRequest) -> Value {
        serde_json::from_slice(&body(request, "acme/small").expect("short")).expect("JSON")
    }

    #[test]
    fn a_plain_question_is_asked_with_nothing_beside_it() {
        let asked = json_of(&ChatRequest { must_call: true, ..request(vec![Message::User { text: "hi".to_owned() }]) });
        let expected = json!({
            "model": "acme/small",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_conversation_with_tools_is_told_in_full() {
        let call = |id: &str, arguments: &str| ToolCall {
            id: id.to_owned(),
            name: "look".to_owned(),
            arguments: arguments.to_owned(),
        };
        let schema = json!({"type": "object"});
        let messages = vec![
            Message::System { text: "be brief".to_owned() },
            Message::Assistant {
                text: String::new(),
                calls: vec![call("a", r#"{"x": 1}"#), call("b", "{oops"), call("c", " ")],
            },
            Message::Tool { call: "a".to_owned(), text: "seen".to_owned() },
            Message::Assistant { text: String::new(), calls: Vec::new() },
        ];
        let tool = ToolSpec {
            name: "look".to_owned(),
            description: "Looks.".to_owned(),
            input_schema: Arc::new(schema.clone()),
        };
        let asked = json_of(&ChatRequest {
            tools: vec![tool],
            must_call: true,
            max_tokens: Some(9),
            temperature: Some(0.7),
            output_schema: Some(schema),
            ..request(messages)
        });
        let called = |id: &str, arguments: &str| {
            let function = json!({"name": "look", "arguments": arguments});
            json!({"id": id, "type": "function", "function": function})
        };
        let calls = [called("a", r#"{"x": 1}"#), called("b", r#"{"unreadable":"{oops"}"#), called("c", "{}")];
        let expected = json!({
            "model": "acme/small",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "assistant", "content": null, "tool_calls": calls},
                {"role": "tool", "content": "seen", "tool_call_id": "a"},
                {"role": "assistant", "content": ""},
            ],
            "tools": [{
                "type": "function",
                "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}},
            }],
            "tool_choice": "required",
            "max_tokens": 9,
            "temperature": 0.7,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": true, "schema": {"type": "object"}},
            },
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        assert_eq!(asked, expected);
    }
}
