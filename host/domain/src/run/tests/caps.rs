//! How much one run may have at once and in all, whatever lies in it.

use serde_json::{Value, json};

use super::stage::{Stage, budget};
use crate::run::graph::MAX_RENDERED;
use crate::run::{Budget, Event, MAX_INPUTS, MAX_UNDER_WAY, Status, Strategy};

fn graph(nodes: &Value, edges: &Value) -> Strategy {
    let graph = json!({ "kind": "graph", "graph": { "nodes": nodes, "edges": edges } });
    serde_json::from_value(graph).expect("a strategy")
}

fn map(items: usize) -> Value {
    let items: Vec<String> = (0..items).map(|item| item.to_string()).collect();
    json!({ "kind": "parallel_map", "agent": "bob", "items": items, "at_once": 1000 })
}

/// Two maps side by side, each a subrun, with more items together than may be under way.
fn crowd() -> Stage {
    Stage::new(graph(&json!([{ "id": "a", "run": map(200) }, { "id": "b", "run": map(200) }]), &json!([])))
}

fn under_way(stage: &Stage) -> u64 {
    stage.under_way().len() as u64
}

#[test]
fn no_more_steps_are_under_way_than_may_be_and_none_is_lost() {
    let mut stage = crowd();
    assert_eq!((under_way(&stage), stage.run.tasks.len()), (MAX_UNDER_WAY, 400));
    let mut said = 0_u64;
    while let Some(step) = stage.under_way().first().copied() {
        assert_eq!(stage.status(), Status::Running, "what waits is not lost, and the run is not stuck");
        stage.say(step, "ok");
        said += 1;
        assert_eq!(under_way(&stage), MAX_UNDER_WAY.min(400 - said), "the next one takes the place");
    }
    assert_eq!((stage.status(), said), (Status::Completed, 400));
}

#[test]
fn what_failed_in_a_way_that_may_pass_waits_for_a_place_too() {
    let mut stage = crowd();
    stage.fail(0, "busy", true);
    assert_eq!((under_way(&stage), stage.run.backing_off().collect::<Vec<_>>()), (MAX_UNDER_WAY, vec![0]));
    assert!(stage.run.is_held());
    let again = |stage: &Stage| {
        let (task, action) = (stage.run.steps[0].task, stage.run.steps[0].action.clone());
        stage.run.to_begin(Event::StepStarted { step: 0, task, attempt: 2, action })
    };
    assert_eq!(again(&stage), None);
    while under_way(&stage) == MAX_UNDER_WAY {
        let step = stage.under_way()[0];
        stage.say(step, "ok");
    }
    assert!(!stage.run.is_held());
    let event = again(&stage).expect("there is a place");
    stage.tell(event);
    assert_eq!(under_way(&stage), MAX_UNDER_WAY);
}

#[test]
fn all_that_the_tasks_of_a_run_are_asked_has_a_size() {
    let nodes = json!([{ "id": "look", "agent": "bob" }, { "id": "each", "run": map(300), "input": "{{look}}" }]);
    let edges = json!([{ "from": "look", "to": "each" }]);
    let mut stage = Stage::within(graph(&nodes, &edges), Budget { steps: 2000, ..budget() });
    stage.say(0, &"x".repeat(MAX_RENDERED));
    let (code, message) = stage.failure();
    assert_eq!(code, "MAX_INPUTS", "{message}");
    let of_tasks: usize = stage.run.tasks.iter().map(|task| task.opening.input.len()).sum();
    let asked = of_tasks + stage.run.subruns[0].input.len();
    assert!(asked <= MAX_INPUTS && asked + MAX_RENDERED + 5 > MAX_INPUTS, "{asked} bytes");
}

#[test]
fn a_log_with_more_inputs_than_may_be_is_read() {
    let strategy = graph(&json!([{ "id": "a", "agent": "bob" }]), &json!([]));
    let mut stage = Stage::new(strategy);
    let task = &stage.run.tasks[0];
    let opening = crate::run::Opening { input: "x".repeat(MAX_INPUTS), ..task.opening.clone() };
    stage.tell(Event::TaskOpened { task: 1, opening });
    assert_eq!(stage.status(), Status::Running);
}
