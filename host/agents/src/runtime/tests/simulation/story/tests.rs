//! A run whose log is written by hand, and what is wrong with it.

use bailiwick_domain::run::{Action, Event};
use serde_json::{Value, json};

use super::super::by_hand::{
    assert_found, assert_holds, calls, cancelled, drives, fails, gives, id, log, starts, story, team, within,
};
use super::{Deeds, read, untold};

/// What the law says of these events, where the tool took effect so often for step 1.
fn faults(events: Vec<Event>, tool: &str, times: u32) -> Vec<String> {
    let mut deeds = if times == 0 { Deeds::new() } else { done(tool, times) };
    let faults = read(&id(), &log(events), team(), &mut deeds);
    assert!(deeds.is_empty() || !faults.is_empty(), "the run tells of it: {deeds:?}");
    faults
}

fn done(tool: &str, times: u32) -> Deeds {
    Deeds::from([((id().to_string(), 1, tool.to_owned()), times)])
}

/// A call that gives an output, in a run that is over.
fn called(tool: &str) -> Vec<Event> {
    story([starts(1, 1, calls(tool)), gives(1), cancelled()])
}

/// What a host does with a call that it was cut off in, and makes again by a person's word.
fn repeated() -> Vec<Event> {
    story([
        starts(1, 1, calls("delete")),
        Event::Interrupted { steps: vec![1] },
        Event::Resumed { by: "me".to_owned(), repeat: true },
        Event::Started {},
        starts(0, 2, drives()),
        starts(1, 2, calls("delete")),
        gives(1),
        cancelled(),
    ])
}

#[test]
fn a_run_that_keeps_the_laws_has_no_fault() {
    for tool in ["read", "delete"] {
        assert_holds(faults(called(tool), tool, 1));
    }
}

#[test]
fn a_run_without_events_is_found() {
    assert_found(faults(Vec::new(), "read", 0), "it has no events");
}

#[test]
fn a_run_that_begins_with_something_else_is_found() {
    assert_found(faults(vec![Event::Started {}], "read", 0), "it can't begin so");
}

#[test]
fn an_event_that_can_not_follow_is_found() {
    assert_found(faults(story([gives(7), cancelled()]), "read", 0), "event 5 can't follow");
}

#[test]
fn a_run_that_is_not_over_is_found() {
    assert_found(faults(story([]), "read", 0), "it is running at the end of all");
}

#[test]
fn a_time_that_goes_back_is_found() {
    let mut log = log(story([cancelled()]));
    log.records.last_mut().expect("an event").at = 0;
    assert_found(read(&id(), &log, team(), &mut Deeds::new()), "time went back");
}

#[test]
fn a_step_that_begins_when_the_budget_is_used_up_is_found() {
    let question = Action::Question { summary: "Go on?".to_owned(), details: json!({}) };
    let model = Action::Complete {
        model: "m".to_owned(),
        messages: Vec::new(),
        max_tokens: None,
        temperature_milli: None,
        output_schema: None,
    };
    let begins = |action| vec![starts(1, 1, action), cancelled()];
    assert_found(faults(within(1, begins(model.clone())), "read", 0), "step 1 begins with no steps left");
    assert_holds(faults(within(2, begins(model)), "read", 0));
    // People are asked for nothing.
    assert_holds(faults(within(1, begins(question)), "read", 0));
}

#[test]
fn an_error_of_the_host_itself_is_found() {
    for code in super::OWN_ERRORS {
        let of_a_step = story([starts(1, 1, calls("read")), fails(1, code, false), cancelled()]);
        assert_found(faults(of_a_step, "read", 0), code);
        let failed = Event::Failed { code: code.to_owned(), message: "so it is".to_owned(), partial: Value::Null };
        assert_found(faults(story([failed]), "read", 0), code);
    }
    let other = story([starts(1, 1, calls("read")), fails(1, "trap", false), cancelled()]);
    assert_holds(faults(other, "read", 0));
}

#[test]
fn an_output_of_a_call_that_took_no_effect_is_found() {
    assert_found(faults(called("read"), "read", 0), "gave an output and took no effect");
}

#[test]
fn a_call_that_is_made_more_often_than_it_begins_is_found() {
    assert_found(faults(called("read"), "read", 2), "was done 2 times, began 1 and may be 1");
}

#[test]
fn a_call_that_takes_effect_twice_and_may_not_is_found() {
    let twice = |tool| {
        let events = [starts(1, 1, calls(tool)), fails(1, "busy", true), starts(1, 2, calls(tool)), gives(1)];
        story(events.into_iter().chain([cancelled()]))
    };
    assert_found(faults(twice("delete"), "delete", 2), "was done 2 times, began 2 and may be 1");
    assert_holds(faults(twice("delete"), "delete", 1));
    assert_holds(faults(twice("read"), "read", 2));
}

#[test]
fn a_person_lets_a_call_take_effect_once_more_and_no_more_often() {
    assert_holds(faults(repeated(), "delete", 2));
    assert_found(faults(repeated(), "delete", 3), "was done 3 times, began 2 and may be 2");
}

#[test]
fn a_call_that_no_run_tells_of_is_left() {
    let mut deeds = done("read", 1);
    assert_found(untold(&deeds), "which tells of no such call");
    assert_holds(read(&id(), &log(called("read")), team(), &mut deeds));
    assert_holds(untold(&deeds));
}
