//! Runs from request to output.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bailiwick_domain::model::{ChatRequest, Message, ModelFailure, Usd};
use bailiwick_domain::run::{Event, OnFailure, RunOutcome, Status, Strategy, TaskLimits};
use bailiwick_journal::Journal;
use bailiwick_journal::simulation::Disk;
use serde_json::{Value, json};

use super::world::{Act, Answer, World, calls_then_done, single, submission, until, until_it};
use crate::registry::PinError;
use crate::runtime::{BudgetRequest, Heard, RunFilter, Submission, SubmitError};
use crate::scheduler::queue::QueueSettings;

/// A world for a clock that stands still while anybody is at work.
fn timed(says: impl Fn(&ChatRequest) -> Answer + Send + Sync + 'static) -> World {
    let mut world = World::new(says);
    world.journal = Journal::simulated(&Disk::new()).expect("a journal");
    world
}

/// A model that does what the last line of its task says, or works for a second.
fn as_asked(request: &ChatRequest) -> Answer {
    let last = |message: &Message| match message {
        Message::User { text } => text.lines().last().map(str::to_owned),
        _ => None,
    };
    match request.messages.iter().find_map(last).as_deref() {
        Some("hang") => Answer::Hang,
        Some("die at once") => Answer::Panic,
        Some("die later") => Answer::PanicAfter(Duration::from_millis(100)),
        _ => Answer::After(Duration::from_secs(1), "Done."),
    }
}

