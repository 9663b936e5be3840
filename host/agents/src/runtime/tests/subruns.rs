//! Strategies of graphs' nodes, at work in a host.

use bailiwick_domain::model::{ChatRequest, ModelFailure};
use bailiwick_domain::run::{Event, InvalidSpec, Status, StepState, Strategy, TaskOutcome};
use serde_json::{Value, json};

use super::world::{Answer, World, submission, until, until_it};
use crate::runtime::SubmitError;
use crate::runtime::actor::too_large;

/// A model that does what the input names: it hangs, fails, or is done.
fn as_told(request: &ChatRequest) -> Answer {
    let is_told = |word: &str| request.messages.iter().any(|message| format!("{message:?}").contains(word));
    if is_told("hang") {
        Answer::Hang
    } else if is_told("fail") {
        Answer::Fail(ModelFailure::Payment("no".to_owned()))
    } else {
        Answer::Say("Done.")
    }
}

fn graph(nodes: &Value) -> Strategy {
    serde_json::from_value(json!({ "kind": "graph", "graph": { "nodes": nodes } })).expect("a strategy")
}

#[tokio::test]
async fn what_is_under_way_in_a_subrun_that_failed_ends_and_the_run_goes_on() {
    let host = World::new(as_told).host();
    let each = json!({ "kind": "parallel_map", "agent": "bob", "items": ["fail", "hang"], "at_once": 2 });
    let nodes = json!([
        { "id": "each", "run": each, "optional": true },
        { "id": "side", "agent": "ada", "input": "hang" },
    ]);
    let id = host.submit(submission(graph(&nodes))).await.expect("taken up").id;
    let has_ended = |run: &bailiwick_domain::run::Run| run.subruns.iter().any(|it| it.outcome.is_some());
    let run = until_it(&host, &id, has_ended).await;
    assert_eq!(run.status, Status::Running);
    let left = run.steps.iter().filter(|step| step.state == StepState::Abandoned);
    let agents: Vec<&str> = left.map(|step| run.tasks[step.task as usize].opening.agent.as_str()).collect();
    assert_eq!(agents, ["bob"]);
    assert_eq!((host.open_tasks("bob"), host.open_tasks("ada")), (0, 1), "only who is at work counts");
    host.cancel(&id, "me", None).await.expect("it can be");
    until(&host, &id, Status::Cancelled).await;
}

#[test]
fn what_is_too_large_to_be_kept_ends_no_more_than_it_has_to_and_says_why() {
    let outcome = TaskOutcome::Done { output: "x".repeat(100) };
    let Event::SubrunEnded { subrun: 3, outcome: TaskOutcome::Failed { code, .. } } =
        too_large(Event::SubrunEnded { subrun: 3, outcome }, 100)
    else {
        panic!("it is the subrun that fails")
    };
    assert_eq!(code, "OUTPUT_TOO_LARGE");
    let partial = json!("x".repeat(100));
    let failed = |message: String| Event::Failed { code: "TIMEOUT".to_owned(), message, partial: partial.clone() };
    let kept = Event::Failed { code: "TIMEOUT".to_owned(), message: "too late".to_owned(), partial: Value::Null };
    assert_eq!(too_large(failed("too late".to_owned()), 100), kept);
    let Event::Failed { message, .. } = too_large(failed("x".repeat(5 << 20)), 5 << 20) else { panic!("it failed") };
    assert_eq!(message.len(), 64 << 10, "it is an event that can be kept");
}

#[tokio::test]
async fn what_is_wrong_with_a_graph_by_itself_is_said_before_who_is_missing() {
    let host = World::new(as_told).host();
    for node in [
        json!({ "id": "a" }),
        json!({ "id": "a", "agent": "bob", "run": { "kind": "single", "agent": "bob" } }),
        json!({ "id": "a", "run": { "kind": "workflow", "skill": "demo/flow" } }),
    ] {
        let refused = host.submit(submission(graph(&json!([node])))).await;
        assert!(matches!(refused, Err(SubmitError::Spec(InvalidSpec::Graph(_)))), "{refused:?}");
    }
}
