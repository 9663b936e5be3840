//! Who holds a place, and for how long: what would be a deadlock or an inversion.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::model::ChatRequest;
use bailiwick_domain::run::{Class, OnFailure, Run, RunId, RunOutcome, Status, StepState, Strategy};
use serde_json::json;

use super::workflow::{driven, everything};
use super::world::{Act, Answer, PATIENCE, World, calls_then_done, single, submission, until, until_it};
use crate::runtime::{BudgetRequest, RunFilter, Runtime, Submission, SubmitError};
use crate::scheduler::ceiling::{Machine, Parallelism, Reading};
use crate::scheduler::queue::{PerClass, QueueSettings};

/// A model that is done at once, never answers, or deletes first, as the input says.
fn as_told(request: &ChatRequest) -> Answer {
    let is_told = |word: &str| request.messages.iter().any(|message| format!("{message:?}").contains(word));
    if is_told("quick") || is_told("How is it?") {
        Answer::Say("Done.")
    } else if is_told("forever") {
        Answer::Hang
    } else {
        calls_then_done(vec![("files__delete", json!({}))])(request)
    }
}

fn with_places(total: u32) -> World {
    let mut world = World::new(as_told);
    world.options.queue = QueueSettings { total, ..QueueSettings::default() };
    world
}

fn of(class: Class, input: &str) -> Submission {
    Submission { input: input.to_owned(), class, ..single("bob") }
}

async fn submit(host: &Runtime, submission: Submission) -> RunId {
    host.submit(submission).await.expect("taken up").id
}

fn running(host: &Runtime) -> u32 {
    PerClass::from_fn(|class| host.queue().classes[class].running).sum()
}

