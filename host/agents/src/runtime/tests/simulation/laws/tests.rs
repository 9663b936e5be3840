//! Each law is told what breaks it, and what does not.

use std::path::Path;

use bailiwick_domain::run::Status;
use bailiwick_journal::JournalError;
use bailiwick_journal::simulation::Disk;
use serde_json::json;

use super::super::by_hand::{
    assert_found, assert_holds, calls, cancelled, fails, gives, id, invocation, log, run, starts, story,
};
use super::super::site::Site;
use super::*;
use crate::runtime::ControlError;
use crate::scheduler::queue::ClassSnapshot;

/// A queue that stands as it may: of four places, one is free and kept.
fn queue() -> QueueSnapshot {
    let class = |running, share| ClassSnapshot { running, share, ..ClassSnapshot::default() };
    let classes = PerClass { interactive: class(1, 2), normal: class(2, 1), batch: class(0, 1) };
    QueueSnapshot { capacity: 64, total: 4, ceiling: 4, kept: 1, classes }
}

fn queue_with(change: impl FnOnce(&mut QueueSnapshot)) -> QueueSnapshot {
    let mut queue = queue();
    change(&mut queue);
    queue
}

fn other_id() -> RunId {
    RunId::from_bytes(&[2; 16])
}

/// The row of a run, under this name.
fn row(id: RunId, label: &str) -> RunSummary {
    RunSummary { id, label: Some(label.to_owned()), ..RunSummary::of(&run(story([]))) }
}

/// A run in whose step 1 `delete` is called, and then this happens.
fn deleting(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    story([starts(1, 1, calls("delete"))].into_iter().chain(events))
}

/// What the law says of a call by a run that is not over.
fn called_by(invocation: &Invocation, run: &Run) -> Option<String> {
    let of = belongs(invocation).expect("it is one of a run");
    called(invocation, of, run, || panic!("nobody asks for the log"))
}

#[test]
fn a_model_that_is_asked_before_that_is_durable_is_found() {
    let log = log(story([starts(1, 1, Action::Model {})]));
    assert_holds(asked("t", 1, Some((&id(), &log))));
    assert_found(asked("t", 2, Some((&id(), &log))), "models were asked 2 times, and 1 times it was durable");
    assert_found(asked("t", 1, None), "in the trace t, of which there is no run");
}

#[test]
fn a_call_that_is_no_step_of_its_run_is_found() {
    let run = run(deleting([]));
    assert_holds(called_by(&invocation("delete", 1), &run));
    let words = "is called and stands so";
    assert_found(called_by(&invocation("read", 1), &run), words);
    assert_found(called_by(&invocation("delete", 0), &run), words);
    assert_found(called_by(&invocation("delete", 2), &run), words);
    let with_more = Invocation { arguments: json!({ "n": 1 }), ..invocation("delete", 1) };
    assert_found(called_by(&with_more, &run), words);
    let of_none = Invocation { run: None, ..invocation("delete", 1) };
    assert_found(belongs(&of_none).err(), "belongs to no run");
}

#[test]
fn a_call_whose_step_is_not_under_way_is_found() {
    let asks = Event::ApprovalRequested { step: 1, approval: "a".to_owned() };
    for event in [gives(1), fails(1, "busy", true), asks] {
        assert_found(called_by(&invocation("delete", 1), &run(deleting([event]))), "is called and stands so");
    }
}

#[test]
fn a_call_of_a_run_that_is_over_was_under_way_until_then_or_is_found() {
    let events = deleting([cancelled()]);
    let (delete, over) = (invocation("delete", 1), run(events.clone()));
    let of = belongs(&delete).expect("it is one of a run");
    assert_holds(called(&delete, of, &over, || Some(log(events.clone()))));
    // The disk is gone, and nobody can say.
    assert_holds(called(&delete, of, &over, || None));
    let without = || Some(log(story([cancelled()])));
    assert_found(called(&delete, of, &over, without), "is called and stands so");
    let mut goes_on = over;
    goes_on.status = Status::Running;
    assert_found(called_by(&delete, &goes_on), "is called and stands so");
}

#[test]
fn events_that_are_told_of_and_not_kept_are_found() {
    assert_holds(durable(&id(), 3, 3));
    assert_holds(durable(&id(), 3, 4));
    assert_found(durable(&id(), 4, 3), "4 events are told of, and 3 are kept");
}

#[test]
fn a_row_that_is_not_what_the_events_make_is_found() {
    let run = run(story([]));
    let kept = RunSummary::of(&run).bytes();
    assert_holds(same(&run, Some(&kept)));
    let earlier = RunSummary { status: Status::Queued, ..RunSummary::of(&run) }.bytes();
    assert_found(same(&run, Some(&earlier)), "it stood so");
    assert_found(same(&run, None), "it stood so");
}

#[test]
fn what_is_told_and_not_in_the_log_is_found() {
    // The fifth event, at the time 4.
    let log = log(story([cancelled()]));
    let at = |at, name| Promise::Told(id(), at, name);
    let by = |name: &str| Promise::Word(id(), name.to_owned());
    for kept in [at(4, "run.cancelled"), at(4, "agent.status_changed"), by("me"), Promise::Upto(id(), 5)] {
        assert_holds(told(&kept, &log));
        assert_holds(remembered(&id(), &[kept], &log));
    }
    for gone in [at(4, "run.failed"), at(3, "run.cancelled"), at(5, "x"), by("you"), Promise::Upto(id(), 6)] {
        assert_found(told(&gone, &log), "is told and not durable");
        assert_holds(remembered(&other_id(), std::slice::from_ref(&gone), &log));
        assert_found(remembered(&id(), &[gone], &log), "a process later it is gone");
    }
}

