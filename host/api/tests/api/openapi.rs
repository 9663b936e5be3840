//! The `OpenAPI` document: whole, true to its own schemas, and the one that is served.

use bailiwick_api::problem::Kind;
use bailiwick_domain::run::EventKind;
use serde_json::{Value, json};

use crate::host::{TestHost, faults, openapi_json};

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, methods): (&String, &'_ Value)| {
        let path = path.clone();
        let methods = methods.as_object().cloned().expect("methods");
        methods.keys().map(move |method| (method.clone(), path.clone())).collect::<Vec<_>>()
    };
    let names = paths.iter().flat_map(of_path);
    names.map(|(method, path)| (format!("{method} {path}"), &document["paths"][&path][&method])).collect()
}

#[tokio::test]
async fn the_document_is_served_as_it_is_made() {
    let host = TestHost::new();
    let served = host.get("/openapi.json").await.json();
    assert_eq!(served, openapi_json());
    assert_eq!(served["openapi"], "3.1.0");
    assert!(served["info"]["description"].as_str().is_some_and(|it| it.contains("agents") && it.contains("skills")));
    assert_eq!(served["components"]["securitySchemes"]["key"]["scheme"], "bearer");
}

#[test]
fn every_operation_is_described() {
    let document = openapi_json();
    let operations = operations(&document);
    assert!(operations.len() >= 6);
    for (name, operation) in operations {
        for key in ["operationId", "summary", "tags", "security", "responses"] {
            assert!(!operation[key].is_null(), "{name} has no {key}");
        }
        // A route that becomes another protocol answers 101.
        let done = if name == "get /ws/events" { "101" } else { "200" };
        let content = operation["responses"][done]["content"].as_object().expect("an answer has a content");
        assert!(content.values().all(|content| content["schema"].is_object()) && !content.is_empty(), "{name}");
        for status in ["403", "405", "421", "500"] {
            let problem = &operation["responses"][status]["content"]["application/problem+json"]["schema"];
            assert_eq!(problem["$ref"], "#/components/schemas/Problem", "{name} {status}");
        }
    }
}

#[test]
fn every_kind_of_problem_stands_at_an_operation() {
    let document = openapi_json();
    let text = document["paths"].to_string();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::UNKNOWN_ROUTE) {
        assert!(text.contains(&format!("`{}`", kind.code)), "{} is nowhere", kind.code);
    }
}

#[test]
fn every_kind_of_event_stands_where_events_are_described() {
    let document = openapi_json();
    let kind = &document["components"]["schemas"]["RunEvent"]["properties"]["kind"];
    let text = kind["description"].as_str().expect("it is described");
    let listed: Vec<_> = text.split('`').skip(1).step_by(2).collect();
    assert_eq!(listed, EventKind::ALL.map(EventKind::name));
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(value: &Value, document: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("a reference into the document");
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                object.values().for_each(|value| check(value, document));
            }
            Value::Array(array) => array.iter().for_each(|value| check(value, document)),
            _ => {}
        }
    }
    let document = openapi_json();
    check(&document, &document);
}

#[test]
fn every_schema_has_examples_that_fit_it() {
    let document = openapi_json();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    assert!(schemas.len() >= 15);
    for (name, schema) in schemas {
        assert!(schema["description"].is_string(), "{name} has no description");
        let examples = schema["examples"].as_array().map_or(&[][..], Vec::as_slice);
        // The cases of an enumeration are its examples.
        assert!(!examples.is_empty() || !schema["enum"].is_null(), "{name} has no examples");
        for example in examples {
            assert_eq!(faults(name, example), Vec::<String>::new(), "{name}: {example}");
        }
    }
}

#[test]
fn requests_allow_nothing_unknown() {
    assert!(!faults("ExecuteRequest", &json!({ "arguments": {}, "args": {} })).is_empty());
    assert!(!faults("ExecuteRequest", &json!({ "arguments": [] })).is_empty());
    assert!(faults("ExecuteRequest", &json!({})).is_empty());
}

#[test]
fn a_reason_is_a_few_sentences() {
    let answer = json!({ "decision": "deny" });
    for (name, request) in [
        ("CancelRequest", json!({})),
        ("CancelRunsRequest", json!({ "all": true })),
        ("AnswerRequest", answer.clone()),
        ("HandoffAnswer", answer.clone()),
        ("TaskAnswer", answer),
        ("SocketCommand", json!({ "id": "1", "command": "deny", "approval": "1" })),
    ] {
        let with = |characters| {
            let mut request = request.clone();
            request["reason"] = "ä".repeat(characters).into();
            faults(name, &request)
        };
        assert_eq!(with(1000), Vec::<String>::new(), "{name}");
        assert_eq!(with(1001).len(), 1, "{name}");
    }
}
