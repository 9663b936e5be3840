//! What the bus tells of runs and agents.

use std::sync::Arc;

use bailiwick_domain::model::{ChatRequest, Message, ModelFailure};
use bailiwick_domain::run::{ADD_NODES, HANDOFF, OnFailure, RunId, Strategy};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::world::{Answer, PATIENCE, World, single, submission, until_it};
use crate::AgentDefinition;
use crate::bus::Told;
use crate::runtime::{Runtime, Submission};

/// What is told until `last` is, but for the host's numbers, which come in between.
pub(super) async fn until_told(told: &mut broadcast::Receiver<Arc<Told>>, last: &str) -> Vec<Arc<Told>> {
    let mut all = Vec::new();
    let hear = async {
        while all.last().is_none_or(|it: &Arc<Told>| it.name != last) {
            let next = told.recv().await.expect("the bus is there");
            if next.topic != "metrics" || next.name == last {
                all.push(next);
            }
        }
    };
    tokio::time::timeout(PATIENCE, hear).await.expect("it is told");
    all
}

pub(super) fn names(told: &[Arc<Told>]) -> Vec<&'static str> {
    told.iter().map(|it| it.name).collect()
}

pub(super) async fn hanging(host: &Arc<Runtime>) -> RunId {
    let id = host.submit(single("bob")).await.expect("taken up").id;
    until_it(host, &id, |run| !run.steps.is_empty()).await;
    id
}

#[tokio::test]
async fn a_run_of_one_agent_is_told_of_by_topics_and_is_no_plan() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    let mut bus = host.bus().subscribe();
    let id = host.submit(Submission { label: Some("l".to_owned()), ..single("bob") }).await.expect("taken up").id;
    let told = until_told(&mut bus, "workflow.completed").await;
    let expected = [
        "workflow.started",
        "task.assigned",
        "agent.status_changed",
        "task.completed",
        "agent.status_changed",
        "workflow.completed",
    ];
    assert_eq!(names(&told), expected);
    let topics: Vec<&str> = told.iter().map(|it| it.topic.as_str()).collect();
    let workflow = format!("workflow.{id}.events");
    let (task, status) = ("agent.bob.task", "agent.bob.status");
    assert_eq!(topics, [workflow.as_str(), task, status, task, status, workflow.as_str()]);
    assert!(told.iter().all(|it| it.run.as_ref() == Some(&id)));
    assert_eq!(told[0].data["label"], "l");
    assert_eq!(told[0].data["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(told[1].data, json!({ "task": 0, "agent": "bob", "role": "work", "item": null }));
    assert_eq!((&told[2].data["status"], &told[4].data["status"]), (&json!("working"), &json!("idle")));
    assert_eq!(told[5].data, json!({ "status": "completed" }));
}

#[tokio::test]
async fn what_is_told_is_durable_when_it_is() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    let mut bus = host.bus().subscribe();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    for (name, expected) in [
        ("workflow.started", "Started"),
        ("task.assigned", "TaskOpened"),
        ("task.completed", "TaskEnded"),
        ("workflow.completed", "Completed"),
    ] {
        until_told(&mut bus, name).await;
        let kept = host.events(&id, 0, 100).expect("events");
        let is_kept = kept.iter().any(|(_, record)| format!("{:?}", record.event).starts_with(expected));
        assert!(is_kept, "{name} was told of, and {expected} is not kept");
    }
}

#[tokio::test]
async fn a_team_is_told_of_as_a_plan() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    let mut bus = host.bus().subscribe();
    let map = Strategy::ParallelMap {
        agent: "bob".to_owned(),
        items: vec!["a".to_owned(), "b".to_owned()],
        reduce: None,
        on_failure: OnFailure::FailFast,
        at_once: 2,
    };
    host.submit(submission(map)).await.expect("taken up");
    let told = until_told(&mut bus, "workflow.completed").await;
    let count = |name: &str| told.iter().filter(|it| it.name == name).count();
    for (name, times) in [
        ("orchestration.plan_started", 1),
        ("orchestration.task_assigned", 2),
        ("task.assigned", 2),
        ("orchestration.task_completed", 2),
        ("task.completed", 2),
        ("orchestration.plan_completed", 1),
        // Once for both tasks.
        ("agent.status_changed", 2),
    ] {
        assert_eq!(count(name), times, "{name} in {:?}", names(&told));
    }
    let plan = &told[told.len() - 2];
    assert_eq!(plan.name, "orchestration.plan_completed");
    assert_eq!(plan.data, json!({ "status": "completed", "tasks": 2, "failed": 0 }));
}

/// What is told of a run under this name, in its order.
fn of_run(told: &[Arc<Told>], name: &str, id: &RunId) -> Vec<Value> {
    let of_name: Vec<&Arc<Told>> = told.iter().filter(|it| it.name == name).collect();
    let topic = format!("workflow.{id}.events");
    assert!(of_name.iter().all(|it| it.topic == topic && it.run.as_ref() == Some(id)), "{of_name:?}");
    of_name.into_iter().map(|it| it.data.clone()).collect()
}

