//! What people do with runs.

use std::time::Duration;

use bailiwick_domain::run::{EventKind, RunId, RunOutcome, Status};
use futures::FutureExt as _;
use futures::future::join_all;
use serde_json::json;

use super::told::hanging;
use super::world::{Act, Answer, World, calls_then_done, single, until, until_it};
use crate::runtime::{BudgetRequest, ControlError, MAILBOX, RunFilter, Submission};
use crate::scheduler::queue::QueueSettings;

#[tokio::test]
async fn a_cancelled_run_ends_its_calls_at_once() {
    let world = World::new(calls_then_done(vec![("files__read", json!({}))]));
    world.skills.act("read", Act::Hang);
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    until_it(&host, &id, |run| run.steps.len() == 2).await;
    world.skills.hanging.come_to(1).await;
    let status = host.cancel(&id, "me", Some("enough".to_owned())).await.expect("it can be");
    assert_eq!(status, Status::Cancelled);
    let run = host.run(&id).expect("a run");
    assert_eq!(run.outcome, Some(RunOutcome::Cancelled { by: "me".to_owned(), reason: Some("enough".to_owned()) }));
    world.skills.hanging.come_to(0).await;
    let again = host.cancel(&id, "me", None).await.expect_err("it is over");
    let expected = (EventKind::Cancelled, Status::Cancelled);
    assert!(matches!(again, ControlError::Illegal { event, status } if (event, status) == expected), "{again}");
}

