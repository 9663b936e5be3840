//! What stands in an agent's file or in a request reaches those whom it is for.

use std::time::Duration;

use bailiwick_domain::run::{Class, Status};
use serde_json::json;

use super::world::{Answer, World, calls_then_done, single, submission, until};
use crate::definition::AgentDefinition;
use crate::runtime::{BudgetRequest, Submission, SubmitError};

#[tokio::test]
async fn a_call_is_given_the_least_of_what_its_run_and_its_agent_have_left() {
    let world = World::new(calls_then_done(vec![("files__read", json!({}))]));
    world.agent("ivy", "skills = [\"demo/files\"]\ndisclosure = \"all\"\n[limits]\nfuel = 13\nhost_calls = 17");
    let host = world.host();
    let mut wanted = single("ivy");
    wanted.budget = BudgetRequest { tokens: Some(50), fuel: Some(40), host_calls: Some(9), ..BudgetRequest::default() };
    let id = host.submit(wanted).await.expect("taken up").id;
    until(&host, &id, Status::Completed).await;
    let call = world.skills.invocations.lock().expect("no panic")[0].clone();
    let left = call.run.expect("a step of a run").budget;
    let tokens = left.model_tokens.expect("what the answer before it left");
    assert!(tokens < 50, "{tokens}");
    assert_eq!((left.fuel, left.host_calls), (Some(13), Some(9)));
}

#[tokio::test]
async fn a_model_is_asked_as_the_file_of_its_agent_says() {
    let world = World::new(|request| {
        assert_eq!(request.models, ["large", "small"]);
        assert_eq!((request.max_tokens, request.temperature), (Some(9), Some(0.5)));
        Answer::Say("Done.")
    });
    let host = world.host();
    let ivy = json!({ "name": "ivy", "description": "d", "instructions": "i", "models": ["large", "small"],
        "max_tokens": 9, "temperature": 0.5 });
    host.agents().put(AgentDefinition::from_json(&ivy).expect("a definition"), "me").await.expect("kept");
    let id = host.submit(single("ivy")).await.expect("taken up").id;
    until(&host, &id, Status::Completed).await;
}

#[tokio::test]
async fn a_key_belongs_to_all_that_was_asked_for() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    let keyed = || {
        let mut submission = single("bob");
        submission.idempotency_key = Some("k".to_owned());
        submission
    };
    host.submit(keyed()).await.expect("taken up");
    let other = |change: fn(&mut Submission)| {
        let mut other = keyed();
        change(&mut other);
        other
    };
    for changed in [
        other(|it| it.class = Class::Batch),
        other(|it| it.label = Some("l".to_owned())),
        other(|it| it.budget.fuel = Some(9)),
        other(|it| it.strategy = single("ada").strategy),
    ] {
        assert!(matches!(host.submit(changed).await, Err(SubmitError::KeyMismatch)));
    }
}

#[tokio::test]
async fn a_run_has_no_more_time_than_the_agent_with_the_least() {
    let world = World::new(|_| Answer::Say("Done."));
    world.agent("eve", "[limits]\nwall = \"60 ms\"");
    world.agent("ivy", "[limits]\nwall = \"1 h\"");
    let host = world.host();
    for strategy in [
        json!({ "kind": "parallel_map", "agent": "ivy", "items": ["x"], "reduce": "eve", "at_once": 1 }),
        json!({ "kind": "graph", "graph": { "nodes": [
            { "id": "a", "agent": "ivy" }, { "id": "b", "run": { "kind": "single", "agent": "eve" } }] } }),
    ] {
        let strategy = serde_json::from_value(strategy).expect("a strategy");
        let id = host.submit(submission(strategy)).await.expect("taken up").id;
        assert_eq!(host.run(&id).expect("a run").spec.budget.wall(), Duration::from_millis(60));
    }
}
