//! Strategies of graphs' nodes, at work as parts of the same run.

use std::sync::Arc;

use serde_json::{Value, json};

use super::stage::{Stage, budget, queued, team};
use crate::run::{Budget, Event, MAX_TASKS, Run, Status, StepState, Strategy, TaskOutcome, USE_SKILL};

fn graph(nodes: &Value, edges: &Value) -> Strategy {
    let graph = json!({ "kind": "graph", "graph": { "nodes": nodes, "edges": edges } });
    serde_json::from_value(graph).expect("a strategy")
}

fn map(items: &[&str], more: &Value) -> Value {
    let mut map = json!({ "kind": "parallel_map", "agent": "bob", "items": items, "at_once": 8 });
    map.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    map
}

/// `look`, then a map over `x` and `y` on what was seen, then `end`.
fn mapped(node: &Value) -> Strategy {
    let mut each = json!({ "id": "each", "run": map(&["x", "y"], &json!({})), "input": "On {{look}}:" });
    each.as_object_mut().expect("an object").extend(node.as_object().expect("an object").clone());
    graph(
        &json!([{ "id": "look", "agent": "bob" }, each, { "id": "end", "agent": "bob", "input": "End {{each}}" }]),
        &json!([{ "from": "look", "to": "each" }, { "from": "each", "to": "end" }]),
    )
}

fn again(stage: &mut Stage) {
    stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
    stage.tell(Event::Started {});
    stage.go();
}

/// What is the same after its events were read again.
fn folded(stage: &Stage) -> Run {
    let mut run = Run::begin(&stage.log[0], Arc::new(team())).expect("a run");
    for record in &stage.log[1..] {
        let text = serde_json::to_string(record).expect("writable");
        run.apply(&serde_json::from_str(&text).expect("readable")).expect("it could follow before");
    }
    run
}

#[test]
fn a_map_is_a_node_of_a_graph() {
    let mut stage = Stage::new(mapped(&json!({})));
    stage.say(0, "ports");
    assert_eq!(stage.under_way(), [1, 2], "the items are under way side by side");
    let opening = &stage.run.tasks[2].opening;
    assert_eq!((opening.input.as_str(), opening.item, opening.subrun), ("On ports:\n\ny", Some(1), Some(0)));
    stage.say(2, "two");
    stage.say(1, "one");
    assert!(stage.run.subruns[0].outcome.is_some());
    let list = json!([{ "item": "x", "output": "one" }, { "item": "y", "output": "two" }]);
    assert_eq!(stage.run.tasks[3].opening.input, format!("End {list}"));
    assert_eq!(stage.run.tasks[3].opening.subrun, None);
    stage.say(3, "done");
    assert_eq!(stage.completed(), json!("done"));
    assert_eq!(folded(&stage), stage.run);
}

