//! Work that agents give to others.

use serde_json::{Value, json};

use super::stage::{Stage, budget, team};
use crate::model::Message;
use crate::run::{Event, HANDOFF, InvalidSpec, Status, Strategy, USE_SKILL, prompt};

fn between(first: &str, max_depth: u32) -> Strategy {
    Strategy::Handoff { agents: vec!["ada".to_owned(), "bob".to_owned()], first: first.to_owned(), max_depth }
}

const TO_BOB: (&str, &str, &str) = ("h", HANDOFF, r#"{"to": "bob", "reason": "he talks"}"#);
const TO_ADA: (&str, &str, &str) = ("h", HANDOFF, r#"{"to": "ada"}"#);

fn kinds(stage: &Stage) -> Vec<&'static str> {
    let of_handoff = |name: &&str| name.starts_with("handoff");
    stage.log.iter().map(|record| record.event.kind().name()).filter(of_handoff).collect()
}

#[test]
fn who_has_no_more_takes_over_at_once_and_its_output_is_the_runs() {
    let mut stage = Stage::new(between("ada", 2));
    let asked = prompt(&stage.run, 0).expect("a prompt");
    let Message::System { text } = &asked.messages[0] else { panic!("instructions come first") };
    assert!(text.contains("- bob: Talks.") && !text.contains("- ada:"), "{text}");
    stage.want(0, &[TO_BOB]);
    assert_eq!(stage.run.tasks[1].opening.agent, "bob");
    let context: Value = serde_json::from_str(&stage.run.tasks[1].opening.input).expect("JSON");
    assert_eq!(
        (&context["from"], &context["reason"], &context["request"]),
        (&json!("ada"), &json!("he talks"), &json!("Do it."))
    );
    assert_eq!(context["conversation"][0]["text"], "Do it.", "all that was said goes along");
    stage.say(1, "Done.");
    assert_eq!(stage.completed(), json!("Done."));
    assert_eq!(kinds(&stage), ["handoff.initiated", "handoff.accepted", "handoff.completed"]);
}

#[test]
fn who_may_call_more_takes_over_when_a_person_agrees() {
    let mut stage = Stage::new(between("bob", 2));
    stage.want(0, &[TO_ADA]);
    assert_eq!((stage.status(), stage.run.tasks.len()), (Status::WaitingApproval, 1));
    assert_eq!(stage.run.asked_handoffs().map(|(number, _)| number).collect::<Vec<_>>(), [0]);
    stage.tell(Event::HandoffAccepted { handoff: 0, by: Some("me".to_owned()) });
    stage.go();
    assert_eq!((stage.status(), stage.run.tasks[1].opening.agent.as_str()), (Status::Running, "ada"));
    assert!(stage.try_tell(Event::HandoffRejected { handoff: 0, by: "me".to_owned(), reason: None }).is_err());
    stage.say(1, "Done.");
    assert_eq!(stage.completed(), json!("Done."));
}

#[test]
fn a_person_agrees_where_only_who_stands_in_for_the_receiver_may_call_more() {
    let mut team = team();
    let mut cid = team.members["bob"].clone();
    cid.on_failure.fallback = Some("dan".to_owned());
    let mut dan = cid.clone();
    dan.on_failure.fallback = Some("ada".to_owned());
    team.members.get_mut("ada").expect("ada").on_failure.fallback = Some("cid".to_owned());
    team.members.extend([("cid".to_owned(), cid), ("dan".to_owned(), dan)]);
    assert_eq!(team.line_of("cid").len(), 3, "each once");
    for (to, status) in [("cid", Status::WaitingApproval), ("bob", Status::Running)] {
        let agents = ["bob", "cid", "eve"].map(str::to_owned).to_vec();
        let mut team = team.clone();
        let eve = team.members["bob"].clone();
        team.members.insert("eve".to_owned(), eve);
        let strategy = Strategy::Handoff { agents, first: "eve".to_owned(), max_depth: 1 };
        let mut stage = Stage::of(strategy, budget(), team);
        let arguments = json!({ "to": to }).to_string();
        stage.want(0, &[("h", HANDOFF, arguments.as_str())]);
        assert_eq!(stage.status(), status, "{to}");
    }
}

#[test]
fn two_that_begin_at_once_have_a_number_each() {
    let hand = json!({ "kind": "handoff", "agents": ["ada", "bob"], "first": "ada", "max_depth": 1 });
    let nodes = json!([{ "id": "a", "run": hand }, { "id": "b", "run": hand }]);
    let graph = json!({ "kind": "graph", "graph": { "nodes": nodes } });
    let mut stage = Stage::new(serde_json::from_value(graph).expect("a strategy"));
    assert_eq!(stage.under_way(), [0, 1]);
    for step in 0..2 {
        stage.answer_alone(step, HANDOFF, &json!({ "to": "bob" }));
    }
    stage.go();
    assert_eq!(stage.run.handoffs.iter().map(|handoff| handoff.from).collect::<Vec<_>>(), [0, 1]);
    stage.say(2, "A");
    stage.say(3, "B");
    assert_eq!(stage.completed(), json!({ "a": "A", "b": "B" }));
}

#[test]
fn a_person_may_not_want_it_and_the_giver_goes_on() {
    let mut stage = Stage::new(between("bob", 2));
    stage.want(0, &[TO_ADA]);
    let reason = Some("not with files".to_owned());
    stage.tell(Event::HandoffRejected { handoff: 0, by: "me".to_owned(), reason });
    stage.go();
    assert_eq!(stage.told(0), ["error: HANDOFF_REJECTED: a person did not want it: not with files"]);
    stage.say(1, "Then I do.");
    assert_eq!(stage.completed(), json!("Then I do."));
}

#[test]
fn a_receiver_that_fails_gives_the_work_back() {
    let mut stage = Stage::new(between("ada", 2));
    stage.want(0, &[TO_BOB]);
    stage.fail(1, "MODEL_FAILED", false);
    assert!(stage.told(0)[0].starts_with("error: HANDOFF_FAILED: `bob` failed: MODEL_FAILED"), "{:?}", stage.told(0));
    stage.say(2, "Then I do.");
    assert_eq!(stage.completed(), json!("Then I do."));
    assert_eq!(kinds(&stage).last(), Some(&"handoff.rolled_back"));
}

#[test]
fn work_is_given_on_as_deep_as_may_be() {
    let mut stage = Stage::new(between("ada", 1));
    stage.want(0, &[TO_BOB]);
    assert!(stage.tools(1).is_empty(), "bob may not give it on");
    stage.want(1, &[TO_ADA]);
    assert!(stage.told(1)[0].contains("as often as may be"), "{:?}", stage.told(1));
    stage.say(2, "Done.");
    assert_eq!(stage.completed(), json!("Done."));
    let mut deep = Stage::new(between("ada", 2));
    deep.want(0, &[TO_BOB]);
    deep.want(1, &[TO_ADA]);
    deep.tell(Event::HandoffAccepted { handoff: 1, by: Some("me".to_owned()) });
    deep.go();
    deep.say(2, "Done.");
    assert_eq!(deep.completed(), json!("Done."));
    let ended = deep.log.iter().filter(|record| record.event.kind().name() == "task.ended").count();
    assert_eq!(ended, 3, "with the last one, all that gave it are done");
}

#[test]
fn who_may_not_delegate_keeps_the_work() {
    let mut team = team();
    team.members.get_mut("ada").expect("ada").can_delegate = false;
    let mut stage = Stage::of(between("ada", 2), budget(), team);
    let asked = prompt(&stage.run, 0).expect("a prompt");
    let Message::System { text } = &asked.messages[0] else { panic!("instructions come first") };
    assert!(!text.contains("- bob:"), "{text}");
    assert_eq!(stage.tools(0), [USE_SKILL], "nobody is there to give it to");
    stage.want(0, &[TO_BOB]);
    assert_eq!(stage.told(0), [format!("error: there is no tool `{HANDOFF}`")]);
    assert!(stage.run.handoffs.is_empty());
    stage.say(1, "Done.");
    assert_eq!(stage.completed(), json!("Done."));
}

#[test]
fn what_makes_no_sense_is_told() {
    let mut stage = Stage::new(between("ada", 2));
    stage.want(0, &[("h", HANDOFF, r#"{"to": "ada"}"#)]);
    assert_eq!(stage.told(0)[0], "error: `to` must be one of `bob`");
    stage.want(1, &[TO_BOB, ("x", "files__read", "{}")]);
    assert!(stage.told(0)[1].contains("when nothing else is asked for"), "{:?}", stage.told(0));
    let team = team();
    assert_eq!(between("eve", 2).check(&team), Err(InvalidSpec::FirstIsNone("eve".to_owned())));
    assert_eq!(between("ada", 0).check(&team), Err(InvalidSpec::Depth(0)));
    assert_eq!(between("ada", 17).check(&team), Err(InvalidSpec::Depth(17)));
}
