//! What is durable together with a run, and what becomes of it where that is not as usual.

use std::time::Duration;

use bailiwick_domain::run::{Class, Event, RunOutcome, Status, Strategy};
use futures::FutureExt as _;
use serde_json::{Value, json};

use super::world::{Answer, PATIENCE, World, single, submission, until};
use crate::runtime::{RunFilter, Submission};
use crate::scheduler::queue::PerClass;

/// As much as may be asked of a run.
const MOST: usize = 256 << 10;

fn asked(strategy: Value, input: &str) -> Submission {
    let strategy: Strategy = serde_json::from_value(strategy).expect("a strategy");
    Submission { input: input.to_owned(), ..submission(strategy) }
}

#[tokio::test]
async fn a_run_that_finds_a_place_is_kept_with_its_first_step() {
    let host = World::new(|_| Answer::Hang).host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    let events = host.events(&id, 0, 10).expect("events");
    assert!(
        matches!(events.last(), Some((4, record)) if matches!(record.event, Event::StepStarted { .. })),
        "{events:?}"
    );
    assert_eq!(host.run(&id).expect("a run").status, Status::Running);
}

#[tokio::test]
async fn one_that_ends_with_its_first_steps_gives_its_place_back() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    // Each of them is asked as much as may be, and all of that together is too much.
    let inner: Vec<Value> =
        (0..4).map(|n| json!({ "id": format!("i{n}"), "run": { "kind": "single", "agent": "bob" } })).collect();
    let inner = json!({ "kind": "graph", "graph": { "nodes": inner, "edges": [] } });
    let nodes: Vec<Value> = (0..64).map(|n| json!({ "id": format!("n{n}"), "run": inner })).collect();
    let graph = json!({ "kind": "graph", "graph": { "nodes": nodes, "edges": [] } });
    let id = host.submit(asked(graph, &"x".repeat(MOST))).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    assert!(matches!(run.outcome, Some(RunOutcome::Failed { code, .. }) if code == "MAX_INPUTS"));
    let free = async {
        while PerClass::from_fn(|class: Class| host.queue().classes[class].running).sum() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, free).await.expect("its place is free");
}

#[tokio::test]
async fn first_steps_that_are_too_large_to_be_kept_with_the_run_follow_it() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    let items = vec!["x"; 63];
    let map = json!({ "kind": "parallel_map", "agent": "bob", "items": items, "at_once": 63 });
    let id = host.submit(asked(map, &"x".repeat(MOST))).await.expect("taken up").id;
    until(&host, &id, Status::Completed).await;
}

#[tokio::test]
async fn one_whose_submitter_goes_away_is_worked_on() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    // They have asked for the run to be kept, and the last of them waits for that no more. The
    // journal may be quicker than one of them.
    let mut submitters = (1..=100).map(|number| (number, host.submit(single("bob")).now_or_never().is_none()));
    let (number, _) = submitters.find(|(_, goes_away)| *goes_away).expect("one of them would have had to wait");
    let done = async {
        loop {
            let runs = host.runs(&RunFilter::default(), None, 100).expect("a list");
            if runs.iter().filter(|run| run.status == Status::Completed).count() == number {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("all come to their end");
}
