//! What follows where an agent fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::stage::{Stage, budget, single, team};
use crate::model::{Finish, Message};
use crate::run::{
    Action, Budget, CHOOSE_AGENT, Event, FailurePolicy, HANDOFF, IllegalEvent, Member, OnFailure, Record, Run, Status,
    Strategy, TaskLimits, TaskOutcome, Team, TryState, USE_SKILL,
};

const OPEN: (&str, &str, &str) = ("c0", USE_SKILL, r#"{"skill": "demo/files"}"#);
const NONSENSE: (&str, &str, &str) = ("x", "nothing", "{}");

fn policy(retries: u32, fallback: Option<&str>, ask: bool) -> FailurePolicy {
    FailurePolicy { retries, fallback: fallback.map(str::to_owned), ask }
}

/// The team in which these agents have these policies.
fn with(policies: &[(&str, FailurePolicy)]) -> Team {
    let mut team = team();
    for (name, policy) in policies {
        team.members.get_mut(*name).expect("an agent").on_failure = policy.clone();
    }
    team
}

fn alone(agent: &str, policies: &[(&str, FailurePolicy)]) -> Stage {
    Stage::of(single(agent), budget(), with(policies))
}

/// The time of the task's next try has come.
fn begin(stage: &mut Stage, task: u32) {
    let event = stage.run.begin_try(task).expect("nothing keeps it waiting");
    stage.tell(event);
    stage.go();
}

fn answer(again: bool) -> Event {
    Event::TaskAnswered { task: 0, again, by: "me".to_owned(), reason: Some("enough".to_owned()) }
}

fn count(stage: &Stage, kind: &str) -> usize {
    stage.log.iter().filter(|record| record.event.kind().name() == kind).count()
}

fn input(stage: &Stage, task: usize) -> String {
    match &stage.run.tasks[task].messages[0] {
        Message::User { text } => text.clone(),
        other => panic!("the input comes first: {other:?}"),
    }
}

#[test]
fn an_agent_tries_again_after_a_while_and_not_for_ever() {
    let mut stage = alone("bob", &[("bob", policy(2, None, false))]);
    for attempt in 0..2_u32 {
        stage.fail(attempt, "MODEL_FAILED", false);
        assert_eq!((stage.status(), stage.under_way()), (Status::Running, vec![]), "it waits for its time");
        assert_eq!(stage.run.resting().collect::<Vec<_>>(), [0]);
        begin(&mut stage, 0);
        assert_eq!((stage.under_way(), stage.run.resting().count()), (vec![attempt + 1], 0));
    }
    stage.fail(2, "MODEL_FAILED", false);
    assert_eq!((stage.status(), stage.failure().0.as_str()), (Status::Failed, "MODEL_FAILED"));
    assert_eq!((count(&stage, "task.escalated"), count(&stage, "task.ended")), (2, 1));
    assert_eq!(stage.run.tasks[0].spend.steps, 3, "what it took is kept");
}

#[test]
fn without_a_policy_a_task_that_fails_has_failed() {
    let mut stage = alone("bob", &[]);
    stage.fail(0, "MODEL_FAILED", false);
    assert_eq!((stage.status(), count(&stage, "task.escalated")), (Status::Failed, 0));
}

#[test]
fn a_try_begins_with_no_more_than_the_input_and_all_turns() {
    let mut team = with(&[("ada", policy(1, None, false))]);
    team.members.get_mut("ada").expect("ada").max_steps = 1;
    let mut stage = Stage::of(single("ada"), budget(), team);
    stage.want(0, &[OPEN]);
    assert_eq!(stage.run.resting().count(), 1, "its only turn is taken");
    let task = &stage.run.tasks[0];
    assert_eq!((task.messages.len(), task.turns, task.opened.len()), (1, 0, 0));
    assert_eq!((input(&stage, 0).as_str(), stage.tools(0)), ("Do it.", vec![USE_SKILL.to_owned()]));
    begin(&mut stage, 0);
    stage.say(1, "Done.");
    assert_eq!(stage.completed(), json!("Done."));
}

#[test]
fn another_agent_gets_the_same_input_and_its_own_limits() {
    let mut team = with(&[("bob", policy(3, Some("ada"), false))]);
    for name in ["ada", "bob"] {
        let limits = TaskLimits { tokens: Some(10), ..TaskLimits::default() };
        team.members.get_mut(name).expect("an agent").limits = limits;
    }
    let mut stage = Stage::of(single("bob"), budget(), team);
    stage.want(0, &[NONSENSE]);
    // What bob may take is used up, so that it is of no use that he tries again.
    let task = &stage.run.tasks[0];
    assert_eq!((task.opening.agent.as_str(), task.tries.agents.as_slice()), ("ada", ["bob".to_owned()].as_slice()));
    assert_eq!((input(&stage, 0).as_str(), stage.under_way()), ("Do it.", vec![1]));
    assert_eq!((stage.run.for_call(0).model_tokens, task.spend.tokens()), (Some(10), 10));
    assert_eq!(stage.tools(0), [USE_SKILL], "it is ada at work, with her skills");
    stage.say(1, "Done.");
    assert_eq!((stage.completed(), stage.run.spend.tokens()), (json!("Done."), 20));
}

#[test]
fn what_the_same_agent_would_meet_again_goes_on_at_once() {
    for code in ["NO_MODEL", "MODEL_UNAUTHORIZED", "MODEL_PAYMENT"] {
        let mut stage = alone("bob", &[("bob", policy(3, Some("ada"), false))]);
        stage.fail(0, code, false);
        assert_eq!(stage.run.tasks[0].opening.agent, "ada", "{code}");
    }
}

#[test]
fn a_fallback_has_a_fallback_and_a_circle_ends() {
    let mut stage = alone("ada", &[("ada", policy(0, Some("bob"), false)), ("bob", policy(1, Some("ada"), false))]);
    stage.fail(0, "MODEL_FAILED", false);
    assert_eq!(stage.run.tasks[0].opening.agent, "bob");
    stage.fail(1, "MODEL_FAILED", false);
    assert_eq!(stage.run.resting().count(), 1, "bob tries again by his own policy");
    begin(&mut stage, 0);
    stage.fail(2, "MODEL_FAILED", false);
    assert_eq!((stage.status(), stage.failure().0.as_str()), (Status::Failed, "MODEL_FAILED"));
}

#[test]
fn a_person_says_whether_it_is_tried_once_more_and_other_branches_go_on() {
    for again in [true, false] {
        let map = Strategy::ParallelMap {
            agent: "bob".to_owned(),
            items: vec!["a".to_owned(), "b".to_owned()],
            reduce: None,
            on_failure: OnFailure::Collect,
            at_once: 2,
        };
        let mut stage = Stage::of(map, budget(), with(&[("bob", policy(0, None, true))]));
        stage.fail(0, "MODEL_FAILED", false);
        assert_eq!((stage.status(), stage.under_way()), (Status::WaitingApproval, vec![1]));
        assert_eq!(stage.run.asked_tasks().map(|(task, _)| task).collect::<Vec<_>>(), [0]);
        stage.say(1, "B");
        assert_eq!(stage.status(), Status::WaitingApproval, "the other one does not end it");
        stage.tell(answer(again));
        assert_eq!(stage.status(), Status::Running);
        assert!(matches!(stage.try_tell(answer(again)), Err(IllegalEvent::Unfit { .. } | IllegalEvent::Status { .. })));
        stage.go();
        if again {
            assert_eq!(stage.under_way(), [2]);
            stage.say(2, "A");
            assert_eq!(stage.completed()[0]["output"], "A");
        } else {
            let output = stage.completed();
            let error = &output[0]["error"];
            assert_eq!(error["code"], "MODEL_FAILED");
            assert_eq!(error["message"], "it went wrong; a person did not want it tried again: enough");
        }
    }
}

#[test]
fn a_person_is_asked_each_time_and_of_a_whole_chain() {
    // Ada's policy says that a person is asked, and bob is who fails last.
    let mut stage = alone("ada", &[("ada", policy(1, Some("bob"), true))]);
    stage.fail(0, "MODEL_FAILED", false);
    begin(&mut stage, 0);
    stage.fail(1, "MODEL_FAILED", false);
    for step in 2..4 {
        assert_eq!(stage.under_way(), [step]);
        stage.fail(step, "MODEL_FAILED", false);
        assert_eq!((stage.status(), stage.run.tasks[0].opening.agent.as_str()), (Status::WaitingApproval, "bob"));
        stage.tell(answer(true));
        stage.go();
    }
    stage.say(4, "Done.");
    assert_eq!(stage.completed(), json!("Done."));
}

#[test]
fn nothing_goes_on_in_a_task_while_a_person_is_asked() {
    let mut stage = alone("bob", &[("bob", policy(0, None, true))]);
    assert!(matches!(stage.try_tell(answer(true)), Err(IllegalEvent::Unfit { .. })), "nobody was asked");
    stage.fail(0, "MODEL_FAILED", false);
    let outcome = TaskOutcome::Done { output: "x".to_owned() };
    for event in [
        Event::StepStarted { step: 1, task: 0, attempt: 1, action: Action::Model {} },
        Event::TaskEnded { task: 0, outcome },
    ] {
        assert!(matches!(stage.try_tell(event), Err(IllegalEvent::Unfit { .. })));
    }
    stage.tell(Event::Paused { by: "me".to_owned() });
    stage.tell(answer(true));
    assert_eq!((stage.status(), stage.under_way()), (Status::Paused, vec![]));
    stage.tell(Event::Resumed { by: "me".to_owned(), repeat: false });
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!(stage.under_way(), [1]);
}

#[test]
fn the_next_try_is_told_which_calls_were_made() {
    let mut stage = alone("ada", &[("ada", policy(2, None, false))]);
    stage.want(0, &[OPEN]);
    stage.want(1, &[("a", "files__delete", r#"{"n": 1}"#), ("b", "nothing", "{}")]);
    stage.output(2, &json!("gone"));
    stage.fail(3, "MODEL_FAILED", false);
    let told = input(&stage, 0);
    assert!(told.starts_with("Do it.\n\nThis was tried before"), "{told}");
    let calls: Value = serde_json::from_str(&told[told.find('[').expect("a list")..]).expect("JSON");
    let made = json!([{ "tool": "files__delete", "arguments": r#"{"n": 1}"#, "outcome": "\"gone\"" }]);
    assert_eq!(calls, made, "what was not made is not told of");
    begin(&mut stage, 0);
    stage.want(4, &[OPEN]);
    stage.want(5, &[("a", "files__read", r#"{"n": 2}"#)]);
    stage.output(6, &Value::from("x".repeat(1000)));
    stage.fail(7, "MODEL_FAILED", false);
    let told = input(&stage, 0);
    let calls: Value = serde_json::from_str(&told[told.find('[').expect("a list")..]).expect("JSON");
    assert_eq!((&calls[0], &calls[1]["tool"]), (&made[0], &json!("files__read")), "each try adds its own");
    assert!(calls[1]["outcome"].as_str().expect("a text").chars().count() <= 201, "{calls}");
}

#[test]
fn who_chooses_an_agent_may_fail_too() {
    let router = Strategy::Router { agents: vec!["ada".to_owned(), "bob".to_owned()], by: "ada".to_owned() };
    let mut stage = Stage::of(router, budget(), with(&[("ada", policy(0, Some("bob"), false))]));
    stage.say(0, "I can't choose.");
    assert_eq!(stage.run.tasks[0].opening.agent, "bob");
    stage.want(1, &[("c", CHOOSE_AGENT, r#"{"agent": "ada"}"#)]);
    assert_eq!(stage.run.tasks[1].opening.agent, "ada");
}

#[test]
fn what_no_try_mends_has_failed() {
    let all = [("bob", policy(3, Some("ada"), true))];
    let mut spent = Stage::of(single("bob"), Budget { steps: 1, ..budget() }, with(&all));
    spent.fail(0, "MODEL_FAILED", false);
    assert_eq!((spent.failure().0.as_str(), count(&spent, "task.escalated")), ("MODEL_FAILED", 0));
    let mut late = Stage::of(single("bob"), Budget { steps: 2, ..budget() }, with(&all));
    late.fail(0, "MODEL_FAILED", false);
    begin(&mut late, 0);
    late.fail(1, "MODEL_FAILED", false);
    assert_eq!((late.status(), count(&late, "task.escalated")), (Status::Failed, 1), "the budget ends it");
}

#[test]
fn an_agent_that_has_used_up_its_own_limits_is_not_retried_whatever_it_failed_of() {
    let mut team = with(&[("bob", policy(3, None, false))]);
    team.members.get_mut("bob").expect("bob").limits = TaskLimits { tokens: Some(10), ..TaskLimits::default() };
    let mut stage = Stage::of(single("bob"), budget(), team);
    stage.answer(0, "Half of", &[], Finish::Length);
    assert_eq!((stage.failure().0.as_str(), count(&stage, "task.escalated")), ("MODEL_LENGTH", 0));
}

#[test]
fn a_persons_no_leaves_nothing_to_agents_until_a_person_wants_it_tried_again() {
    for ask in [false, true] {
        let mut stage = alone("ada", &[("ada", policy(3, Some("bob"), ask))]);
        stage.want(0, &[OPEN]);
        stage.want(1, &[("a", "files__delete", "{}")]);
        stage.tell(Event::ApprovalRequested { step: 2, approval: "q".to_owned() });
        stage.tell(Event::ApprovalAnswered { step: 2, approved: false, reason: None });
        stage.go();
        stage.fail(3, "MODEL_FAILED", false);
        assert_eq!(count(&stage, "task.escalated"), usize::from(ask), "only a person may be asked");
        assert_eq!(stage.status(), if ask { Status::WaitingApproval } else { Status::Failed });
        if ask {
            stage.tell(answer(true));
        } else {
            stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
            stage.tell(Event::Started {});
        }
        stage.go();
        assert_eq!((stage.under_way(), stage.run.tasks[0].opening.agent.as_str()), (vec![4], "ada"));
        stage.fail(4, "MODEL_FAILED", false);
        assert_eq!(stage.run.resting().count(), 1, "it is ada's to try again");
    }
}

#[test]
fn a_handoff_that_a_person_did_not_want_is_a_no_to_the_giver() {
    let (agents, first) = (vec!["ada".to_owned(), "bob".to_owned()], "bob".to_owned());
    let strategy = Strategy::Handoff { agents, first, max_depth: 1 };
    let mut stage = Stage::of(strategy, budget(), with(&[("bob", policy(1, Some("ada"), false))]));
    stage.want(0, &[("h", HANDOFF, r#"{"to": "ada"}"#)]);
    stage.tell(Event::HandoffRejected { handoff: 0, by: "me".to_owned(), reason: None });
    stage.go();
    stage.fail(1, "MODEL_FAILED", false);
    assert_eq!((stage.status(), count(&stage, "task.escalated")), (Status::Failed, 0));
}

#[test]
fn a_try_waits_while_what_is_under_way_may_take_the_rest() {
    let map = Strategy::ParallelMap {
        agent: "bob".to_owned(),
        items: vec!["a".to_owned(), "b".to_owned()],
        reduce: None,
        on_failure: OnFailure::Collect,
        at_once: 2,
    };
    let mut stage = Stage::of(map, Budget { steps: 2, ..budget() }, with(&[("bob", policy(1, None, false))]));
    stage.fail(0, "MODEL_FAILED", false);
    assert_eq!((stage.under_way(), stage.run.resting().collect::<Vec<_>>()), (vec![1], vec![0]));
    assert!(stage.run.is_held());
    assert_eq!(stage.run.begin_try(0), None, "one step is left, and one is under way");
    stage.say(1, "B");
    assert!(!stage.run.is_held());
    let end = stage.run.begin_try(0);
    assert!(matches!(&end, Some(Event::Failed { code, .. }) if code == "BUDGET_EXHAUSTED"), "{end:?}");
}

#[test]
fn calls_that_may_not_be_made_again_are_told_before_others() {
    let mut stage = alone("ada", &[("ada", policy(1, None, false))]);
    stage.want(0, &[OPEN]);
    stage.want(1, &[("d", "files__delete", "{}")]);
    stage.output(2, &json!("gone"));
    let ids: Vec<String> = (0..64).map(|number| format!("r{number}")).collect();
    let reads: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "files__read", "{}")).collect();
    stage.want(3, &reads);
    for step in 4..68 {
        stage.output(step, &json!(step));
    }
    stage.fail(68, "MODEL_FAILED", false);
    let told = input(&stage, 0);
    assert!(told.contains("(1 earlier ones are left out)"), "{told}");
    let calls: Value = serde_json::from_str(&told[told.find('[').expect("a list")..]).expect("JSON");
    assert_eq!(calls.as_array().map(Vec::len), Some(64));
    assert_eq!((&calls[0]["tool"], &calls[1]["outcome"]), (&json!("files__delete"), &json!("5")));
}

#[test]
fn a_refused_call_is_not_told_of_because_another_one_has_its_id() {
    let mut stage = alone("ada", &[("ada", policy(1, None, false))]);
    stage.want(0, &[OPEN]);
    stage.want(1, &[("a", "files__delete", r#"{"n": 1}"#), ("a", "nothing", "{}")]);
    stage.output(2, &json!("gone"));
    stage.fail(3, "MODEL_FAILED", false);
    let told = input(&stage, 0);
    assert!(told.contains("files__delete") && !told.contains("nothing"), "{told}");
}

#[test]
fn a_workflow_is_not_begun_anew() {
    let mut team = with(&[("ada", policy(3, None, true))]);
    let ada: Member = team.members.remove("ada").expect("ada");
    let team = Team { members: BTreeMap::from([("demo/flow".to_owned(), ada)]) };
    let flow = Strategy::Workflow { skill: "demo/flow".parse().expect("a selector") };
    let mut stage = Stage::of(flow, budget(), team);
    stage.fail(0, "guest-trapped", false);
    assert_eq!((stage.status(), count(&stage, "task.escalated")), (Status::Failed, 0));
}

#[test]
fn a_stop_of_the_host_ends_no_wait_and_no_question() {
    let policies = [("bob", policy(1, None, true))];
    let mut stage = alone("bob", &policies);
    stage.fail(0, "MODEL_FAILED", false);
    stage.tell(Event::Recovered {});
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!((stage.under_way(), stage.run.resting().count()), (vec![], 1));
    begin(&mut stage, 0);
    stage.fail(1, "MODEL_FAILED", false);
    stage.tell(Event::Recovered {});
    assert_eq!((stage.status(), stage.run.asked_tasks().count()), (Status::WaitingApproval, 1));
    let text: Vec<String> = stage.log.iter().map(|it| serde_json::to_string(it).expect("writable")).collect();
    let read: Vec<Record> = text.iter().map(|it| serde_json::from_str(it).expect("readable")).collect();
    let mut again = Run::begin(&read[0], Arc::new(with(&policies))).expect("a run");
    for record in &read[1..] {
        again.apply(record).expect("it could follow before");
    }
    assert_eq!(again, stage.run);
}

#[test]
fn a_failed_run_that_is_retried_waits_for_no_time_and_nobody() {
    for ask in [true, false] {
        let mut stage = alone("bob", &[("bob", policy(u32::from(!ask), None, ask))]);
        stage.fail(0, "MODEL_FAILED", false);
        let (code, message) = ("TIMEOUT".to_owned(), "too late".to_owned());
        stage.tell(Event::Failed { code, message, partial: Value::Null });
        stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
        assert_eq!(stage.run.tasks[0].tries.state, TryState::UnderWay);
        stage.tell(Event::Started {});
        stage.go();
        assert_eq!((stage.status(), stage.under_way()), (Status::Running, vec![1]));
    }
}

#[test]
fn agents_of_before_have_no_policy() {
    let members = serde_json::to_value(team()).expect("JSON");
    assert!(
        members["members"]["bob"].get("on_failure").is_none()
            && members["members"]["bob"].get("output_schema").is_none()
    );
    assert_eq!(serde_json::from_value::<Team>(members).expect("a team"), team());
    let team = with(&[("bob", policy(1, Some("ada"), true))]);
    let kept = serde_json::to_value(&team).expect("JSON");
    assert_eq!(kept["members"]["bob"]["on_failure"], json!({ "retries": 1, "fallback": "ada", "ask": true }));
    assert_eq!(serde_json::from_value::<Team>(kept).expect("a team"), team);
}