#[test]
fn every_strategy_that_works_on_a_text_can_be_a_node() {
    let nodes = json!([
        { "id": "one", "run": { "kind": "single", "agent": "bob" } },
        { "id": "choice", "run": { "kind": "router", "agents": ["ada", "bob"], "by": "bob" } },
        { "id": "hand", "run": { "kind": "handoff", "agents": ["ada", "bob"], "first": "bob", "max_depth": 1 } },
        { "id": "inner", "run": { "kind": "graph", "graph": { "nodes": [{ "id": "a", "agent": "bob" }] } } },
    ]);
    let mut stage = Stage::new(graph(&nodes, &json!([])));
    assert_eq!(stage.under_way(), [0, 1, 2, 3]);
    assert_eq!((stage.tools(1), stage.tools(2)), (vec!["choose_agent".to_owned()], vec!["handoff".to_owned()]));
    stage.say(0, "1");
    stage.want(1, &[("c", "choose_agent", r#"{"agent": "bob"}"#)]);
    stage.want(2, &[("h", "handoff", r#"{"to": "ada"}"#)]);
    stage.say(3, "4");
    stage.tell(Event::HandoffAccepted { handoff: 0, by: Some("me".to_owned()) });
    stage.go();
    let subruns = |stage: &Stage| stage.run.tasks.iter().map(|task| task.opening.subrun).collect::<Vec<_>>();
    assert_eq!(subruns(&stage), [Some(0), Some(1), Some(2), Some(3), Some(1), Some(2)]);
    stage.say(4, "2");
    stage.say(5, "3");
    assert_eq!(stage.completed(), json!({ "one": "1", "choice": "2", "hand": "3", "inner": "4" }));
}

#[test]
fn what_subruns_take_is_taken_from_the_budget_of_the_run() {
    let two = Budget { steps: 2, ..budget() };
    let mut stage = Stage::within(mapped(&json!({})), two);
    stage.say(0, "ports");
    assert_eq!(stage.under_way(), [1], "one step is left for both items");
    stage.say(1, "one");
    assert_eq!(stage.failure().0, "BUDGET_EXHAUSTED");
    assert!(stage.run.subruns[0].outcome.is_none(), "it is the run that has nothing left");
    let Event::Failed { partial, .. } = &stage.log.last().expect("an event").event else { panic!("it failed") };
    let told = json!([{ "task": 0, "agent": "bob", "text": "ports" }, { "task": 1, "agent": "bob", "text": "one" }]);
    assert_eq!(*partial, told, "what was said in subruns is told too");
}

#[test]
fn a_subrun_that_fails_fails_the_run_and_nothing_goes_on() {
    let mut stage = Stage::new(mapped(&json!({})));
    stage.say(0, "ports");
    stage.fail(1, "MODEL_FAILED", false);
    let (code, message) = stage.failure();
    assert_eq!(code, "DEPENDENCY_FAILED");
    assert!(message.contains("the node `each` failed: DEPENDENCY_FAILED: item 0 failed"), "{message}");
    assert!(message.contains("MODEL_FAILED"), "{message}");
    assert_eq!(stage.under_way(), Vec::<u32>::new());
}

#[test]
fn a_subrun_that_may_fail_ends_with_all_that_is_under_way_in_it() {
    let mut stage = Stage::new(mapped(&json!({ "optional": true })));
    stage.say(0, "ports");
    let before = stage.run.spend.steps;
    stage.fail(1, "MODEL_FAILED", false);
    assert_eq!(stage.status(), Status::Completed, "nothing is left: `end` waits for what failed");
    assert_eq!(stage.run.steps[2].state, StepState::Abandoned);
    assert!(matches!(stage.run.tasks[2].outcome, Some(TaskOutcome::Failed { .. })));
    assert_eq!(stage.run.spend.steps, before + 2, "what was asked counts, be it answered or not");
    assert_eq!(stage.completed(), json!("ports"));
}

#[test]
fn an_edge_for_failures_leads_on_from_a_subrun() {
    let nodes = json!([
        { "id": "each", "run": map(&["x", "y"], &json!({})) },
        { "id": "mend", "agent": "bob" },
        { "id": "side", "agent": "bob" },
    ]);
    let edges = json!([{ "from": "each", "to": "mend", "when": { "kind": "failed" } }]);
    let mut stage = Stage::new(graph(&nodes, &edges));
    let step = |stage: &Stage, of: u32| {
        stage.run.steps.iter().position(|step| step.task == of).and_then(|at| u32::try_from(at).ok()).expect("a step")
    };
    let task = |stage: &Stage, subrun: Option<u32>, node: Option<u32>| {
        let is_it = |task: &crate::run::Task| task.opening.subrun == subrun && task.opening.node == node;
        stage.run.tasks.iter().position(is_it).and_then(|at| u32::try_from(at).ok()).expect("a task")
    };
    let item = task(&stage, Some(0), None);
    let late = stage.under_way().into_iter().filter(|at| *at != step(&stage, item)).collect::<Vec<_>>();
    stage.fail(step(&stage, item), "MODEL_FAILED", false);
    assert_eq!(stage.status(), Status::Running);
    let (side, mend) = (step(&stage, task(&stage, None, Some(2))), step(&stage, task(&stage, None, Some(1))));
    assert_eq!(stage.under_way().into_iter().collect::<std::collections::BTreeSet<_>>(), [side, mend].into());
    // What comes too late is refused, and the run goes on.
    let abandoned = late.into_iter().find(|at| *at != side).expect("the other item");
    let result = crate::run::StepResult::Failed { code: "X".to_owned(), message: String::new(), retriable: false };
    let ended = Event::StepEnded { step: abandoned, result, spend: crate::run::Spend::default(), receipt: None };
    assert!(stage.try_tell(ended).is_err());
    stage.say(mend, "mended");
    stage.say(side, "aside");
    assert_eq!(stage.completed(), json!({ "mend": "mended", "side": "aside" }));
    assert_eq!(folded(&stage), stage.run);
}

#[test]
fn a_run_is_tried_again_from_where_a_subrun_failed() {
    let nodes = json!([
        { "id": "lost", "run": map(&["x"], &json!({})), "optional": true },
        { "id": "outer", "run": { "kind": "graph", "graph": { "nodes": [
            { "id": "each", "run": map(&["x", "y"], &json!({})) },
            { "id": "side", "agent": "bob" },
        ] } } },
    ]);
    let mut stage = Stage::new(graph(&nodes, &json!([])));
    let named = |stage: &Stage, input: &str, subrun: u32| {
        let is_it = |step: &crate::run::Step| {
            let opening = &stage.run.tasks[step.task as usize].opening;
            opening.subrun == Some(subrun) && opening.input.ends_with(input)
        };
        stage.run.steps.iter().position(is_it).and_then(|at| u32::try_from(at).ok()).expect("a step")
    };
    let (lost, outer, each) = (0, 1, 2);
    stage.fail(named(&stage, "x", lost), "MODEL_FAILED", false);
    assert_eq!(stage.status(), Status::Running, "it may fail");
    let (x, y, side) = (named(&stage, "x", each), named(&stage, "y", each), named(&stage, "Do it.", outer));
    stage.say(x, "one");
    stage.fail(y, "MODEL_FAILED", false);
    assert_eq!(stage.failure().0, "DEPENDENCY_FAILED");
    again(&mut stage);
    assert_eq!(stage.run.subruns[lost as usize].outcome.as_ref().and_then(TaskOutcome::output), None);
    assert!(stage.run.subruns[lost as usize].outcome.is_some(), "the run has gone on without it");
    let asked: Vec<u32> = stage.under_way().into_iter().map(|step| stage.run.steps[step as usize].task).collect();
    let tasks = [y, side].map(|step| stage.run.steps[step as usize].task);
    assert_eq!(
        asked.into_iter().collect::<std::collections::BTreeSet<_>>(),
        tasks.into(),
        "what failed and what was under way, and not what was done"
    );
    for step in stage.under_way() {
        stage.say(step, "again");
    }
    assert_eq!(stage.status(), Status::Completed);
    assert!(stage.completed().as_str().is_some_and(|text| text.contains("one") && text.contains("again")));
    assert_eq!(folded(&stage), stage.run);
}

#[test]
fn a_stop_of_the_host_in_a_subrun_costs_no_more_than_in_a_run() {
    let node = json!({ "run": { "kind": "single", "agent": "ada" } });
    let mut stage = Stage::new(mapped(&node));
    stage.say(0, "ports");
    stage.want(1, &[("c", USE_SKILL, r#"{"skill": "files"}"#)]);
    stage.want(2, &[("r", "files__read", r#"{"n": 2}"#)]);
    stage.tell(Event::Recovered {});
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!((stage.under_way(), stage.calls_of(&json!({ "n": 2 }))), (vec![3], 2));
    stage.output(3, &json!("r"));
    stage.want(4, &[("d", "files__delete", r#"{"n": 3}"#)]);
    assert_eq!(stage.run.unrepeatable(), [5]);
    assert!(stage.try_tell(Event::Recovered {}).is_err());
    stage.tell(Event::Interrupted { steps: vec![5] });
    stage.tell(Event::Resumed { by: "me".to_owned(), repeat: false });
    stage.tell(Event::Started {});
    stage.go();
    stage.say(6, "seen");
    stage.say(7, "done");
    assert_eq!((stage.completed(), stage.calls_of(&json!({ "n": 3 }))), (json!("done"), 1));
    assert_eq!(folded(&stage), stage.run);
}

#[test]
fn a_question_of_a_subrun_that_failed_keeps_nobody_waiting() {
    let inner = json!([{ "id": "call", "agent": "ada" }, { "id": "fail", "agent": "bob" }]);
    let nodes = json!([
        { "id": "inner", "run": { "kind": "graph", "graph": { "nodes": inner } }, "optional": true },
        { "id": "side", "agent": "bob" },
    ]);
    let mut stage = Stage::new(graph(&nodes, &json!([])));
    let of = |stage: &Stage, agent: &str, subrun: Option<u32>| {
        let is_it = |step: &crate::run::Step| {
            let opening = &stage.run.tasks[step.task as usize].opening;
            opening.subrun == subrun && opening.agent == agent
        };
        stage.run.steps.iter().rposition(is_it).and_then(|at| u32::try_from(at).ok()).expect("a step")
    };
    stage.want(of(&stage, "ada", Some(0)), &[("c", USE_SKILL, r#"{"skill": "files"}"#)]);
    stage.want(of(&stage, "ada", Some(0)), &[("d", "files__delete", "{}")]);
    let call = of(&stage, "ada", Some(0));
    stage.tell(Event::ApprovalRequested { step: call, approval: "q".to_owned() });
    assert_eq!(stage.status(), Status::WaitingApproval);
    stage.fail(of(&stage, "bob", Some(0)), "MODEL_FAILED", false);
    assert_eq!((stage.status(), stage.run.awaiting().count()), (Status::Running, 0));
    let answer = Event::ApprovalAnswered { step: call, approved: true, reason: None };
    assert!(stage.try_tell(answer).is_err(), "nobody waits for it any more");
    stage.say(of(&stage, "bob", None), "aside");
    assert_eq!(stage.status(), Status::Completed);
}

#[test]
fn who_cancels_a_run_ends_its_subruns() {
    let mut stage = Stage::new(mapped(&json!({})));
    stage.say(0, "ports");
    stage.tell(Event::Cancelled { by: "me".to_owned(), reason: None });
    stage.go();
    assert_eq!((stage.status(), stage.under_way()), (Status::Cancelled, vec![]));
    assert_eq!(stage.run.steps[1].state, StepState::Abandoned);
}

#[test]
fn nodes_are_checked_as_far_down_as_they_go() {
    let one = |node: Value| graph(&json!([node]), &json!([])).check(&team()).expect_err("no sense").to_string();
    let nested = |depth: usize| {
        let mut strategy = json!({ "kind": "single", "agent": "bob" });
        for _ in 1..depth {
            strategy = json!({ "kind": "graph", "graph": { "nodes": [{ "id": "a", "run": strategy }] } });
        }
        graph(&json!([{ "id": "a", "run": strategy }]), &json!([]))
    };
    let single = json!({ "kind": "single", "agent": "bob" });
    let cases = [
        (json!({ "id": "a" }), "node `a`: it has neither `agent` nor `run`: expected one of them"),
        (json!({ "id": "a", "agent": "bob", "run": single }), "node `a`: it has both `agent` and `run`"),
        (json!({ "id": "a", "run": single, "plans": true }), "node `a`: `plans` is for a node that has an `agent`"),
        (
            json!({ "id": "a", "run": { "kind": "workflow", "skill": "demo/flow" } }),
            "node `a`: its `run` is a `workflow`",
        ),
        (
            json!({ "id": "a", "run": { "kind": "single", "agent": "eve" } }),
            "node `a`: in its `run`: no agent is named `eve`",
        ),
        (json!({ "id": "a", "run": map(&[], &json!({})) }), "node `a`: in its `run`: `items` is empty"),
    ];
    for (node, words) in cases {
        let problem = one(node);
        assert!(problem.starts_with(words), "{problem}");
    }
    assert!(nested(4).check(&team()).is_ok());
    let deep = nested(5).check(&team()).expect_err("too deep").to_string();
    assert!(deep.ends_with("node `a`: its `run` lies too deep: expected at most 4 one within another"), "{deep}");
}

#[test]
fn subruns_begin_and_end_only_as_the_graph_says() {
    let mut stage = Stage::new(mapped(&json!({})));
    let start = |subrun, parent, node| Event::SubrunStarted { subrun, parent, node, input: String::new() };
    assert!(stage.try_tell(start(0, None, 0)).is_err(), "an agent does it");
    assert!(stage.try_tell(start(0, Some(0), 1)).is_err(), "it lies in none");
    assert!(stage.try_tell(start(1, None, 1)).is_err(), "they are counted");
    stage.say(0, "ports");
    assert!(stage.try_tell(start(1, None, 1)).is_err(), "it has begun");
    let done = || Event::SubrunEnded { subrun: 0, outcome: TaskOutcome::Done { output: String::new() } };
    assert!(stage.try_tell(done()).is_err(), "its items are under way");
    stage.say(1, "one");
    stage.say(2, "two");
    assert!(stage.try_tell(done()).is_err(), "it has ended");
    let unknown =
        queued(graph(&json!([{ "id": "a", "run": { "kind": "single", "agent": "eve" } }]), &json!([])), budget());
    assert!(Run::begin(&crate::run::Record { at: 1, event: unknown }, Arc::new(team())).is_err());
}

#[test]
fn a_run_that_needs_more_tasks_than_one_may_have_says_so() {
    let items: Vec<String> = (0..9000).map(|item: u32| item.to_string()).collect();
    let many = json!({ "kind": "parallel_map", "agent": "bob", "items": items, "at_once": 9000 });
    let nodes = json!([{ "id": "a", "run": many }, { "id": "b", "run": many }]);
    let stage = Stage::within(graph(&nodes, &json!([])), Budget { steps: 20_000, ..budget() });
    assert_eq!((stage.run.tasks.len(), stage.failure().0.as_str()), (MAX_TASKS, "MAX_TASKS"));
}
