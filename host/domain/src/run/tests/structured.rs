//! Answers that fit a schema.

use serde_json::{Value, json};

use super::stage::{Stage, budget, single, team};
use crate::model::Message;
use crate::run::{
    Event, FailurePolicy, HANDOFF, IllegalEvent, MAX_BAD_ANSWERS, OnFailure, Status, Strategy, Team, USE_SKILL, prompt,
};

const OPEN: (&str, &str, &str) = ("c", USE_SKILL, r#"{"skill": "demo/files"}"#);

fn schema() -> Value {
    json!({ "type": "object", "properties": { "sum": { "type": "integer" } }, "required": ["sum"] })
}

/// The team in which `agent` answers by the schema.
fn summing(agent: &str) -> Team {
    let mut team = team();
    team.members.get_mut(agent).expect("an agent").output_schema = Some(schema());
    team
}

fn alone(agent: &str) -> Stage {
    Stage::of(single(agent), budget(), summing(agent))
}

fn refusals(stage: &Stage) -> Vec<String> {
    let text = |event: &Event| match event {
        Event::AnswerRefused { text, .. } => Some(text.clone()),
        _ => None,
    };
    stage.log.iter().filter_map(|record| text(&record.event)).collect()
}

#[test]
fn the_model_is_told_the_schema_and_its_answer_is_json() {
    for said in [r#"{"sum": 3}"#, " {\"sum\": 3}\n", "```json\n{\"sum\": 3}\n```", "```\n{\"sum\": 3}\n```\n"] {
        let mut stage = alone("bob");
        let asked = prompt(&stage.run, 0).expect("a prompt");
        let Message::System { text } = &asked.messages[0] else { panic!("instructions come first") };
        assert!(text.starts_with("You do things.") && text.ends_with(&schema().to_string()), "{text}");
        assert_eq!(asked.output_schema, Some(schema()));
        stage.say(0, said);
        assert_eq!(stage.completed(), json!({ "sum": 3 }), "{said}");
    }
}

#[test]
fn who_has_no_schema_answers_text() {
    let mut stage = Stage::new(single("bob"));
    assert_eq!(prompt(&stage.run, 0).expect("a prompt").output_schema, None);
    stage.say(0, r#"{"sum": 3}"#);
    assert_eq!(stage.completed(), json!(r#"{"sum": 3}"#));
}

#[test]
fn what_does_not_fit_is_told_with_its_place_and_asked_again() {
    let mut stage = alone("bob");
    stage.say(0, "three");
    stage.say(1, r#"{"sum": "three"}"#);
    stage.say(2, "{}");
    let told = refusals(&stage);
    for (told, said) in told.iter().zip(["it is not JSON", "/sum: ", "(root): "]) {
        assert!(told.starts_with("Your answer does not fit the JSON Schema: ") && told.contains(said), "{told}");
    }
    let last = prompt(&stage.run, 0).expect("a prompt").messages.pop();
    assert_eq!(last, Some(Message::User { text: told[2].clone() }));
    stage.say(3, r#"{"sum": 3}"#);
    assert_eq!((told.len(), stage.completed()), (3, json!({ "sum": 3 })));
}

#[test]
fn a_model_that_never_fits_has_failed() {
    let mut stage = alone("bob");
    for step in 0..=MAX_BAD_ANSWERS {
        assert_eq!(stage.under_way(), [step]);
        stage.say(step, "three");
    }
    let (code, message) = stage.failure();
    assert_eq!((stage.status(), code.as_str(), refusals(&stage).len()), (Status::Failed, "MODEL_UNFIT", 3));
    assert!(message.contains("it is not JSON"), "{message}");
    stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
    stage.tell(Event::Started {});
    stage.go();
    stage.say(4, r#"{"sum": 3}"#);
    assert_eq!(stage.completed(), json!({ "sum": 3 }));
}

#[test]
fn a_call_between_two_answers_forgives_the_first() {
    let mut stage = alone("ada");
    for round in 0..2 {
        for turn in 0..MAX_BAD_ANSWERS {
            stage.say(round * (MAX_BAD_ANSWERS + 1) + turn, "three");
        }
        stage.want(round * (MAX_BAD_ANSWERS + 1) + MAX_BAD_ANSWERS, &[OPEN]);
        assert_eq!(stage.status(), Status::Running);
    }
    assert_eq!(refusals(&stage).len(), 6);
}

#[test]
fn what_never_fits_goes_to_the_agent_that_is_there_for_it() {
    let mut team = summing("bob");
    let fallback = Some("ada".to_owned());
    team.members.get_mut("bob").expect("bob").on_failure = FailurePolicy { fallback, ..FailurePolicy::default() };
    let mut stage = Stage::of(single("bob"), budget(), team);
    for step in 0..=MAX_BAD_ANSWERS {
        stage.say(step, "three");
    }
    assert_eq!((stage.run.tasks[0].opening.agent.as_str(), stage.run.tasks[0].bad_answers), ("ada", 0));
    stage.say(4, "three");
    assert_eq!(stage.completed(), json!("three"), "ada has no schema");
}

#[test]
fn branches_and_their_sum_are_text_and_json() {
    let map = Strategy::ParallelMap {
        agent: "ada".to_owned(),
        items: vec!["a".to_owned()],
        reduce: Some("bob".to_owned()),
        on_failure: OnFailure::FailFast,
        at_once: 1,
    };
    let mut team = summing("ada");
    team.members.get_mut("bob").expect("bob").output_schema = Some(schema());
    let mut stage = Stage::of(map, budget(), team);
    stage.say(0, "```json\n{\"sum\": 1}\n```");
    assert!(stage.run.tasks[1].opening.input.contains(r#""output": "{\"sum\": 1}""#), "{:?}", stage.run.tasks[1]);
    stage.say(1, "one");
    assert_eq!(refusals(&stage).len(), 1, "who makes one answer of all has a schema too");
    stage.say(2, r#"{"sum": 1}"#);
    assert_eq!(stage.completed(), json!({ "sum": 1 }));
}

#[test]
fn a_schema_that_judges_nothing_fails_the_task_at_once() {
    let mut team = summing("bob");
    team.members.get_mut("bob").expect("bob").output_schema = Some(json!({ "type": "strnig" }));
    let mut stage = Stage::of(single("bob"), budget(), team);
    stage.say(0, "{}");
    let (code, message) = stage.failure();
    assert!(code == "MODEL_UNFIT" && message.starts_with("the agent's schema for answers can't be used"), "{message}");
}

#[test]
fn only_an_answer_that_is_there_can_be_refused() {
    let mut stage = alone("bob");
    let refused = Event::AnswerRefused { task: 0, text: "no".to_owned() };
    assert!(matches!(stage.try_tell(refused), Err(IllegalEvent::Unfit { .. })), "the model is still asked");
}

#[test]
fn an_answer_too_large_to_be_judged_is_asked_for_again() {
    let mut stage = alone("bob");
    stage.say(0, &format!(r#"{{"sum": 3, "more": "{}"}}"#, "x".repeat(256 << 10)));
    assert!(refusals(&stage)[0].contains("bytes; it may have 262144"), "{:?}", refusals(&stage)[0].get(..200));
    stage.say(1, r#"{"sum": 3}"#);
    assert_eq!(stage.completed(), json!({ "sum": 3 }));
}

/// The output is the receiver's answer, and is what the receiver's schema makes it.
#[test]
fn who_received_the_work_says_whether_its_answer_is_json() {
    for (summing_agent, expected) in [("bob", json!({ "sum": 3 })), ("ada", json!(r#"{"sum": 3}"#))] {
        let strategy = Strategy::Handoff {
            agents: vec!["ada".to_owned(), "bob".to_owned()],
            first: "ada".to_owned(),
            max_depth: 2,
        };
        let mut stage = Stage::of(strategy, budget(), summing(summing_agent));
        stage.want(0, &[("c", HANDOFF, r#"{"to": "bob"}"#)]);
        stage.say(1, r#"{"sum": 3}"#);
        assert_eq!(stage.completed(), expected, "{summing_agent}");
    }
}
