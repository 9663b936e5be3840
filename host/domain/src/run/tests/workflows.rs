//! Tasks that a workflow drives.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stage::{Stage, budget, team};
use crate::run::{
    Action, Budget, Event, IllegalEvent, Member, PinnedSkill, PinnedTool, Recorded, Role, Status, StepResult,
    StepState, Strategy, Team,
};

fn flow() -> Team {
    let mut team = team();
    let ada: Member = team.members.remove("ada").expect("ada");
    let files = ada.skills[0].clone();
    let run = PinnedTool { name: "run".to_owned(), ..files.tools[0].clone() };
    let driver = PinnedSkill { id: "demo/flow".parse().expect("an id"), tools: vec![run], ..files.clone() };
    let member = Member { skills: vec![driver, files], ..ada };
    Team { members: [("demo/flow".to_owned(), member)].into() }
}

fn driven(budget: Budget) -> Stage {
    Stage::of(Strategy::Workflow { skill: "demo/flow".parse().expect("a selector") }, budget, flow())
}

fn call(tool: &str, n: u32) -> Action {
    let files = &flow().members["demo/flow"].skills[1];
    Action::Skill {
        call: String::new(),
        skill: files.id.clone(),
        digest: files.digest,
        tool: tool.to_owned(),
        arguments: json!({ "n": n }),
        idempotent: tool == "read",
    }
}

fn question() -> Action {
    Action::Question { summary: "Go on?".to_owned(), details: json!({}) }
}

/// The workflow asks for `action`: the step that this is.
fn ask(stage: &mut Stage, action: Action) -> u32 {
    let step = u32::try_from(stage.run.steps.len()).expect("few");
    stage.tell(stage.run.begin_asked(0, action));
    stage.go();
    step
}

fn restart(stage: &mut Stage) {
    stage.tell(Event::Recovered {});
    stage.tell(Event::Started {});
    stage.go();
}

#[test]
fn a_workflow_runs_and_what_it_gives_is_the_output() {
    let mut stage = driven(budget());
    assert_eq!(stage.run.tasks[0].opening.role, Role::Drive);
    assert!(stage.run.steps[0].action.is_drive());
    assert_eq!(stage.run.drivers().collect::<Vec<_>>(), [0]);
    let step = ask(&mut stage, call("delete", 1));
    assert_eq!(stage.under_way(), [0, step]);
    stage.output(step, &json!("gone"));
    assert!(matches!(stage.run.came(step), Some(StepResult::Output { failed: false, .. })));
    stage.output(0, &json!({ "gone": 1 }));
    assert_eq!(stage.completed(), json!({ "gone": 1 }));
}

#[test]
fn what_was_asked_for_before_is_found_by_what_it_is() {
    let mut stage = driven(budget());
    let (first, second) = (ask(&mut stage, call("read", 1)), ask(&mut stage, call("read", 2)));
    stage.output(second, &json!(2));
    restart(&mut stage);
    assert_eq!((stage.status(), stage.under_way()), (Status::Running, vec![0, first]), "both are begun again");
    let taken = BTreeSet::new();
    assert_eq!(stage.run.recorded(0, &call("read", 2), &taken), Recorded::Step(second), "in whatever order");
    assert_eq!(stage.run.recorded(0, &call("read", 3), &taken), Recorded::Diverged(first));
    let taken = BTreeSet::from([first, second]);
    assert_eq!(stage.run.recorded(0, &call("read", 2), &taken), Recorded::New, "a second one is another one");
}

#[test]
fn a_workflow_is_begun_again_whatever_it_did_and_its_calls_only_where_they_may() {
    let mut stage = driven(budget());
    let step = ask(&mut stage, call("delete", 1));
    assert_eq!(stage.run.unrepeatable(), [step]);
    stage.tell(Event::Interrupted { steps: vec![step] });
    stage.tell(Event::Resumed { by: "me".to_owned(), repeat: false });
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!(stage.under_way(), [0]);
    let Some(StepResult::Failed { code, .. }) = stage.run.came(step) else { panic!("{:?}", stage.run) };
    assert_eq!(code, "INTERRUPTED");
}

#[test]
fn a_question_is_put_again_only_when_it_is_asked_again() {
    let mut stage = driven(budget());
    let step = ask(&mut stage, question());
    restart(&mut stage);
    assert_eq!((stage.under_way(), &stage.run.steps[step as usize].state), (vec![0], &StepState::Ready));
    let again = Event::StepStarted { step, task: 0, attempt: 2, action: question() };
    stage.tell(again);
    stage.tell(Event::ApprovalRequested { step, approval: "q".to_owned() });
    assert_eq!(stage.status(), Status::WaitingApproval);
    stage.tell(Event::ApprovalAnswered { step, approved: false, reason: Some("no".to_owned()) });
    let verdict = stage.run.came(step).and_then(StepResult::verdict);
    assert_eq!(verdict, Some((false, Some("no".to_owned()))));
    assert_eq!(StepResult::of_verdict(true, None).verdict(), Some((true, None)));
}

