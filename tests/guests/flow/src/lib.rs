//! A workflow that does what its input says, one thing after the other, and gives what came
//! of each. What fails is words, and the next thing is done.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use bailiwick_guest::skills::{self, Call};
use bailiwick_guest::workflow::{self, Error, Guest};
use bailiwick_guest::{approvals, models};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    acts: Vec<Act>,
}

/// Something to do.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    /// Call a tool.
    Call(Request),
    /// Call tools side by side.
    CallAll(Vec<Request>),
    /// Ask a model.
    Complete { model: Option<String>, prompt: String },
    /// Ask a person.
    Ask(String),
    /// Tell a model a random number.
    Random { model: String },
    /// Panic.
    Panic(String),
}

#[derive(Deserialize)]
struct Request {
    skill: String,
    tool: String,
    arguments: Value,
}

struct Flow;

impl Guest for Flow {
    fn run(input: String) -> Result<String, Error> {
        workflow::json(&input, |input: Input| Ok::<_, Error>(input.acts.into_iter().map(act).collect::<Vec<_>>()))
    }
}

fn act(act: Act) -> Value {
    match act {
        Act::Call(request) => called(skills::call::<Value>(&request.skill, request.tool.as_str(), &request.arguments)),
        Act::CallAll(requests) => {
            let call = |request: &Request| Call::new(&request.skill, request.tool.as_str(), &request.arguments);
            match requests.iter().map(call).collect::<Result<Vec<_>, _>>() {
                Ok(calls) => {
                    let outputs = skills::call_all(calls).into_iter();
                    outputs.map(|output| called(output.and_then(|output| output.parse()))).collect()
                }
                Err(error) => json!({ "error": error.to_string() }),
            }
        }
        Act::Complete { model, prompt } => complete(&models::Request::new().user(prompt), model.as_deref()),
        Act::Ask(summary) => match approvals::ask(&summary, &json!({})) {
            Ok(approvals::Answer::Approved) => json!(true),
            Ok(approvals::Answer::Denied(reason)) => json!({ "denied": reason }),
            Err(error) => json!({ "error": error.to_string() }),
        },
        Act::Random { model } => {
            let number = RandomState::new().build_hasher().finish();
            complete(&models::Request::new().user(format!("number {number}")), Some(&model))
        }
        Act::Panic(message) => panic!("{message}"),
    }
}

fn complete(request: &models::Request, model: Option<&str>) -> Value {
    let request = model.into_iter().fold(request.clone(), models::Request::model);
    match request.complete() {
        Ok(response) => json!(response.text),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn called(result: Result<Value, skills::Error>) -> Value {
    result.unwrap_or_else(|error| json!({ "error": error.to_string() }))
}

bailiwick_guest::export_workflow!(Flow);