/// The first place at which something of this name is told.
fn place(told: &[Arc<Told>], name: &str) -> usize {
    told.iter().position(|it| it.name == name).unwrap_or_else(|| panic!("{name} in {:?}", names(told)))
}

fn may_call(request: &ChatRequest, tool: &str) -> bool {
    request.tools.iter().any(|it| it.name == tool)
}

#[tokio::test]
async fn a_handoff_is_told_of_when_it_is_wanted_and_when_it_is_done() {
    for (first, to, asks) in [("ada", "bob", false), ("bob", "ada", true)] {
        let hand = move |request: &ChatRequest| {
            let gives = may_call(request, HANDOFF);
            if gives { Answer::Call(vec![(HANDOFF, json!({ "to": to }))]) } else { Answer::Say("Done.") }
        };
        let host = World::new(hand).host();
        let mut bus = host.bus().subscribe();
        let agents = vec!["ada".to_owned(), "bob".to_owned()];
        let between = Strategy::Handoff { agents, first: first.to_owned(), max_depth: 1 };
        let id = host.submit(submission(between)).await.expect("taken up").id;
        let mut told = until_told(&mut bus, "orchestration.handoff_initiated").await;
        if asks {
            host.answer_handoff(&id, 0, "me", true, None).await.expect("it waits for a person");
        }
        told.extend(until_told(&mut bus, "workflow.completed").await);
        let initiated = of_run(&told, "orchestration.handoff_initiated", &id);
        assert_eq!(initiated, [json!({ "handoff": 0, "task": 0, "to": to, "asks": asks })]);
        assert_eq!(of_run(&told, "orchestration.handoff_completed", &id), [json!({ "handoff": 0 })]);
        let places = ["handoff_initiated", "handoff_completed", "plan_completed"]
            .map(|name| place(&told, &format!("orchestration.{name}")));
        assert!(places.is_sorted(), "{:?}", names(&told));
    }
}

fn graph(nodes: &Value, edges: &Value) -> Strategy {
    let graph = json!({ "kind": "graph", "graph": { "nodes": nodes, "edges": edges } });
    serde_json::from_value(graph).expect("a strategy")
}

#[tokio::test]
async fn strategies_of_nodes_are_told_of_when_they_begin_and_when_they_end() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    let mut bus = host.bus().subscribe();
    let each = json!({ "kind": "parallel_map", "agent": "bob", "items": ["x", "y"], "at_once": 2 });
    let deep = json!({ "id": "deep", "run": { "kind": "single", "agent": "bob" } });
    let inner = json!({ "kind": "graph", "graph": { "nodes": [deep] } });
    let nodes = json!([{ "id": "look", "agent": "bob" }, { "id": "each", "run": each }, { "id": "in", "run": inner }]);
    let edges = json!([{ "from": "look", "to": "each" }, { "from": "each", "to": "in" }]);
    let id = host.submit(submission(graph(&nodes, &edges))).await.expect("taken up").id;
    let told = until_told(&mut bus, "workflow.completed").await;
    let started = [
        json!({ "subrun": 0, "parent": null, "node": "each", "strategy": "parallel_map" }),
        json!({ "subrun": 1, "parent": null, "node": "in", "strategy": "graph" }),
        json!({ "subrun": 2, "parent": 1, "node": "deep", "strategy": "single" }),
    ];
    assert_eq!(of_run(&told, "orchestration.subrun_started", &id), started);
    let completed = [0, 2, 1].map(|subrun| json!({ "subrun": subrun, "status": "completed" }));
    assert_eq!(of_run(&told, "orchestration.subrun_completed", &id), completed, "what lies within ends first");
    let assigned = of_run(&told, "orchestration.task_assigned", &id);
    let subruns: Vec<&Value> = assigned.iter().map(|data| &data["subrun"]).collect();
    assert_eq!(subruns, [&Value::Null, &json!(0), &json!(0), &json!(2)]);
}

#[tokio::test]
async fn a_strategy_of_a_node_that_fails_is_told_of_with_its_code() {
    let host = World::new(|_| Answer::Fail(ModelFailure::Payment("no credit".to_owned()))).host();
    let mut bus = host.bus().subscribe();
    let each = json!({ "kind": "parallel_map", "agent": "bob", "items": ["x"], "at_once": 1 });
    let nodes = json!([{ "id": "each", "run": each }]);
    let id = host.submit(submission(graph(&nodes, &json!([])))).await.expect("taken up").id;
    let told = until_told(&mut bus, "workflow.completed").await;
    let ended = of_run(&told, "orchestration.subrun_completed", &id);
    let [ended] = ended.as_slice() else { panic!("it is one: {ended:?}") };
    let parts = (&ended["subrun"], &ended["status"], &ended["code"]);
    assert_eq!(parts, (&json!(0), &json!("failed"), &json!("DEPENDENCY_FAILED")));
    let message = ended["message"].as_str().expect("words");
    assert!(message.contains("item 0 failed") && message.contains("no credit"), "{message}");
}

