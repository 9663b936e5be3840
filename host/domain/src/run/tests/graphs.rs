//! Agents that work as the edges of a graph say.

use serde_json::json;

use super::stage::{Stage, team};
use crate::run::graph::Graph;
use crate::run::{Event, Status, Strategy};

fn graph(text: serde_json::Value) -> Strategy {
    let graph: Graph = serde_json::from_value(text).expect("a graph");
    Strategy::Graph { graph, agents: Vec::new() }
}

/// `plan`, then `code` and `check` side by side, then `write`, which has both.
fn diamond() -> Strategy {
    graph(json!({
        "nodes": [
            { "id": "plan", "agent": "bob", "input": "Plan: {{input}}" },
            { "id": "code", "agent": "ada", "input": "Code {{plan}}" },
            { "id": "check", "agent": "bob", "input": "Check {{plan}}", "optional": true },
            { "id": "write", "agent": "bob", "input": "Write {{code}} and {{check}}" },
        ],
        "edges": [
            { "from": "plan", "to": "code", "label": "plan" },
            { "from": "plan", "to": "check" },
            { "from": "code", "to": "write" },
            { "from": "check", "to": "write" },
        ],
    }))
}

#[test]
fn nodes_open_when_those_before_them_are_done() {
    let mut stage = Stage::new(diamond());
    assert_eq!((stage.under_way(), stage.run.tasks[0].opening.input.as_str()), (vec![0], "Plan: Do it."));
    stage.say(0, "P");
    assert_eq!(stage.under_way(), [1, 2], "side by side");
    assert_eq!(stage.run.tasks[1].opening.input, "Code P");
    stage.say(2, "ok");
    assert_eq!(stage.under_way(), [1]);
    stage.say(1, "C");
    assert_eq!(stage.run.tasks[3].opening.input, "Write C and ok");
    stage.say(3, "W");
    assert_eq!(stage.completed(), json!("W"));
}

#[test]
fn a_node_that_fails_fails_the_run_and_is_tried_again() {
    let mut stage = Stage::new(diamond());
    stage.say(0, "P");
    stage.fail(1, "MODEL_FAILED", false);
    let (code, message) = stage.failure();
    assert_eq!((code.as_str(), message.contains("the node `code` failed: MODEL_FAILED")), ("DEPENDENCY_FAILED", true));
    stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!(stage.under_way(), [2, 3], "the one that was under way, and the one that failed");
    stage.say(3, "C");
    stage.say(2, "ok");
    stage.say(4, "W");
    assert_eq!(stage.status(), Status::Completed);
}

#[test]
fn conditions_choose_the_way() {
    let mut stage = Stage::new(graph(json!({
        "nodes": [
            { "id": "look", "agent": "bob" },
            { "id": "good", "agent": "bob" },
            { "id": "bad", "agent": "bob" },
        ],
        "edges": [
            { "from": "look", "to": "good", "when": { "kind": "contains", "text": "fine" } },
            { "from": "look", "to": "bad", "when": { "kind": "contains", "text": "broken" } },
        ],
    })));
    stage.say(0, "All fine.");
    assert_eq!(stage.run.tasks.len(), 2);
    stage.say(1, "Good.");
    assert_eq!(stage.completed(), json!("Good."));
}

#[test]
fn a_graph_is_checked_before_anything_begins() {
    let cycle = graph(json!({
        "nodes": [{ "id": "a", "agent": "bob" }, { "id": "b", "agent": "bob" }, { "id": "c", "agent": "bob" }],
        "edges": [{ "from": "a", "to": "b" }, { "from": "b", "to": "c" }, { "from": "c", "to": "b" }],
    }));
    let error = cycle.check(&team()).expect_err("a cycle").to_string();
    assert!(error.contains("b -> c -> b") || error.contains("c -> b -> c"), "{error}");
    let stranger = graph(json!({ "nodes": [{ "id": "a", "agent": "eve" }] }));
    assert!(stranger.check(&team()).expect_err("no such agent").to_string().contains("eve"));
}

/// Three nodes side by side, the steps 0, 1 and 2.
fn three() -> serde_json::Value {
    json!({
        "nodes": [
            { "id": "a", "agent": "bob" },
            { "id": "b", "agent": "bob" },
            { "id": "c", "agent": "bob" },
        ],
    })
}

#[test]
fn one_retry_tries_all_nodes_again_that_failed_at_once() {
    let inner = json!({ "nodes": [{ "id": "in", "run": { "kind": "graph", "graph": three() } }] });
    for strategy in [graph(three()), graph(inner)] {
        let mut stage = Stage::new(strategy);
        assert_eq!(stage.under_way(), [0, 1, 2]);
        for step in [0, 1] {
            stage.fail_alone(step, "MODEL_FAILED");
        }
        stage.go();
        assert!(stage.failure().1.contains("the node `a` failed: MODEL_FAILED"), "{:?}", stage.failure());
        stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
        stage.tell(Event::Started {});
        stage.go();
        assert_eq!((stage.status(), stage.under_way()), (Status::Running, vec![2, 3, 4]), "both, and the third one");
        for (step, text) in [(2, "C"), (3, "A"), (4, "B")] {
            stage.say(step, text);
        }
        let output = stage.completed();
        let text = output.as_str().map_or_else(|| output.to_string(), str::to_owned);
        assert_eq!(text, r#"{"a":"A","b":"B","c":"C"}"#);
    }
}

#[test]
fn a_node_that_fails_beside_one_that_may_fails_the_run() {
    let mut nodes = three();
    nodes["nodes"][0]["optional"] = json!(true);
    let mut stage = Stage::new(graph(nodes));
    for step in [0, 1] {
        stage.fail_alone(step, "MODEL_FAILED");
    }
    stage.go();
    assert!(stage.failure().1.contains("the node `b` failed"), "{:?}", stage.failure());
}