/// Waits until so many runs hold a place.
async fn until_running(host: &Runtime, runs: u32) {
    let wait = async {
        while running(host) != runs {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "{} runs hold a place", running(host));
}

fn started(run: &Run) -> u64 {
    run.started_at.expect("it was started")
}

#[tokio::test]
async fn runs_that_wait_for_people_hold_no_place_however_many_they_are() {
    let world = with_places(1);
    world.skills.act("delete", Act::Ask);
    let host = world.host();
    let mut asking = Vec::new();
    for _ in 0..20 {
        asking.push(submit(&host, single("ada")).await);
    }
    for id in &asking {
        until(&host, id, Status::WaitingApproval).await;
    }
    until_running(&host, 0).await;
    let other = submit(&host, of(Class::Batch, "quick")).await;
    until(&host, &other, Status::Completed).await;
    world.skills.questions.answer_all(true);
    for id in &asking {
        until(&host, id, Status::Completed).await;
    }
    until_running(&host, 0).await;
}

/// Its waits are 1, 2 and 4 s, a quarter more or less: to give the place away for that long
/// would have it wait again behind runs that take minutes.
#[tokio::test]
async fn a_run_that_waits_for_its_retry_keeps_its_place_and_is_done_before_it_is_anothers() {
    let world = with_places(1);
    world.skills.act("delete", Act::Busy(1));
    let host = world.host();
    let first = submit(&host, single("ada")).await;
    until_it(&host, &first, |run| run.steps.iter().any(|step| step.state == StepState::Backoff)).await;
    let second = submit(&host, of(Class::Interactive, "quick")).await;
    let second = until(&host, &second, Status::Completed).await;
    let first = until(&host, &first, Status::Completed).await;
    assert_eq!(first.steps[1].attempt, 2);
    assert!(started(&second) >= first.updated_at, "there is one place");
}

#[tokio::test]
async fn all_branches_of_a_run_share_its_one_place() {
    let world = with_places(1);
    let host = world.host();
    let map = Strategy::ParallelMap {
        agent: "bob".to_owned(),
        items: (0..10).map(|item| format!("quick {item}")).collect(),
        reduce: None,
        on_failure: OnFailure::FailFast,
        at_once: 10,
    };
    let id = submit(&host, submission(map)).await;
    assert_eq!(until(&host, &id, Status::Completed).await.spend.steps, 10);
    until_running(&host, 0).await;
}

#[tokio::test]
async fn what_a_workflow_calls_needs_no_second_place() {
    let world = with_places(1);
    *world.skills.flow.lock().expect("no panic") = Some(Arc::new(|services| Box::pin(everything(services))));
    let host = world.host();
    let ids = [submit(&host, driven()).await, submit(&host, driven()).await];
    for id in &ids {
        until(&host, id, Status::Completed).await;
    }
    assert_eq!(world.skills.deeds(), 6, "two reads and one deletion of each");
}

#[tokio::test]
async fn a_batch_run_on_the_only_place_keeps_others_waiting_for_its_own_time_at_the_most() {
    let world = with_places(1);
    let host = world.host();
    let budget = BudgetRequest { wall: Some(Duration::from_secs(1)), ..BudgetRequest::default() };
    let batch = submit(&host, Submission { budget, ..of(Class::Batch, "forever") }).await;
    until_it(&host, &batch, |run| !run.steps.is_empty()).await;
    let behind = submit(&host, of(Class::Batch, "quick")).await;
    let urgent = submit(&host, of(Class::Interactive, "quick")).await;
    let urgent = until(&host, &urgent, Status::Completed).await;
    let batch = until(&host, &batch, Status::Failed).await;
    assert!(matches!(&batch.outcome, Some(RunOutcome::Failed { code, .. }) if code == "TIMEOUT"), "{batch:?}");
    assert!(started(&urgent) >= batch.updated_at, "nobody is stopped for it");
    let behind = until(&host, &behind, Status::Completed).await;
    assert!(started(&behind) >= started(&urgent), "it doesn't wait for those that came before it");
}

#[tokio::test]
async fn of_two_places_one_is_left_to_interactive_runs() {
    let world = with_places(2);
    let host = world.host();
    let first = submit(&host, of(Class::Batch, "forever")).await;
    until_it(&host, &first, |run| !run.steps.is_empty()).await;
    for class in [Class::Batch, Class::Normal] {
        submit(&host, of(class, "forever")).await;
    }
    let urgent = submit(&host, of(Class::Interactive, "quick")).await;
    until(&host, &urgent, Status::Completed).await;
    until_running(&host, 1).await;
    assert_eq!(host.run(&first).expect("a run").status, Status::Running, "it has no end");
    host.stop(Duration::ZERO).await;
}

#[tokio::test]
async fn agents_that_would_wait_for_each_other_are_refused_and_take_no_place() {
    let world = with_places(1);
    let host = world.host();
    let node = |id: &str| json!({ "id": id, "agent": "bob" });
    let edge = |from: &str, to: &str| json!({ "from": from, "to": to });
    let graph = json!({
        "nodes": [node("a"), node("b"), node("c")],
        "edges": [edge("a", "b"), edge("b", "c"), edge("c", "b")],
    });
    let strategy = serde_json::from_value(json!({ "kind": "graph", "graph": graph })).expect("a strategy");
    let refused = host.submit(submission(strategy)).await.expect_err("it would never end");
    assert!(matches!(refused, SubmitError::Spec(_)), "{refused}");
    assert!(refused.to_string().contains("wait for each other"), "{refused}");
    assert_eq!(host.runs(&RunFilter::default(), None, 10).expect("rows"), []);
    assert_eq!((host.queue().classes.normal.waiting, running(&host)), (0, 0));
}

/// A machine with one CPU that does nothing.
#[derive(Debug)]
struct Small;

impl Machine for Small {
    fn read(&self) -> Reading {
        Reading { available: Some(900), ..Reading::default() }
    }

    fn cpus(&self) -> u32 {
        1
    }
}

#[tokio::test]
async fn a_host_whose_places_follow_the_machine_begins_with_few_and_gives_more() {
    let mut world = with_places(8);
    world.options.parallelism = Parallelism::Resources(Arc::new(Small));
    let host = world.host();
    let first = submit(&host, of(Class::Normal, "quick")).await;
    assert_eq!((host.queue().total, host.queue().ceiling), (3, 8), "one for each class");
    until(&host, &first, Status::Completed).await;
    for _ in 0..5 {
        submit(&host, of(Class::Normal, "forever")).await;
    }
    until_running(&host, 5).await;
    assert!((6..=8).contains(&host.queue().total), "one more each second while somebody waits");
    host.stop(Duration::ZERO).await;
}