#[tokio::test]
async fn what_a_graph_grows_by_is_told() {
    let grow = |request: &ChatRequest| {
        let has_grown = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        if has_grown || !may_call(request, ADD_NODES) {
            return Answer::Say("Done.");
        }
        let edges = json!([{ "from": "plan", "to": "find" }, { "from": "find", "to": "end" }]);
        Answer::Call(vec![(ADD_NODES, json!({ "nodes": [{ "id": "find", "agent": "bob" }], "edges": edges }))])
    };
    let host = World::new(grow).host();
    let mut bus = host.bus().subscribe();
    let nodes = json!([{ "id": "plan", "agent": "bob", "plans": true }, { "id": "end", "agent": "bob" }]);
    let edges = json!([{ "from": "plan", "to": "end" }]);
    let id = host.submit(submission(graph(&nodes, &edges))).await.expect("taken up").id;
    let told = until_told(&mut bus, "workflow.completed").await;
    let grown = of_run(&told, "orchestration.graph_grown", &id);
    assert_eq!(grown, [json!({ "task": 0, "nodes": 1, "edges": 2 })]);
    assert!(place(&told, "orchestration.graph_grown") < place(&told, "task.completed"), "{:?}", names(&told));
    assert_eq!(of_run(&told, "orchestration.task_assigned", &id).len(), 3, "what was added is done too");
}

#[tokio::test]
async fn what_people_do_is_told_and_a_cancelled_run_leaves_nobody_at_work() {
    let host = World::new(|_| Answer::Hang).host();
    let id = hanging(&host).await;
    let mut bus = host.bus().subscribe();
    host.pause(&id, "me").await.expect("it can be");
    host.cancel(&id, "me", None).await.expect("it can be");
    // It works on the run until that has let go of it.
    let told = until_told(&mut bus, "agent.status_changed").await;
    assert_eq!(names(&told), ["run.paused", "workflow.completed", "agent.status_changed"]);
    assert_eq!(told[0].data, json!({ "by": "me" }));
    assert_eq!(told[1].data, json!({ "status": "cancelled", "by": "me" }));
    assert_eq!(told[2].data, json!({ "agent": "bob", "status": "idle" }));
}

#[tokio::test]
async fn a_failure_is_told_with_its_code() {
    let host = World::new(|_| Answer::Panic).host();
    let mut bus = host.bus().subscribe();
    host.submit(single("bob")).await.expect("taken up");
    let told = until_told(&mut bus, "workflow.completed").await;
    let of_task = told.iter().find(|it| it.name == "task.failed").expect("the task failed");
    for failed in [of_task, &told[told.len() - 1]] {
        assert_eq!((&failed.data["status"], &failed.data["code"]), (&json!("failed"), &json!("WORKER_DIED")));
    }
}

#[tokio::test]
async fn agents_are_told_of_from_their_beginning_to_their_end() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    // Twice, as a host that is careless may; it is told once.
    host.recover().await.expect("nothing to recover");
    host.recover().await.expect("nothing to recover");
    let mut bus = host.bus().subscribe();
    let definition = json!({ "name": "dora", "description": "d", "instructions": "i", "models": ["m"],
        "capabilities": ["research"] });
    let definition = AgentDefinition::from_json(&definition).expect("a definition");
    host.agents().put(definition.clone(), "me").await.expect("kept");
    let changed = AgentDefinition { description: "other".to_owned(), ..definition };
    host.agents().put(changed, "me").await.expect("kept");
    host.agents().pause("dora", "ops").await.expect("paused");
    host.agents().pause("dora", "me").await.expect("it is already");
    host.agents().resume("dora", "me").await.expect("it goes on");
    host.agents().resume("dora", "ops").await.expect("it does already");
    host.agents().remove("dora", "me").await.expect("removed");
    let told = until_told(&mut bus, "agent.terminated").await;
    let expected = [
        "agent.registered",
        "agent.spawned",
        "agent.status_changed",
        "agent.changed",
        "agent.paused",
        "agent.status_changed",
        "agent.resumed",
        "agent.status_changed",
        "agent.terminated",
    ];
    assert_eq!(names(&told), expected);
    assert!(told.iter().all(|it| it.topic == "agent.dora.status" && it.run.is_none()));
    assert_eq!(told[0].data["capabilities"], json!(["research"]));
    assert_eq!((&told[4].data["by"], &told[6].data["by"]), (&json!("ops"), &json!("me")));
    let statuses: Vec<_> = [2, 5, 7].map(|place| told[place].data["status"].clone()).into();
    assert_eq!(statuses, ["idle", "paused", "idle"]);
}
