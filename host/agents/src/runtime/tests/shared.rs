//! What calls of a run share: with whom, and until when.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bailiwick_domain::model::ModelFailure;
use bailiwick_domain::run::{OnFailure, RunId, RunOutcome, Status, Strategy};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::span::{Span, Tracer};
use serde_json::json;
use tokio::sync::OwnedRwLockWriteGuard;
use tokio::time::timeout;

use super::world::{Act, Answer, PATIENCE, World, calls_then_done, single, submission, until, until_it};
use crate::runtime::Runtime;

/// Waits until the run was said to be over, and answers how often it was.
async fn until_ended(world: &World, id: &RunId) -> usize {
    let count = || world.skills.ended.lock().expect("no panic").iter().filter(|run| *run == id).count();
    for _ in 0..1000 {
        if count() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    count()
}

#[tokio::test]
async fn calls_of_a_task_share_with_each_other_and_with_no_other_task() {
    let world = World::new(calls_then_done(vec![("files__read", json!({})), ("files__read", json!({}))]));
    let host = world.host();
    let map = Strategy::ParallelMap {
        agent: "ada".to_owned(),
        items: vec!["a".to_owned(), "b".to_owned()],
        reduce: None,
        at_once: 2,
        on_failure: OnFailure::FailFast,
    };
    let id = host.submit(submission(map)).await.expect("taken up").id;
    until(&host, &id, Status::Completed).await;
    let invocations = world.skills.invocations.lock().expect("no panic").clone();
    let mut tasks: Vec<u32> = Vec::new();
    for invocation in &invocations {
        let key = invocation.workspace().expect("a call of an agent");
        assert_eq!((&key.run, key.agent.as_str()), (&id, "ada"));
        tasks.push(key.task);
    }
    tasks.sort_unstable();
    assert_eq!(tasks, [0, 0, 1, 1]);
}

#[tokio::test]
async fn what_they_share_is_let_go_of_when_the_end_is_durable_however_it_comes() {
    let world = World::new(calls_then_done(vec![("files__delete", json!({}))]));
    let host = world.host();
    let done = host.submit(single("ada")).await.expect("taken up").id;
    assert_eq!(until_ended(&world, &done).await, 1);
    assert_eq!(host.run(&done).expect("a run").status, Status::Completed);
    world.skills.act("delete", Act::Hang);
    let cut = host.submit(single("ada")).await.expect("taken up").id;
    until_it(&host, &cut, |run| run.steps.len() == 2).await;
    host.stop(Duration::ZERO).await;
    assert!(!world.skills.ended.lock().expect("no panic").contains(&cut), "a stop of the host ends no run");
    let host = world.host();
    host.recover().await.expect("readable");
    host.cancel(&cut, "me", None).await.expect("it can be");
    assert_eq!(until_ended(&world, &cut).await, 1);
}

#[tokio::test]
async fn who_follows_learns_of_the_end_before_what_was_shared_is_gone_and_a_retry_waits() {
    let world = unpaid();
    let gate = Arc::clone(&world.skills.gate).write_owned().await;
    let host = world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    let mut follow = host.follow(&id).expect("its actor is there");
    let told = timeout(PATIENCE, async { while follow.durable.changed().await.is_ok() {} });
    told.await.expect("nobody holds the end back");
    assert_eq!(host.run(&id).expect("a run").status, Status::Failed);
    is_retried_behind(gate, &host, &id).await;
    host.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn a_run_whose_actor_died_is_tried_again_when_what_was_shared_is_gone() {
    let mut world = World::new(calls_then_done(vec![("files__read", json!({}))]));
    world.tracer = Arc::new(Dies::default());
    let gate = Arc::clone(&world.skills.gate).write_owned().await;
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    assert!(matches!(&run.outcome, Some(RunOutcome::Failed { code, .. }) if code == "WORKER_DIED"), "{run:?}");
    is_retried_behind(gate, &host, &id).await;
    host.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn a_stop_of_the_host_does_not_wait_until_what_was_shared_is_gone() {
    let world = unpaid();
    let _gate = Arc::clone(&world.skills.gate).write_owned().await;
    let host = world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    until_ended(&world, &id).await;
    timeout(PATIENCE, host.stop(Duration::ZERO)).await.expect("the next start does the rest");
}

#[tokio::test]
async fn a_start_lets_go_of_what_runs_left_that_are_over_or_unknown_and_of_no_other() {
    let world = World::new(|_| Answer::Hang);
    let host = world.host();
    let (open, over) = (begun(&host).await, begun(&host).await);
    host.cancel(&over, "me", None).await.expect("it can be");
    until_ended(&world, &over).await;
    host.stop(Duration::ZERO).await;
    world.skills.ended.lock().expect("no panic").clear();
    let unknown = RunId::from_bytes(&[7; 16]);
    world.skills.left.lock().expect("no panic").extend([open.clone(), over.clone(), unknown.clone()]);
    let host = world.host();
    host.recover().await.expect("readable");
    let left: Vec<RunId> = world.skills.left.lock().expect("no panic").iter().cloned().collect();
    assert_eq!(left, [open]);
    host.stop(Duration::ZERO).await;
}

/// Whose runs fail, and can be tried again.
fn unpaid() -> World {
    World::new(|_| Answer::Fail(ModelFailure::Payment("no".to_owned())))
}

/// Expects that a retry of the run waits until the gate is open.
async fn is_retried_behind(gate: OwnedRwLockWriteGuard<()>, host: &Runtime, id: &RunId) {
    let mut retry = pin!(host.retry(id, "me", None));
    let early = timeout(Duration::from_millis(50), retry.as_mut()).await;
    assert!(early.is_err(), "what was shared is still there: {early:?}");
    drop(gate);
    let retried = timeout(PATIENCE, retry).await.expect("in time");
    assert_eq!(retried.expect("it can be"), Status::Queued);
}

/// Takes an actor along once, and then nobody.
#[derive(Default)]
struct Dies(AtomicBool);

impl Tracer for Dies {
    fn is_on(&self) -> bool {
        true
    }

    fn record(&self, _: Span) {
        assert!(self.0.swap(true, Ordering::SeqCst), "the part of the host that works on a run dies");
    }

    fn lost(&self) -> u64 {
        0
    }

    fn stop(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// A run whose model was asked.
async fn begun(host: &Runtime) -> RunId {
    let id = host.submit(single("bob")).await.expect("taken up").id;
    until_it(host, &id, |run| !run.steps.is_empty()).await;
    id
}