#[tokio::test]
async fn a_run_comes_to_its_output_and_its_call_names_it() {
    let world = World::new(calls_then_done(vec![("files__read", json!({ "n": 1 }))]));
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!(run.outcome, Some(RunOutcome::Completed { output: json!("Done.") }));
    assert_eq!((run.spend.steps, run.spend.tokens(), run.spend.fuel), (3, 20, 5));
    let invocation = world.skills.invocations.lock().expect("no panic")[0].clone();
    assert_eq!(invocation.principal.name.as_ref(), "key:test");
    assert_eq!(invocation.skill.to_string(), "demo/files@=1.2.3");
    assert_eq!(invocation.trace.trace_id_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
    let step = invocation.run.expect("a step of a run");
    assert_eq!((step.run, step.step), (id.clone(), 1));
    let rows = host.runs(&RunFilter::default(), None, 10).expect("rows");
    assert_eq!((rows.len(), &rows[0].id, rows[0].status), (1, &id, Status::Completed));
    assert_eq!(rows[0].spend, run.spend);
    assert_eq!(host.open_tasks("ada"), 0);
}

#[tokio::test]
async fn events_are_read_from_any_point() {
    let world = World::new(|_| Answer::Say("Done."));
    let host = world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    until(&host, &id, Status::Completed).await;
    let all = host.events(&id, 0, 100).expect("events");
    let kinds: Vec<&str> = all.iter().map(|(_, record)| record.event.kind().name()).collect();
    let expected =
        ["run.queued", "run.started", "task.assigned", "step.started", "step.ended", "task.ended", "run.completed"];
    assert_eq!(kinds, expected);
    assert_eq!(all.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>());
    assert_eq!(host.events(&id, 5, 1).expect("events")[0].0, 6);
    assert!(host.follow(&id).is_none(), "nothing happens any more");
}

#[tokio::test]
async fn who_follows_hears_what_is_said() {
    let world = World::new(|request| {
        let is_second = request.messages.len() > 2;
        if is_second { Answer::Say("Done.") } else { Answer::Call(vec![("files__delete", json!({}))]) }
    });
    world.skills.act("delete", Act::Ask);
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    until(&host, &id, Status::WaitingApproval).await;
    let mut follow = host.follow(&id).expect("it is open");
    let seen = *follow.durable.borrow();
    world.skills.questions.answer_all(true);
    let heard = tokio::time::timeout(super::world::PATIENCE, follow.heard.recv()).await.expect("in time");
    assert_eq!(heard, Ok(Heard::Text { task: 0, step: 2, piece: "Done.".to_owned() }));
    until(&host, &id, Status::Completed).await;
    while follow.durable.changed().await.is_ok() {}
    assert!(*follow.durable.borrow() > seen);
}

#[tokio::test]
async fn a_repeated_request_is_one_run() {
    let world = World::new(|_| Answer::Say("Done."));
    let keyed = |input: &str| {
        let mut submission = single("bob");
        submission.idempotency_key = Some("k".to_owned());
        submission.input = input.to_owned();
        submission
    };
    let host = world.host();
    let first = host.submit(keyed("a")).await.expect("taken up");
    let again = host.submit(keyed("a")).await.expect("taken up");
    assert_eq!((&again.id, first.replayed, again.replayed), (&first.id, false, true));
    assert!(matches!(host.submit(keyed("b")).await, Err(SubmitError::KeyMismatch)));
    until(&host, &first.id, Status::Completed).await;
    host.stop(Duration::from_secs(1)).await;
    let host = world.host();
    let again = host.submit(keyed("a")).await.expect("taken up");
    assert_eq!((&again.id, again.replayed), (&first.id, true));
    // The agent gets no new runs any more, and this one is none.
    host.agents().pause("bob", "key:ops").await.expect("it is there");
    let again = host.submit(keyed("a")).await.expect("it is the same run");
    assert_eq!((again.id, again.replayed), (first.id, true));
    assert_eq!(world.model.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nothing_is_kept() {
    let world = World::new(|_| Answer::Say("Done."));
    let host = world.host();
    let unknown = host.submit(single("adda")).await.expect_err("no such agent");
    assert!(matches!(&unknown, SubmitError::Agent(PinError::Unknown { near, .. }) if near == &["ada"]), "{unknown}");
    let mut empty = single("ada");
    empty.input = String::new();
    assert!(matches!(host.submit(empty).await, Err(SubmitError::Input { size: 0, .. })));
    let none = |items: &[&str]| Strategy::ParallelMap {
        agent: "ada".to_owned(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        reduce: None,
        on_failure: OnFailure::FailFast,
        at_once: 1,
    };
    assert!(matches!(host.submit(submission(none(&[]))).await, Err(SubmitError::Spec(_))));
    let budgets = [
        (BudgetRequest { steps: Some(0), ..BudgetRequest::default() }, "steps"),
        (BudgetRequest { steps: Some(101), ..BudgetRequest::default() }, "steps"),
        (BudgetRequest { wall: Some(Duration::ZERO), ..BudgetRequest::default() }, "wall"),
        (BudgetRequest { wall: Some(Duration::from_hours(25)), ..BudgetRequest::default() }, "wall"),
        (BudgetRequest { tokens: Some(0), ..BudgetRequest::default() }, "tokens"),
        (BudgetRequest { fuel: Some(0), ..BudgetRequest::default() }, "fuel"),
        (BudgetRequest { host_calls: Some(0), ..BudgetRequest::default() }, "host_calls"),
        (BudgetRequest { usd: Some(Usd::ZERO), ..BudgetRequest::default() }, "usd"),
    ];
    for (budget, part) in budgets {
        let refused = host.submit(Submission { budget, ..single("ada") }).await;
        assert!(matches!(refused, Err(SubmitError::Budget { what, .. }) if what == part), "{part}");
    }
    assert_eq!(host.runs(&RunFilter::default(), None, 10).expect("rows"), []);
    assert_eq!(host.queue().classes.normal.waiting, 0);
}

#[tokio::test]
async fn a_full_queue_says_how_full_and_when_to_come_again() {
    let mut world = World::new(|_| Answer::Hang);
    world.options.queue = QueueSettings { capacity: 4, total: 1, ..QueueSettings::default() };
    let host = world.host();
    let mut refused = None;
    for _ in 0..12 {
        match host.submit(single("bob")).await {
            Ok(_) => {}
            Err(error) => refused = Some(error),
        }
    }
    let refused = refused.expect("one too many");
    let text = refused.to_string();
    assert!(text.contains("/4)") && text.ends_with("Retry when queue pressure drops."), "{text}");
    assert!(refused.retry_after().is_some_and(|after| after >= Duration::from_secs(1)));
    host.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn branches_run_side_by_side_and_their_ends_share_commits() {
    let world = World::new(|_| Answer::Say("Done."));
    let host = world.host();
    let map = Strategy::ParallelMap {
        agent: "bob".to_owned(),
        items: (0..10).map(|item| item.to_string()).collect(),
        reduce: None,
        on_failure: OnFailure::FailFast,
        at_once: 10,
    };
    let before = world.journal.commits();
    let id = host.submit(submission(map)).await.expect("taken up").id;
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!(run.spend.steps, 10);
    let Some(RunOutcome::Completed { output: Value::Array(outputs) }) = run.outcome else { panic!("a list") };
    assert_eq!(outputs.len(), 10);
    let commits = world.journal.commits() - before;
    assert!(commits <= 13, "{commits} commits for 33 events");
}

#[tokio::test]
async fn a_skill_that_is_busy_is_called_again() {
    let world = World::new(calls_then_done(vec![("files__delete", json!({}))]));
    world.skills.act("delete", Act::Busy(1));
    let host = world.host();
    let id = host.submit(single("ada")).await.expect("taken up").id;
    let run = until(&host, &id, Status::Completed).await;
    assert_eq!((run.steps[1].attempt, run.steps[1].failures, world.skills.deeds()), (2, 1, 1));
}

#[tokio::test]
async fn a_failure_of_a_provider_fails_the_run_with_its_code() {
    let world = World::new(|_| Answer::Fail(ModelFailure::Payment("no credit".to_owned())));
    let host = world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    let Some(RunOutcome::Failed { code, message, .. }) = run.outcome else { panic!("it failed") };
    assert_eq!(code, "MODEL_PAYMENT");
    assert!(message.contains("no credit"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_part_of_the_host_that_dies_takes_one_step_along() {
    for death in ["die at once", "die later"] {
        let world = timed(as_asked);
        let host = world.host();
        let asked = |input: &str| Submission { input: input.to_owned(), ..single("bob") };
        let works = host.submit(asked("work")).await.expect("taken up").id;
        let hangs = host.submit(asked("hang")).await.expect("taken up").id;
        world.model.hanging.come_to(1).await;
        let dies = host.submit(asked(death)).await.expect("taken up").id;
        let run = until(&host, &dies, Status::Failed).await;
        assert!(matches!(&run.outcome, Some(RunOutcome::Failed { code, .. }) if code == "WORKER_DIED"), "{run:?}");
        let others = [&works, &hangs].map(|id| host.run(id).expect("a run"));
        assert_eq!(others.map(|run| (run.status, run.under_way().count())), [(Status::Running, 1); 2], "{death}");
        until(&host, &works, Status::Completed).await;
        assert_eq!((host.run(&hangs).expect("a run").status, world.model.hanging.count()), (Status::Running, 1));
        let next = host.submit(asked("work")).await.expect("taken up").id;
        until(&host, &next, Status::Completed).await;
        assert_eq!(world.model.asked.load(Ordering::SeqCst), 4, "each was asked once");
        host.stop(Duration::ZERO).await;
    }
}

#[tokio::test]
async fn a_model_that_never_answers_is_given_up() {
    let mut world = World::new(|_| Answer::Hang);
    world.options.model_timeout = Duration::from_millis(50);
    let host = world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    assert!(matches!(run.outcome, Some(RunOutcome::Failed { code, .. }) if code == "TIMEOUT"));
    assert_eq!((world.model.asked.load(Ordering::SeqCst), world.model.hanging.count()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_when_its_time_is_up() {
    let world = timed(|_| Answer::Hang);
    let host = world.host();
    let mut late = single("bob");
    late.budget.wall = Some(Duration::from_millis(60));
    let id = host.submit(late).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    let Some(RunOutcome::Failed { code, message, .. }) = run.outcome else { panic!("it failed") };
    assert_eq!((code.as_str(), message.contains("0.06 s")), ("TIMEOUT", true), "{message}");
    let events = host.events(&id, 0, 100).expect("events");
    assert!(!events.iter().any(|(_, record)| matches!(record.event, Event::StepEnded { .. })), "its work was ended");
    assert_eq!(world.model.asked.load(Ordering::SeqCst), 1);
    world.model.hanging.come_to(0).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_answers_ends_with_the_time_of_its_run() {
    let world = timed(calls_then_done(vec![("files__read", json!({}))]));
    world.skills.act("read", Act::Hang);
    let host = world.host();
    let mut late = single("ada");
    late.budget.wall = Some(Duration::from_secs(1));
    let id = host.submit(late).await.expect("taken up").id;
    world.skills.hanging.come_to(1).await;
    let run = until(&host, &id, Status::Failed).await;
    assert!(matches!(run.outcome, Some(RunOutcome::Failed { code, .. }) if code == "TIMEOUT"));
    world.skills.hanging.come_to(0).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_time_is_up_gives_what_was_said_until_then() {
    let world = timed(as_asked);
    let host = world.host();
    let mut late = submission(Strategy::ParallelMap {
        agent: "bob".to_owned(),
        items: vec!["work".to_owned(), "hang".to_owned()],
        reduce: None,
        on_failure: OnFailure::Collect,
        at_once: 2,
    });
    late.budget.wall = Some(Duration::from_secs(2));
    let id = host.submit(late).await.expect("taken up").id;
    world.model.hanging.come_to(1).await;
    let run = until(&host, &id, Status::Failed).await;
    let Some(RunOutcome::Failed { code, partial, .. }) = run.outcome else { panic!("it failed") };
    assert_eq!(code, "TIMEOUT");
    assert_eq!(partial, json!([{ "task": 0, "agent": "bob", "text": "Done." }]));
    world.model.hanging.come_to(0).await;
}

#[tokio::test]
async fn a_run_has_no_more_time_than_its_agents() {
    let world = World::new(|_| Answer::Hang);
    let host = world.host();
    let id = host.submit(single("eve")).await.expect("taken up").id;
    let run = until(&host, &id, Status::Failed).await;
    assert_eq!(run.spec.budget.wall(), Duration::from_millis(60));
    let eve = &run.team.members["eve"];
    let usd = Some(Usd::from_nanos(500_000_000));
    let limits = TaskLimits { tokens: Some(11), usd, fuel: Some(13), host_calls: Some(17) };
    assert_eq!((eve.max_steps, eve.limits), (7, limits));
    assert!(matches!(run.outcome, Some(RunOutcome::Failed { code, .. }) if code == "TIMEOUT"));
}

#[tokio::test]
async fn open_tasks_are_counted_for_each_agent() {
    let world = World::new(|_| Answer::Hang);
    let host = world.host();
    let id = host.submit(single("bob")).await.expect("taken up").id;
    until_it(&host, &id, |run| !run.steps.is_empty()).await;
    assert_eq!((host.open_tasks("bob"), host.open_tasks("ada")), (1, 0));
    host.cancel(&id, "me", None).await.expect("it can be");
    until(&host, &id, Status::Cancelled).await;
    host.stop(Duration::from_secs(1)).await;
    assert_eq!(host.open_tasks("bob"), 0);
}
