//! What the bus tells of runs and agents.

use std::sync::Arc;

use bailiwick_domain::run::{OnFailure, RunId, Strategy};
use serde_json::json;
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
