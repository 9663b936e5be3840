//! Approvals, pauses, stops of the host, and what a person decides.

use serde_json::json;

use super::stage::{Stage, single};
use crate::run::{Event, Status, StepState, USE_SKILL};

const DELETE: (&str, &str, &str) = ("d", "files__delete", r#"{"n": 1}"#);
const READ: (&str, &str, &str) = ("r", "files__read", r#"{"n": 2}"#);

/// Steps 2 and so on make these calls.
fn calling(calls: &[(&str, &str, &str)]) -> Stage {
    let mut stage = Stage::new(single("ada"));
    stage.want(0, &[("c", USE_SKILL, r#"{"skill": "files"}"#)]);
    stage.want(1, calls);
    stage
}

fn by() -> String {
    "key:ada".to_owned()
}

#[test]
fn a_call_waits_for_a_person_and_others_go_on() {
    let mut stage = calling(&[DELETE, READ]);
    stage.tell(Event::ApprovalRequested { step: 2, approval: "q".to_owned() });
    assert_eq!((stage.status(), stage.under_way()), (Status::WaitingApproval, vec![3]));
    assert_eq!(stage.run.awaiting().collect::<Vec<_>>(), [(2, "q")]);
    stage.output(3, &json!(2));
    assert_eq!(stage.status(), Status::WaitingApproval);
    stage.tell(Event::ApprovalAnswered { step: 2, approved: true, reason: None });
    stage.go();
    assert_eq!((stage.status(), stage.under_way()), (Status::Running, vec![2]));
    assert_eq!(stage.run.steps[2].attempt, 2);
    stage.output(2, &json!("gone"));
    assert_eq!(stage.told(0)[1..], ["\"gone\"", "2"]);
}

#[test]
fn a_call_that_a_person_denies_is_told_to_the_model() {
    let mut stage = calling(&[DELETE]);
    stage.tell(Event::ApprovalRequested { step: 2, approval: "q".to_owned() });
    stage.tell(Event::ApprovalAnswered { step: 2, approved: false, reason: Some("not today".to_owned()) });
    stage.go();
    assert_eq!(stage.told(0)[1], "error: APPROVAL_DENIED: a person denied this call: not today");
    assert_eq!(stage.under_way(), [3]);
}

#[test]
fn nothing_new_begins_in_a_pause_and_what_is_under_way_ends() {
    let mut stage = calling(&[READ]);
    stage.tell(Event::Paused { by: by() });
    stage.output(2, &json!(2));
    assert_eq!((stage.status(), stage.under_way()), (Status::Paused, vec![]));
    stage.tell(Event::Resumed { by: by(), repeat: false });
    stage.go();
    assert_eq!((stage.status(), stage.under_way()), (Status::Queued, vec![]));
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!(stage.under_way(), [3]);
}

#[test]
fn what_may_be_repeated_is_repeated_after_a_stop_of_the_host() {
    let mut stage = calling(&[READ]);
    assert!(stage.run.unrepeatable().is_empty());
    stage.tell(Event::Recovered {});
    assert_eq!(stage.status(), Status::Queued);
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!((stage.under_way(), stage.run.steps[2].attempt), (vec![2], 2));
    assert_eq!(stage.calls_of(&json!({ "n": 2 })), 2);
}

#[test]
fn what_may_not_be_repeated_waits_for_a_person_after_a_stop_of_the_host() {
    for repeat in [true, false] {
        let mut stage = calling(&[DELETE, READ]);
        assert_eq!(stage.run.unrepeatable(), [2]);
        assert!(stage.try_tell(Event::Recovered {}).is_err(), "it can't be passed over");
        assert!(stage.try_tell(Event::Interrupted { steps: vec![3] }).is_err(), "nor can another one be named");
        stage.tell(Event::Interrupted { steps: vec![2] });
        stage.go();
        assert_eq!((stage.status(), stage.under_way()), (Status::Interrupted, vec![]));
        assert_eq!(stage.run.cut_off(), [2]);
        stage.tell(Event::Resumed { by: by(), repeat });
        stage.tell(Event::Started {});
        stage.go();
        stage.output(3, &json!(2));
        if repeat {
            assert_eq!(stage.under_way(), [2]);
            stage.output(2, &json!("gone"));
        } else {
            assert!(stage.told(0)[1].starts_with("error: INTERRUPTED"), "{:?}", stage.told(0));
        }
        assert_eq!(stage.calls_of(&json!({ "n": 1 })), if repeat { 2 } else { 1 });
        assert_eq!(stage.under_way(), [4]);
    }
}

#[test]
fn a_stop_of_the_host_ends_no_pause_and_no_question() {
    let mut paused = calling(&[READ]);
    paused.tell(Event::Paused { by: by() });
    paused.tell(Event::Recovered {});
    assert_eq!(paused.status(), Status::Paused);
    let mut asking = calling(&[DELETE]);
    asking.tell(Event::ApprovalRequested { step: 2, approval: "q".to_owned() });
    asking.tell(Event::Recovered {});
    assert_eq!(asking.status(), Status::WaitingApproval);
    assert_eq!(asking.run.awaiting().count(), 1);
}

#[test]
fn a_run_that_is_ended_has_nothing_under_way() {
    let mut stage = calling(&[DELETE, READ]);
    stage.tell(Event::Cancelled { by: by(), reason: None });
    stage.go();
    assert_eq!((stage.status(), stage.under_way()), (Status::Cancelled, vec![]));
    assert!(stage.try_tell(Event::Started {}).is_err());
    assert!(stage.try_tell(Event::Retried { by: by(), budget: None }).is_err(), "a person ended it");
}

#[test]
fn a_question_of_a_run_that_failed_is_nobodys_and_is_asked_anew_by_a_retry() {
    let mut stage = calling(&[DELETE, READ]);
    stage.tell(Event::ApprovalRequested { step: 2, approval: "q".to_owned() });
    assert_eq!(stage.run.forsaken().count(), 0);
    stage.output(3, &json!(2));
    let (code, message) = ("TIMEOUT".to_owned(), "too late".to_owned());
    stage.tell(Event::Failed { code, message, partial: serde_json::Value::Null });
    assert_eq!(stage.run.forsaken().collect::<Vec<_>>(), [(2, "q")]);
    stage.tell(Event::Retried { by: by(), budget: None });
    assert_eq!((stage.run.awaiting().count(), stage.run.forsaken().count()), (0, 0));
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!((stage.status(), stage.under_way()), (Status::Running, vec![2]));
    stage.tell(Event::ApprovalRequested { step: 2, approval: "again".to_owned() });
    assert_eq!(stage.run.awaiting().collect::<Vec<_>>(), [(2, "again")]);
}

#[test]
fn what_two_steps_ask_is_wanted_as_long_as_one_of_them_waits() {
    let mut stage = calling(&[DELETE, READ]);
    stage.tell(Event::ApprovalRequested { step: 2, approval: "q".to_owned() });
    stage.tell(Event::ApprovalRequested { step: 3, approval: "q".to_owned() });
    stage.tell(Event::ApprovalAnswered { step: 2, approved: false, reason: None });
    assert_eq!(stage.run.forsaken().count(), 0);
    stage.tell(Event::Cancelled { by: by(), reason: None });
    assert_eq!(stage.run.forsaken().collect::<Vec<_>>(), [(3, "q")]);
}

#[test]
fn a_failed_run_repeats_no_call_that_may_have_taken_effect() {
    let mut stage = calling(&[DELETE, READ]);
    let (code, message) = ("TIMEOUT".to_owned(), "too late".to_owned());
    stage.tell(Event::Failed { code, message, partial: serde_json::Value::Null });
    assert_eq!(stage.run.steps[2].state, StepState::Abandoned);
    stage.tell(Event::Retried { by: by(), budget: None });
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!(stage.under_way(), [3], "what may be repeated");
    stage.output(3, &json!(2));
    assert!(stage.told(0)[1].starts_with("error: INTERRUPTED"), "{:?}", stage.told(0));
    assert_eq!(stage.calls_of(&json!({ "n": 1 })), 1);
}
