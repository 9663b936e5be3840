//! Graphs to which agents add while they run.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stage::{Stage, budget, team};
use crate::model::Message;
use crate::run::graph::NodeState;
use crate::run::{ADD_NODES, Event, Run, Status, Strategy, prompt};

/// `plan`, which may add nodes, then `end`; `side` goes on beside them.
fn planned() -> Stage {
    let graph = json!({
        "kind": "graph",
        "graph": {
            "nodes": [
                { "id": "plan", "agent": "bob", "plans": true },
                { "id": "side", "agent": "bob" },
                { "id": "end", "agent": "bob", "input": "End." },
            ],
            "edges": [{ "from": "plan", "to": "end" }],
        },
        "agents": ["ada"],
    });
    let strategy: Strategy = serde_json::from_value(graph).expect("a strategy");
    assert_eq!(strategy.agents(), ["bob", "bob", "bob", "ada"], "the team has all of them");
    Stage::new(strategy)
}

fn add(stage: &mut Stage, step: u32, added: &Value) {
    stage.want(step, &[("g", ADD_NODES, added.to_string().as_str())]);
}

/// `find`, on which `end` waits from now on.
fn found() -> Value {
    json!({
        "nodes": [{ "id": "find", "agent": "ada", "input": "Find {{plan}}" }],
        "edges": [{ "from": "plan", "to": "find" }, { "from": "find", "to": "end" }],
    })
}

#[test]
fn what_an_agent_adds_runs_and_is_waited_for() {
    let mut stage = planned();
    assert_eq!(stage.tools(0), [ADD_NODES]);
    assert_eq!(stage.tools(1), Vec::<String>::new(), "only who plans may");
    add(&mut stage, 0, &found());
    assert_eq!(stage.told(0), ["added to the graph: 1 nodes, 2 edges"]);
    assert_eq!(stage.under_way(), [1, 2], "the agent goes on");
    stage.say(2, "gold");
    let task = stage.run.tasks.last().expect("a task");
    assert_eq!((task.opening.agent.as_str(), task.opening.input.as_str()), ("ada", "Find gold"));
    stage.say(3, "found");
    assert_eq!(stage.run.tasks.last().expect("a task").opening.input, "End.");
    stage.say(4, "ended");
    assert_eq!(stage.status(), Status::Running, "`side` is at work");
    stage.say(1, "aside");
    assert_eq!(stage.completed(), json!({ "side": "aside", "end": "ended" }));
}

