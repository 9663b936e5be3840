//! What the records of a run say of its steps.

use std::time::Duration;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::model::{ChatAnswer, Finish, ModelCost, ModelFailure, ToolCall};
use bailiwick_domain::run::{Action, Event, RunId, Spend, Status, StepResult};
use serde_json::{Value, json};

use super::world::{Act, Answer, World, calls_then_done, single, until};
use crate::runtime::Runtime;

/// What is kept of the steps of a run. A model takes another time each time, so that none is
/// shown.
fn of_steps(host: &Runtime, id: &RunId) -> Vec<Event> {
    let timeless = |event: Event| match event {
        Event::StepEnded { step, result, spend, receipt } => {
            Some(Event::StepEnded { step, result, spend: Spend { busy_ms: 0, ..spend }, receipt })
        }
        Event::StepStarted { .. } => Some(event),
        _ => None,
    };
    let events = host.events(id, 0, 100).expect("events");
    events.into_iter().filter_map(|(_, record)| timeless(record.event)).collect()
}

fn begun(step: u32, attempt: u32, action: &Action) -> Event {
    Event::StepStarted { step, task: 0, attempt, action: action.clone() }
}

/// The end of a step that asked a model.
fn said(step: u32, text: &str, calls: Vec<ToolCall>) -> Event {
    let cost = ModelCost { input_tokens: 7, output_tokens: 3, ..ModelCost::default() };
    let answer = ChatAnswer { model: "m".to_owned(), text: text.to_owned(), calls, finish: Finish::Stop, cost };
    let spend = Spend { steps: 1, input_tokens: 7, output_tokens: 3, ..Spend::default() };
    Event::StepEnded { step, result: StepResult::Answer { answer }, spend, receipt: None }
}

/// The end of a step that called a skill.
fn came(step: u32, result: StepResult) -> Event {
    let spend = Spend { steps: 1, fuel: 5, ..Spend::default() };
    Event::StepEnded { step, result, spend, receipt: Some("r".to_owned()) }
}

fn done() -> StepResult {
    StepResult::Output { json: "\"done\"".to_owned(), failed: false }
}

/// What a model asks for, and the call that is made of it.
fn call(tool: &str, arguments: Value, idempotent: bool) -> (ToolCall, Action) {
    let asked = ToolCall { id: "0-0".to_owned(), name: format!("files__{tool}"), arguments: arguments.to_string() };
    let action = Action::Skill {
        call: asked.id.clone(),
        skill: "demo/files".parse().expect("an id"),
        digest: Digest::of(b"files"),
        tool: tool.to_owned(),
        arguments,
        idempotent,
    };
    (asked, action)
}

#[tokio::test]
async fn a_step_is_kept_with_what_was_asked_what_came_of_it_and_what_it_took() {
    let world = World::new(calls_then_done(vec![("files__read", json!({ "n": 1 }))]));
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    until(&host, &id, Status::Completed).await;
    let (asked, read) = call("read", json!({ "n": 1 }), true);
    let expected = [
        begun(0, 1, &Action::Model {}),
        said(0, "", vec![asked]),
        begun(1, 1, &read),
        came(1, done()),
        begun(2, 1, &Action::Model {}),
        said(2, "Done.", Vec::new()),
    ];
    assert_eq!(of_steps(&host, &id), expected);
    host.stop(Duration::from_secs(1)).await;
    assert_eq!(of_steps(&world.host(), &id), expected, "another host reads the same");
}

#[tokio::test]
async fn a_try_that_failed_is_kept_with_its_code_its_words_and_what_it_took() {
    let world = World::new(calls_then_done(vec![("files__delete", json!({}))]));
    world.skills.act("delete", Act::Busy(1));
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    until(&host, &id, Status::Completed).await;
    let (asked, delete) = call("delete", json!({}), false);
    let busy = StepResult::Failed { code: "busy".to_owned(), message: "full".to_owned(), retriable: true };
    let expected = [
        begun(0, 1, &Action::Model {}),
        said(0, "", vec![asked]),
        begun(1, 1, &delete),
        came(1, busy),
        begun(1, 2, &delete),
        came(1, done()),
        begun(2, 1, &Action::Model {}),
        said(2, "Done.", Vec::new()),
    ];
    assert_eq!(of_steps(&host, &id), expected);
}

#[tokio::test]
async fn a_model_that_fails_is_kept_with_its_code_and_its_words() {
    let world = World::new(|_| Answer::Fail(ModelFailure::Payment("no credit".to_owned())));
    let host = world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    until(&host, &id, Status::Failed).await;
    let result = StepResult::Failed {
        code: "MODEL_PAYMENT".to_owned(),
        message: "the provider wants to be paid: no credit".to_owned(),
        retriable: false,
    };
    let spend = Spend { steps: 1, ..Spend::default() };
    let ended = Event::StepEnded { step: 0, result, spend, receipt: None };
    assert_eq!(of_steps(&host, &id), [begun(0, 1, &Action::Model {}), ended]);
}