#[test]
fn only_a_workflow_that_runs_asks_for_something() {
    let mut stage = driven(budget());
    let model = Event::StepStarted { step: 1, task: 0, attempt: 1, action: Action::Model {} };
    assert!(matches!(stage.try_tell(model), Err(IllegalEvent::Unfit { .. })));
    stage.fail(0, "guest-trapped", false);
    assert_eq!(stage.failure().0, "guest-trapped");
    stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
    stage.tell(Event::Started {});
    let early = stage.run.begin_asked(0, call("read", 1));
    assert!(matches!(stage.try_tell(early), Err(IllegalEvent::Unfit { .. })), "it does not run yet");
    stage.go();
    assert_eq!(stage.under_way(), [1], "it runs anew, as a new step");
    ask(&mut stage, call("read", 1));

    let mut agents = Stage::new(super::stage::single("ada"));
    let strange = Event::StepStarted { step: 1, task: 0, attempt: 1, action: question() };
    assert!(matches!(agents.try_tell(strange), Err(IllegalEvent::Unfit { .. })));
}

#[test]
fn a_retried_workflow_keeps_what_took_effect_and_asks_anew_for_what_did_not() {
    let mut stage = driven(budget());
    let steps = [call("read", 1), call("delete", 2), call("delete", 3)].map(|action| ask(&mut stage, action));
    stage.fail(steps[0], "guest-trapped", false);
    stage.output(steps[1], &json!("gone"));
    stage.fail(steps[2], "guest-trapped", false);
    stage.tell(Event::StepEnded {
        step: 0,
        result: StepResult::Output { json: "\"too bad\"".to_owned(), failed: true },
        spend: crate::run::Spend::default(),
        receipt: None,
    });
    stage.go();
    assert_eq!(stage.failure(), ("WORKFLOW_FAILED".to_owned(), "\"too bad\"".to_owned()));
    stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
    stage.tell(Event::Started {});
    stage.go();
    let came = |step: u32| stage.run.came(step).is_some();
    assert_eq!(steps.map(came), [false, true, true], "what may have taken effect is not done again");
    assert_eq!(stage.run.recorded(0, &call("read", 1), &BTreeSet::new()), Recorded::New, "its failure is forgotten");
    assert_eq!(stage.run.recorded(0, &call("read", 9), &BTreeSet::new()), Recorded::New, "it may go another way");
}

#[test]
fn a_workflow_that_fails_takes_what_it_asked_for_along() {
    let mut stage = driven(budget());
    let step = ask(&mut stage, call("read", 1));
    stage.fail(0, "deadline-exceeded", false);
    assert_eq!((stage.status(), stage.failure().0), (Status::Failed, "deadline-exceeded".to_owned()));
    assert_eq!(stage.run.steps[step as usize].state, StepState::Abandoned);
}

#[test]
fn the_budget_ends_what_a_workflow_asks_for() {
    let mut stage = driven(Budget { steps: 2, ..budget() });
    ask(&mut stage, call("read", 1));
    let end = stage.run.begin_asked(0, call("read", 2));
    assert!(matches!(&end, Event::Failed { code, .. } if code == "BUDGET_EXHAUSTED"), "{end:?}");
}

#[test]
fn the_budget_ends_a_run_whose_workflow_alone_is_under_way() {
    let mut stage = driven(Budget { steps: 2, ..budget() });
    let step = ask(&mut stage, call("read", 1));
    stage.fail(step, "busy", true);
    // The workflow waits for this step, so that nothing comes of waiting for the workflow.
    let again = Event::StepStarted { step, task: 0, attempt: 2, action: call("read", 1) };
    let end = stage.run.to_begin(again);
    assert!(matches!(&end, Some(Event::Failed { code, .. }) if code == "BUDGET_EXHAUSTED"), "{end:?}");
    assert!(!stage.run.is_held());
}

#[test]
fn what_a_workflow_is_is_kept_as_json() {
    for action in [call("read", 1), question()] {
        let text = serde_json::to_value(&action).expect("JSON");
        assert_eq!(serde_json::from_value::<Action>(text).expect("an action"), action);
    }
    let complete = json!({ "of": "complete", "model": "m", "messages": [{ "role": "user", "text": "Hi." }] });
    let action: Action = serde_json::from_value(complete.clone()).expect("an action");
    assert_eq!(serde_json::to_value(&action).expect("JSON"), complete);
    assert!(action.is_repeatable() && question().is_repeatable() && !call("delete", 1).is_repeatable());
    let strategy: Value = json!({ "kind": "workflow", "skill": "demo/flow@^1" });
    let read: Strategy = serde_json::from_value(strategy.clone()).expect("a strategy");
    assert_eq!((read.name(), serde_json::to_value(&read).expect("JSON")), ("workflow", strategy));
}
