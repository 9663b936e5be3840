//! Agents that fail, and what follows while the host runs and stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bailiwick_domain::model::{ChatRequest, Message, ModelFailure};
use bailiwick_domain::run::{OnFailure, Run, RunOutcome, Status, Strategy};
use serde_json::{Value, json};

use super::told::until_told;
use super::world::{Answer, World, single, submission, until, until_it};
use crate::runtime::{ControlError, Runtime};

/// The shortest wait before a first retry: 1 s, a quarter less.
const WAIT: Duration = Duration::from_millis(750);

/// Fails so often, and is done then.
fn fails(times: u32) -> impl Fn(&ChatRequest) -> Answer + Send + Sync {
    let asked = AtomicU32::new(0);
    move |_| {
        if asked.fetch_add(1, Ordering::SeqCst) < times {
            Answer::Fail(ModelFailure::Server("down".to_owned()))
        } else {
            Answer::Say("Done.")
        }
    }
}

fn output(run: &Run) -> Value {
    match &run.outcome {
        Some(RunOutcome::Completed { output }) => output.clone(),
        other => panic!("the run has not completed: {other:?}"),
    }
}

async fn submit(host: &Arc<Runtime>, agent: &str) -> bailiwick_domain::run::RunId {
    host.submit(single(agent)).await.expect("taken up").id
}

#[tokio::test]
async fn a_task_that_failed_begins_anew_after_a_while() {
    let world = World::new(fails(1));
    world.agent("ivy", "[on_failure]\nretries = 1");
    let host = world.host();
    let began = Instant::now();
    let id = submit(&host, "ivy").await;
    let run = until(&host, &id, Status::Completed).await;
    assert!(began.elapsed() >= WAIT, "{:?}", began.elapsed());
    assert_eq!((output(&run), run.tasks[0].tries.retries, run.steps.len()), (json!("Done."), 1, 2));
}

#[tokio::test]
async fn a_stop_of_the_host_ends_no_wait_for_the_next_try() {
    let world = World::new(fails(1));
    world.agent("ivy", "[on_failure]\nretries = 1");
    let host = world.host();
    let id = submit(&host, "ivy").await;
    until_it(&host, &id, |run| run.resting().count() == 1).await;
    host.stop(Duration::ZERO).await;
    let host = world.host();
    assert_eq!(host.recover().await.expect("readable").resumed, 1);
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!((output(&run), world.model.asked.load(Ordering::SeqCst)), (json!("Done."), 2));
}

#[tokio::test]
async fn another_agent_has_the_task_and_is_counted_for_it() {
    let asked = AtomicU32::new(0);
    let world = World::new(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Fail(ModelFailure::Server("down".to_owned())),
        _ => Answer::Hang,
    });
    world.agent("ivy", "[on_failure]\nfallback = \"bob\"");
    let host = world.host();
    let mut bus = host.bus().subscribe();
    let id = submit(&host, "ivy").await;
    let run = until_it(&host, &id, |run| run.steps.len() == 2).await;
    assert_eq!(run.tasks[0].opening.agent, "bob");
    assert_eq!((host.open_tasks("ivy"), host.open_tasks("bob")), (0, 1));
    let failed = |name: &str| host.standing(name).expect("it is there").health.tasks_failed;
    assert_eq!((failed("ivy"), failed("bob")), (1, 0), "who gave up has failed at it");
    let told = until_told(&mut bus, "task.escalated").await;
    let data = &told.last().expect("it is told").data;
    assert_eq!((&data["agent"], &data["to"]["agent"]), (&json!("ivy"), &json!("bob")));
    host.cancel(&id, "me", None).await.expect("it ends");
}

#[tokio::test]
async fn a_fallback_that_is_never_at_work_does_not_shorten_a_run() {
    let world = World::new(|_| Answer::Say("Done."));
    world.agent("ivy", "[on_failure]\nfallback = \"eve\"");
    let host = world.host();
    let id = submit(&host, "ivy").await;
    let run = until(&host, &id, Status::Completed).await;
    assert!(run.team.members.contains_key("eve"));
    assert_eq!(run.spec.budget.wall(), world.options.default_timeout, "eve has 60 ms");
}

#[tokio::test]
async fn a_try_waits_while_what_is_under_way_may_take_the_rest() {
    let world = World::new(|request| match request.messages.last() {
        Some(Message::User { text }) if text.contains("first") => Answer::Fail(ModelFailure::Server("down".to_owned())),
        _ => Answer::Hang,
    });
    world.agent("ivy", "[on_failure]\nretries = 1");
    let host = world.host();
    let (agent, items) = ("ivy".to_owned(), vec!["first".to_owned(), "second".to_owned()]);
    let on_failure = OnFailure::Collect;
    let mut wanted = submission(Strategy::ParallelMap { agent, items, reduce: None, on_failure, at_once: 2 });
    wanted.budget.steps = Some(2);
    let id = host.submit(wanted).await.expect("taken up").id;
    until_it(&host, &id, |run| run.resting().count() == 1).await;
    // The longest wait before a first retry is 1250 ms.
    tokio::time::sleep(2 * WAIT).await;
    let run = host.run(&id).expect("a run");
    assert_eq!((run.status, run.steps.len(), run.resting().count()), (Status::Running, 2, 1));
    host.cancel(&id, "me", None).await.expect("it ends");
}

#[tokio::test]
async fn a_person_says_whether_a_task_is_tried_once_more() {
    for again in [true, false] {
        let world = World::new(fails(1));
        world.agent("ivy", "[on_failure]\nask = true");
        let host = world.host();
        let id = submit(&host, "ivy").await;
        until(&host, &id, Status::WaitingApproval).await;
        let wrong = host.answer_task(&id, 7, "me", again, None).await;
        assert!(matches!(wrong, Err(ControlError::Unfit(_))), "{wrong:?}");
        host.answer_task(&id, 0, "me", again, Some("enough".to_owned())).await.expect("it is asked");
        if again {
            assert_eq!(output(&until(&host, &id, Status::Completed).await), json!("Done."));
        } else {
            let run = until(&host, &id, Status::Failed).await;
            let Some(RunOutcome::Failed { code, message, .. }) = &run.outcome else { panic!("{run:?}") };
            assert!(message.ends_with("a person did not want it tried again: enough"), "{code}: {message}");
        }
    }
}

#[tokio::test]
async fn the_model_is_given_the_schema_and_asked_again_where_it_misses_it() {
    let world = World::new(|request| {
        assert_eq!(request.output_schema, Some(json!({ "type": "integer" })));
        match request.messages.last() {
            Some(Message::User { text }) if text.starts_with("Your answer does not fit") => Answer::Say("3"),
            _ => Answer::Say("three"),
        }
    });
    world.agent("ivy", "[output_schema]\ntype = \"integer\"");
    let host = world.host();
    let id = submit(&host, "ivy").await;
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!((output(&run), run.steps.len()), (json!(3), 2));
}