#[test]
fn places_that_are_free_beside_those_who_wait_are_found() {
    assert_holds(places(&queue()));
    assert_holds(places(&queue_with(|queue| queue.classes.normal.waiting = 1)));
    for class in [Class::Normal, Class::Batch] {
        let queue = queue_with(|queue| {
            queue.classes.normal.running = 1;
            queue.classes[class].waiting = 1;
        });
        assert_found(places(&queue), &format!("{class} runs wait beside free places"));
    }
    let queue = queue_with(|queue| queue.classes.interactive.waiting = 1);
    assert_found(places(&queue), "interactive runs wait beside free places");
}

#[test]
fn more_runs_at_work_than_may_be_are_found() {
    let words = "more runs are at work than may be";
    assert_found(places(&queue_with(|queue| queue.classes.interactive.running = 3)), words);
    // All places are taken, and nothing is left to interactive runs.
    let queue_of = |interactive, normal| {
        queue_with(|queue| {
            queue.classes.interactive.running = interactive;
            queue.classes.normal.running = normal;
        })
    };
    assert_found(places(&queue_of(0, 4)), words);
    assert_holds(places(&queue_of(0, 3)));
    assert_holds(places(&queue_of(4, 0)));
}

#[test]
fn runs_that_are_damaged_are_found() {
    assert_holds(whole(&Recovered { resumed: 1, interrupted: 1, damaged: Vec::new() }));
    assert_found(whole(&Recovered { damaged: vec![id()], ..Recovered::default() }), "runs are damaged");
}

#[test]
fn a_run_that_is_gone_is_found() {
    let rows = [row(id(), "s0")];
    assert_holds(lost(&[id()], &rows));
    assert_found(lost(&[id(), other_id()], &rows), "the run was acknowledged and is gone");
}

#[test]
fn events_that_are_others_now_or_gone_are_found() {
    let (known, now) = (log(deleting([])).raw, log(deleting([cancelled()])));
    assert_holds(unchanged(&id(), &known, &now));
    let words = "events that were there are others now, or gone";
    assert_found(unchanged(&id(), &now.raw, &log(deleting([]))), words);
    assert_found(unchanged(&id(), &known, &log(story([cancelled()]))), words);
}

#[test]
fn an_order_that_is_refused_for_no_good_reason_is_found() {
    let no_disk = SubmitError::Journal(JournalError::NoRun("r".to_owned()));
    assert_holds(refused(0, &SubmitError::Stopping, false));
    assert_holds(refused(0, &no_disk, true));
    assert_found(refused(0, &no_disk, false), "order 0 was refused");
    assert_found(refused(0, &SubmitError::Disabled, true), "order 0 was refused");
}

#[test]
fn an_answer_that_names_another_run_is_found() {
    let now = |replayed| Submitted { id: id(), replayed };
    assert_holds(answered(0, None, false, &now(false)));
    assert_holds(answered(0, None, true, &now(true)));
    assert_holds(answered(0, Some(&id()), true, &now(true)));
    assert_found(answered(0, None, false, &now(true)), "was new and is said to be");
    assert_found(answered(0, Some(&id()), true, &now(false)), "order 0 was");
    assert_found(answered(0, Some(&other_id()), true, &now(true)), "order 0 was");
}

#[test]
fn an_order_that_became_two_runs_is_found() {
    assert_holds(one_run_each(&[row(id(), "s0"), row(other_id(), "s1")]));
    assert_found(one_run_each(&[row(id(), "s0"), row(other_id(), "s0")]), "were asked for as one run");
}

#[test]
fn a_run_that_never_ends_is_found() {
    assert_holds(over(&run(story([cancelled()]))));
    assert_found(over(&run(story([]))), "it is running at the end of all");
}

#[test]
fn what_is_left_when_all_runs_are_over_is_found() {
    let nothing = || Left {
        queue: queue_with(|queue| queue.classes = PerClass::default()),
        open_tasks: vec![("ada", 0), ("bob", 0)],
        questions: BTreeSet::new(),
        open_runs: Vec::new(),
    };
    let with = |change: fn(&mut Left)| {
        let mut left = nothing();
        change(&mut left);
        settled(&left)
    };
    assert_holds(settled(&nothing()));
    assert_found(with(|left| left.queue.classes.batch.waiting = 1), "the queue stands so");
    assert_found(with(|left| left.queue.classes.batch.running = 1), "the queue stands so");
    assert_found(with(|left| left.open_tasks[1].1 = 2), "`bob` has 2 open tasks");
    assert_found(with(|left| left.questions.extend(["q".to_owned()])), "these questions are open");
    assert_found(with(|left| left.open_runs.push("r".to_owned())), "these count as open");
}

#[test]
fn a_journal_that_is_closed_with_open_runs_is_found() {
    assert_holds(closed(&[]));
    assert_found(closed(&["r".to_owned()]), "these runs count as open");
}

#[test]
fn an_error_is_found_unless_the_disk_is_to_blame() {
    let site = Site::new(1, Path::new("nowhere"), 1);
    let error = || ControlError::Journal(JournalError::NoRun("r".to_owned()));
    site.blame("while all is well", &error());
    assert_found(site.faults(), "while all is well");
    site.let_fail(&Disk::new(), 0);
    site.blame("without a disk", &error());
    assert_found(site.faults(), "while all is well");
    site.blame("of another kind", &ControlError::Stopping);
    assert_found(site.faults().split_off(1), "of another kind");
}
