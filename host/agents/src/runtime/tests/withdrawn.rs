//! Questions that nobody waits for any more.

use std::time::Duration;

use bailiwick_domain::model::{ChatRequest, Message, ModelFailure};
use bailiwick_domain::run::{Run, Status, Strategy};
use serde_json::{Value, json};

use super::world::{Act, Answer, World, calls_then_done, single, submission, until, until_it};

/// Whether so many questions are open before long.
async fn are_open(world: &World, count: usize) -> bool {
    for _ in 0..1000 {
        if world.skills.questions.open().len() == count {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    false
}

fn asking() -> World {
    let world = World::new(calls_then_done(vec![("files__delete", json!({}))]));
    world.skills.act("delete", Act::Ask);
    world
}

#[tokio::test]
async fn the_end_of_a_run_withdraws_its_question_and_no_other() {
    let world = asking();
    let host = world.host();
    let first = host.submit(single("ada")).await.expect("taken up").id;
    let second = host.submit(single("ada")).await.expect("taken up").id;
    for id in [&first, &second] {
        until(&host, id, Status::WaitingApproval).await;
    }
    assert!(are_open(&world, 2).await);
    host.cancel(&first, "me", None).await.expect("it can be");
    assert!(are_open(&world, 1).await, "nobody waits for one of them");
    world.skills.questions.answer_all(true);
    until(&host, &second, Status::Completed).await;
    assert_eq!(world.skills.deeds(), 1);
}

#[tokio::test]
async fn a_stop_of_the_host_withdraws_no_question() {
    let world = asking();
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    until(&host, &id, Status::WaitingApproval).await;
    host.stop(Duration::ZERO).await;
    assert_eq!(world.skills.questions.open().len(), 1);
    let host = world.host();
    host.recover().await.expect("readable");
    assert_eq!(world.skills.questions.open().len(), 1, "it is waited for again");
    host.cancel(&id, "me", None).await.expect("it can be");
    assert!(are_open(&world, 0).await);
}

/// One that fails does so when the other one has long asked.
fn as_told(request: &ChatRequest) -> Answer {
    let is_told = |word: &str| request.messages.iter().any(|message| format!("{message:?}").contains(word));
    let calls = request.messages.iter().filter(|message| matches!(message, Message::Tool { .. })).count();
    if is_told("wipe") {
        Answer::Call(vec![("files__delete", json!({}))])
    } else if is_told("fail") && calls < 3 {
        Answer::Call(vec![("files__read", json!({ "n": calls }))])
    } else if is_told("fail") {
        Answer::Fail(ModelFailure::Payment("no".to_owned()))
    } else {
        Answer::Hang
    }
}

fn graph(nodes: &Value) -> Strategy {
    serde_json::from_value(json!({ "kind": "graph", "graph": { "nodes": nodes } })).expect("a strategy")
}

#[tokio::test]
async fn a_subrun_that_fails_withdraws_its_question_while_the_run_goes_on() {
    let world = World::new(as_told);
    world.skills.act("delete", Act::Ask);
    let host = world.host();
    let each = json!({ "kind": "parallel_map", "agent": "ada", "items": ["fail", "wipe"], "at_once": 2 });
    let nodes = json!([
        { "id": "each", "run": each, "optional": true },
        { "id": "side", "agent": "bob", "input": "rest" },
    ]);
    let id = host.submit(submission(graph(&nodes))).await.expect("taken up").id;
    let has_ended = |run: &Run| run.subruns.iter().any(|it| it.outcome.is_some());
    let run = until_it(&host, &id, has_ended).await;
    assert_eq!(run.status, Status::Running);
    assert_eq!(run.forsaken().count(), 1, "somebody was asked: {run:#?}");
    assert!(are_open(&world, 0).await);
    assert_eq!(host.run(&id).expect("a run").status, Status::Running);
    host.cancel(&id, "me", None).await.expect("it can be");
    until(&host, &id, Status::Cancelled).await;
}