#[tokio::test]
async fn a_mailbox_holds_so_many_letters_and_who_writes_more_waits() {
    let host = World::new(|_| Answer::Hang).host();
    let id = hanging(&host).await;
    let mailbox = host.inner.live().get(&id).expect("its actor").mailbox.clone();
    let mut writers: Vec<_> = (0..2 * MAILBOX).map(|_| Box::pin(host.pause(&id, "me"))).collect();
    // The actor has no turn before this test waits.
    for writer in &mut writers {
        assert!(writer.as_mut().now_or_never().is_none(), "nobody has read it");
    }
    assert_eq!((mailbox.max_capacity(), mailbox.capacity()), (MAILBOX, 0));
    let answers = join_all(writers).await;
    let paused = answers.iter().filter(|answer| matches!(answer, Ok(Status::Paused))).count();
    let refused = answers.iter().filter(|answer| matches!(answer, Err(ControlError::Illegal { .. }))).count();
    assert_eq!((paused, refused), (1, 2 * MAILBOX - 1), "each is answered");
    host.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn a_run_that_nobody_knows_is_said_to_be_none() {
    let host = World::new(|_| Answer::Say("Done.")).host();
    let id = RunId::from_bytes(&[1; 16]);
    assert!(matches!(host.run(&id), Err(ControlError::Unknown(unknown)) if unknown == id));
    assert!(matches!(host.events(&id, 0, 10), Err(ControlError::Unknown(_))));
    assert!(matches!(host.pause(&id, "me").await, Err(ControlError::Unknown(_))));
}

#[tokio::test]
async fn a_waiting_run_can_be_paused_cancelled_and_resumed() {
    let mut world = World::new(|request| {
        if request.messages.iter().any(|it| format!("{it:?}").contains("hang")) {
            Answer::Hang
        } else {
            Answer::Say("Done.")
        }
    });
    world.options.queue = QueueSettings { total: 1, ..QueueSettings::default() };
    let host = world.host();
    let hanging = Submission { input: "hang".to_owned(), ..single("bob") };
    let first = host.submit(hanging).await.expect("taken up").id;
    until_it(&host, &first, |run| !run.steps.is_empty()).await;
    let paused = host.submit(single("bob")).await.expect("taken up").id;
    let cancelled = host.submit(single("bob")).await.expect("taken up").id;
    let last = host.submit(single("bob")).await.expect("taken up").id;
    assert_eq!(host.pause(&paused, "me").await.expect("it can be"), Status::Paused);
    assert_eq!(host.cancel(&cancelled, "me", None).await.expect("it can be"), Status::Cancelled);
    host.cancel(&first, "me", None).await.expect("it can be");
    until(&host, &last, Status::Completed).await;
    assert_eq!(host.run(&paused).expect("a run").status, Status::Paused);
    assert_eq!(host.resume(&paused, "me", false).await.expect("it can be"), Status::Queued);
    until(&host, &paused, Status::Completed).await;
}

#[tokio::test]
async fn a_run_that_waits_for_a_person_leaves_its_place_to_others() {
    let mut world = World::new(calls_then_done(vec![("files__delete", json!({}))]));
    world.options.queue = QueueSettings { total: 1, ..QueueSettings::default() };
    world.skills.act("delete", Act::Ask);
    let host = world.host();
    let first = host.submit(single("ada")).await.expect("taken up").id;
    let second = host.submit(single("ada")).await.expect("taken up").id;
    until(&host, &first, Status::WaitingApproval).await;
    until(&host, &second, Status::WaitingApproval).await;
    assert_eq!(world.skills.deeds(), 0);
    world.skills.questions.answer_all(true);
    for id in [first, second] {
        until(&host, &id, Status::Completed).await;
    }
    assert_eq!(world.skills.deeds(), 2);
}

#[tokio::test]
async fn a_denied_call_is_not_made_and_the_model_goes_on() {
    let world = World::new(calls_then_done(vec![("files__delete", json!({}))]));
    world.skills.act("delete", Act::Ask);
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    until(&host, &id, Status::WaitingApproval).await;
    world.skills.questions.answer_all(false);
    until(&host, &id, Status::Completed).await;
    assert_eq!(world.skills.deeds(), 0);
}

#[tokio::test]
async fn a_failed_run_is_retried_with_more_to_spend() {
    let world = World::new(calls_then_done(vec![("files__read", json!({}))]));
    let host = world.host();
    let poor = Submission { budget: BudgetRequest { steps: Some(2), ..BudgetRequest::default() }, ..single("ada") };
    let id = host.submit(poor).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    assert!(matches!(&run.outcome, Some(RunOutcome::Failed { code, .. }) if code == "BUDGET_EXHAUSTED"), "{run:?}");
    let budget = BudgetRequest { steps: Some(9), ..BudgetRequest::default() }.within(host.options()).expect("a budget");
    assert_eq!(host.retry(&id, "me", Some(budget)).await.expect("it can be"), Status::Queued);
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!((run.spend.steps, world.skills.deeds()), (3, 1), "it went on where it failed");
    assert!(matches!(host.retry(&id, "me", None).await, Err(ControlError::Illegal { .. })));
}

#[tokio::test]
async fn lists_are_filtered_and_go_on_where_they_ended() {
    let world = World::new(|_| Answer::Say("Done."));
    let host = world.host();
    let mut ids = Vec::new();
    for number in 0..5 {
        let label = Some(format!("l{}", number % 2));
        ids.push(host.submit(Submission { label, ..single("bob") }).await.expect("taken up").id);
    }
    for id in &ids {
        until(&host, id, Status::Completed).await;
    }
    let first = host.runs(&RunFilter::default(), None, 2).expect("rows");
    assert_eq!(first.iter().map(|row| &row.id).collect::<Vec<_>>(), [&ids[4], &ids[3]], "the newest first");
    let rest = host.runs(&RunFilter::default(), Some(&first[1].id), 10).expect("rows");
    assert_eq!(rest.len(), 3);
    let labelled = RunFilter { label: Some("l1".to_owned()), ..RunFilter::default() };
    assert_eq!(host.runs(&labelled, None, 10).expect("rows").len(), 2);
    for none in [
        RunFilter { status: Some(Status::Failed), ..RunFilter::default() },
        RunFilter { agent: Some("ada".to_owned()), ..RunFilter::default() },
        RunFilter { principal: Some("key:other".to_owned()), ..RunFilter::default() },
    ] {
        assert_eq!(host.runs(&none, None, 10).expect("rows"), [], "{none:?}");
    }
}

#[tokio::test]
async fn old_runs_are_forgotten_and_open_ones_are_not() {
    let mut world = World::new(|request| {
        if request.messages.iter().any(|it| format!("{it:?}").contains("hang")) {
            Answer::Hang
        } else {
            Answer::Say("Done.")
        }
    });
    world.options.retention = Duration::from_millis(1);
    let host = world.host();
    let old = host.submit(single("bob")).await.expect("taken up").id;
    until(&host, &old, Status::Completed).await;
    let open = host.submit(Submission { input: "hang".to_owned(), ..single("bob") }).await.expect("taken up").id;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(host.forget().await.expect("removed"), 1);
    assert!(matches!(host.run(&old), Err(ControlError::Unknown(_))));
    assert!(host.run(&open).is_ok());
    host.stop(Duration::ZERO).await;
}