#[test]
fn an_agent_that_plans_sees_the_graph_as_it_stands() {
    let mut stage = planned();
    add(&mut stage, 0, &found());
    let Some(Message::System { text }) = prompt(&stage.run, 0).expect("a task").messages.first().cloned() else {
        panic!("it is told what it may do")
    };
    for line in [
        "- plan (open, which is you)",
        "- side (open)",
        "- end (waiting)",
        "- find (waiting)",
        "- ada: Works with files.",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn what_can_not_be_added_is_told_to_the_model() {
    let cases = [
        (json!({ "nodes": [{ "id": "side", "agent": "bob" }] }), "the node `side` is there twice"),
        (json!({ "nodes": [{ "id": "x", "agent": "eve" }] }), "node `x`: no agent is named `eve`"),
        (
            json!({ "nodes": [], "edges": [{ "from": "end", "to": "side" }] }),
            "edge `end -> side`: `side` waits no longer",
        ),
        (json!({ "nodes": [], "edges": [{ "from": "end", "to": "plan" }] }), "nodes wait for each other"),
        (json!({ "nodes": [] }), "nothing is added"),
        (json!({ "nodes": [{ "id": "x", "agent": "bob", "plans": true }] }), "node `x`: what is added has an `agent`"),
        (
            json!({ "nodes": [{ "id": "x", "run": { "kind": "single", "agent": "bob" } }] }),
            "node `x`: what is added has an `agent`",
        ),
        (json!({ "node": [] }), "expected `nodes`"),
    ];
    for (added, words) in cases {
        let mut stage = planned();
        let before = stage.run.graph(None).cloned();
        add(&mut stage, 0, &added);
        let told = stage.told(0);
        assert!(told[0].starts_with(&format!("error: {words}")), "{told:?}");
        assert_eq!(stage.run.tasks[0].bad_calls, 1);
        assert_eq!(stage.run.graph(None).cloned(), before);
        assert_eq!(stage.under_way(), [1, 2], "the agent goes on");
    }
}

/// Agents that the model of the first task may give new nodes to.
fn addable(stage: &Stage) -> Value {
    let asked = prompt(&stage.run, 0).expect("a task");
    let tool = asked.tools.iter().find(|tool| tool.name == ADD_NODES).expect("it plans");
    tool.input_schema["properties"]["nodes"]["items"]["properties"]["agent"]["enum"].clone()
}

/// `plan` by this agent, beside a node of each of both: `own` in the graph itself, `other` in
/// a strategy within it.
fn between(planner: &str, own: &str, other: &str) -> Stage {
    let graph = json!({
        "kind": "graph",
        "graph": {
            "nodes": [
                { "id": "plan", "agent": planner, "plans": true },
                { "id": "own", "agent": own },
                { "id": "other", "run": { "kind": "single", "agent": other } },
            ],
        },
    });
    let mut team = team();
    team.members.get_mut("ada").expect("ada").on_failure.fallback = Some("bob".to_owned());
    Stage::of(serde_json::from_value(graph).expect("a strategy"), budget(), team)
}

#[test]
fn new_nodes_have_agents_that_the_submitter_named_or_that_may_call_no_more() {
    assert_eq!(addable(&planned()), json!(["ada", "bob"]), "`agents` has ada");
    assert_eq!(addable(&between("ada", "bob", "bob")), json!(["ada", "bob"]));
    assert_eq!(addable(&between("ada", "ada", "bob")), json!(["ada"]), "bob is in another graph, and a fallback");
    let mut stage = between("bob", "ada", "ada");
    assert_eq!(addable(&stage), json!(["bob"]), "ada may call more");
    let Some(Message::System { text }) = prompt(&stage.run, 0).expect("a task").messages.first().cloned() else {
        panic!("it is told what it may do")
    };
    assert!(text.contains("- bob: Talks.") && !text.contains("- ada:"), "{text}");
    add(&mut stage, 0, &json!({ "nodes": [{ "id": "x", "agent": "ada" }] }));
    assert_eq!(stage.told(0), ["error: node `x`: `ada` is no agent for new nodes; expected `bob`"]);
    assert_eq!(stage.run.graph(None).map(|graph| graph.nodes.len()), Some(3));
}

/// `plan`, then `end`; `gate` opens where `side` says so.
fn gated(optional: bool) -> Stage {
    let graph = json!({
        "kind": "graph",
        "graph": {
            "nodes": [
                { "id": "plan", "agent": "bob", "plans": true, "optional": optional },
                { "id": "side", "agent": "bob" },
                { "id": "gate", "agent": "bob", "join": "any" },
                { "id": "end", "agent": "bob" },
            ],
            "edges": [
                { "from": "side", "to": "gate", "when": { "kind": "contains", "text": "GO" } },
                { "from": "plan", "to": "end" },
            ],
        },
        "agents": ["ada"],
    });
    Stage::new(serde_json::from_value(graph).expect("a strategy"))
}

#[test]
fn an_agent_opens_no_gate_and_has_no_node_skipped() {
    let never = json!({ "kind": "contains", "text": "never" });
    let failed = json!({ "kind": "failed" });
    let (x, y) = (json!({ "id": "x", "agent": "bob" }), json!({ "id": "y", "agent": "bob" }));
    let only = "a node that was there may only wait for more: expected no `when`, and a node that joins `all`";
    let skipped = "a node that was there may only wait for more, and would be skipped";
    let cases = [
        (json!({ "nodes": [], "edges": [{ "from": "plan", "to": "gate" }] }), "plan -> gate", only),
        (json!({ "nodes": [x], "edges": [{ "from": "x", "to": "gate" }] }), "x -> gate", only),
        (json!({ "nodes": [], "edges": [{ "from": "side", "to": "end", "when": never }] }), "side -> end", only),
        (
            json!({ "nodes": [x], "edges": [{ "from": "plan", "to": "x", "when": never }, { "from": "x", "to": "end" }] }),
            "x -> end",
            skipped,
        ),
        (
            json!({ "nodes": [x, y], "edges": [{ "from": "x", "to": "y", "when": failed }, { "from": "x", "to": "end" }] }),
            "x -> end",
            skipped,
        ),
        (
            json!({ "nodes": [{ "id": "x", "agent": "bob", "optional": true }], "edges": [{ "from": "x", "to": "end" }] }),
            "x -> end",
            skipped,
        ),
        (json!({ "nodes": [], "edges": [{ "from": "gate", "to": "end" }] }), "gate -> end", skipped),
        (
            json!({ "nodes": [y], "edges": [{ "from": "side", "to": "y", "when": failed }] }),
            "side -> y",
            "a node that was there fails as it did",
        ),
    ];
    for (added, edge, words) in cases {
        let mut stage = gated(false);
        let before = stage.run.graph(None).cloned();
        add(&mut stage, 0, &added);
        let told = stage.told(0);
        assert!(told[0].starts_with(&format!("error: edge `{edge}`: {words}")), "{told:?}");
        assert_eq!(stage.run.graph(None).cloned(), before);
    }
}

#[test]
fn a_node_waits_for_what_is_done_whenever_it_would_begin() {
    // `end` waits for `plan` anyway, whether `plan` may fail or not.
    for optional in [false, true] {
        let mut stage = gated(optional);
        add(&mut stage, 0, &found());
        assert_eq!(stage.told(0), ["added to the graph: 1 nodes, 2 edges"], "{optional}");
    }
    let mut stage = gated(false);
    add(&mut stage, 0, &json!({ "nodes": [], "edges": [{ "from": "side", "to": "end" }] }));
    assert_eq!(stage.told(0), ["added to the graph: 0 nodes, 1 edges"]);
}

#[test]
fn a_log_of_before_the_rules_is_read() {
    let mut stage = gated(false);
    let more = json!({ "nodes": [], "edges": [{ "from": "plan", "to": "gate" }] });
    stage.answer_alone(0, ADD_NODES, &more);
    let graph = serde_json::from_value(more).expect("a graph");
    stage.tell(Event::GraphGrown { task: 0, call: "g".to_owned(), graph });
    assert_eq!(stage.run.graph(None).map(|graph| graph.edges.len()), Some(3));
}

#[test]
fn an_agent_that_does_not_plan_has_no_such_tool() {
    let mut stage = planned();
    add(&mut stage, 1, &found());
    assert_eq!(stage.told(1), [format!("error: there is no tool `{ADD_NODES}`")]);
    assert_eq!(stage.run.graph(None).map(|graph| graph.nodes.len()), Some(3));
}

#[test]
fn two_additions_at_once_are_both_looked_at() {
    let mut stage = planned();
    let one = json!({ "nodes": [{ "id": "x", "agent": "bob" }] }).to_string();
    stage.want(0, &[("a", ADD_NODES, one.as_str()), ("b", ADD_NODES, one.as_str())]);
    assert_eq!(stage.told(0), ["added to the graph: 1 nodes, 0 edges", "error: the node `x` is there twice"]);
}

#[test]
fn a_graph_that_grew_survives_a_stop_and_a_second_try() {
    let mut stage = planned();
    add(&mut stage, 0, &found());
    stage.tell(Event::Recovered {});
    stage.tell(Event::Started {});
    stage.go();
    stage.say(2, "gold");
    stage.fail(3, "MODEL_FAILED", false);
    let (_, message) = stage.failure();
    assert!(message.contains("the node `find` failed"), "{message}");
    stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
    stage.tell(Event::Started {});
    stage.go();
    let states: Vec<NodeState<'_>> =
        stage.run.nodes(None).expect("a graph").into_iter().map(|node| node.state).collect();
    assert_eq!(states, [NodeState::Done("gold"), NodeState::Open, NodeState::Waiting, NodeState::Open]);
    let mut again = Run::begin(&stage.log[0], Arc::new(team())).expect("a run");
    for record in &stage.log[1..] {
        let text = serde_json::to_string(record).expect("writable");
        again.apply(&serde_json::from_str(&text).expect("readable")).expect("it could follow before");
    }
    assert_eq!(again, stage.run);
}

#[test]
fn a_graph_within_a_graph_grows_by_itself() {
    let inner = json!({ "nodes": [{ "id": "plan", "agent": "bob", "plans": true }] });
    let graph = json!({
        "kind": "graph",
        "graph": { "nodes": [{ "id": "inner", "run": { "kind": "graph", "graph": inner } }] },
    });
    let mut stage = Stage::new(serde_json::from_value(graph).expect("a strategy"));
    add(&mut stage, 0, &json!({ "nodes": [{ "id": "more", "agent": "bob" }] }));
    assert_eq!(stage.run.graph(None).map(|graph| graph.nodes.len()), Some(1));
    assert_eq!(stage.run.graph(Some(0)).map(|graph| graph.nodes.len()), Some(2));
    let task = stage.run.tasks.last().expect("a task");
    assert_eq!((task.opening.subrun, task.opening.node), (Some(0), Some(1)));
}
