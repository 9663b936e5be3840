//! One agent: its turns, its calls, and how it fails.

use serde_json::{Value, json};

use super::stage::{Stage, budget, single, team};
use crate::model::{Finish, Message};
use crate::run::{Disclosure, Event, MAX_BAD_CALLS, MAX_CALLS, Status, USE_SKILL, prompt};

const OPEN: (&str, &str, &str) = ("c0", USE_SKILL, r#"{"skill": "demo/files"}"#);

/// `ada` after she chose her skill; step 1 is her model's next turn.
fn with_skill() -> Stage {
    let mut stage = Stage::new(single("ada"));
    stage.want(0, &[OPEN]);
    stage
}

#[test]
fn what_the_model_says_last_is_the_output() {
    let mut stage = Stage::new(single("bob"));
    assert_eq!((stage.status(), stage.under_way()), (Status::Running, vec![0]));
    stage.say(0, "Done.");
    assert_eq!((stage.status(), stage.completed()), (Status::Completed, Value::from("Done.")));
    assert_eq!((stage.run.spend.steps, stage.run.spend.tokens()), (1, 10));
}

#[test]
fn skills_are_names_until_the_model_chooses_one() {
    let mut stage = Stage::new(single("ada"));
    let asked = prompt(&stage.run, 0).expect("a prompt");
    let Message::System { text } = &asked.messages[0] else { panic!("instructions come first") };
    assert!(text.starts_with("You do things.") && text.contains("demo/files: Files. (about 3 tokens)"), "{text}");
    assert!(!text.contains("Read first."), "instructions come when they are asked for");
    assert_eq!(stage.tools(0), [USE_SKILL]);
    stage.want(0, &[OPEN]);
    let told: Value = serde_json::from_str(&stage.told(0)[0]).expect("JSON");
    assert_eq!((&told["instructions"], &told["instruction_tokens"]), (&json!("Read first."), &json!(3)));
    assert_eq!(stage.tools(0), ["files__read", "files__delete"]);
    assert_eq!(stage.under_way(), [1]);
}

#[test]
fn an_agent_may_be_told_everything_at_once() {
    let mut team = team();
    team.members.get_mut("ada").expect("ada").disclosure = Disclosure::All;
    let mut stage = Stage::of(single("ada"), budget(), team);
    let asked = prompt(&stage.run, 0).expect("a prompt");
    let Message::System { text } = &asked.messages[0] else { panic!("instructions come first") };
    assert!(
        text.starts_with("You do things.") && text.contains("demo/files") && text.ends_with("Read first."),
        "{text}"
    );
    assert_eq!(stage.tools(0), ["files__read", "files__delete"], "there is nothing to choose");
    stage.want(0, &[("a", "files__read", "{}")]);
    assert_eq!(stage.under_way(), [1]);
}

#[test]
fn calls_go_on_side_by_side_and_are_told_in_their_order() {
    let mut stage = with_skill();
    stage.want(1, &[("a", "files__read", r#"{"n": 1}"#), ("b", "files__read", r#"{"n": 2}"#)]);
    assert_eq!(stage.under_way(), [2, 3]);
    stage.output(3, &json!("second"));
    assert_eq!(stage.under_way(), [2], "the model waits for both");
    stage.output(2, &json!("first"));
    assert_eq!(stage.told(0)[1..], ["\"first\"", "\"second\""]);
    assert_eq!(stage.under_way(), [4]);
    stage.say(4, "Done.");
    assert_eq!(stage.status(), Status::Completed);
    assert_eq!((stage.run.spend.fuel, stage.run.spend.host_calls, stage.run.spend.steps), (20, 4, 5));
}

#[test]
fn two_calls_of_one_id_are_two_calls() {
    let mut stage = with_skill();
    stage.want(1, &[("a", "files__read", r#"{"n": 1}"#), ("a", "files__read", r#"{"n": 2}"#)]);
    assert_eq!(stage.under_way(), [2, 3]);
    stage.output(2, &json!(1));
    stage.output(3, &json!(2));
    assert_eq!(stage.told(0)[1..], ["1", "2"]);
}

#[test]
fn what_a_model_can_not_have_is_told_to_it_and_not_for_ever() {
    let cases = [
        ("nothing", "{}", "there is no tool `nothing`"),
        ("files__read", "{}", "call `use_skill` with the skill `demo/files` first"),
        (USE_SKILL, r#"{"skill": "demo/other"}"#, "no such skill; there are `demo/files`"),
        (USE_SKILL, "[]", "must be a JSON object"),
        (USE_SKILL, "{", "not JSON"),
    ];
    let mut stage = Stage::new(single("ada"));
    for (turn, (name, arguments, said)) in cases.iter().enumerate() {
        stage.want(u32::try_from(turn).expect("few"), &[("c", name, arguments)]);
        assert!(stage.told(0)[turn].contains(said), "{}", stage.told(0)[turn]);
    }
    assert_eq!(cases.len(), MAX_BAD_CALLS as usize);
    assert_eq!((stage.status(), stage.failure().0.as_str()), (Status::Failed, "MAX_RETRIES"));
}

#[test]
fn arguments_that_do_not_fit_count_and_a_good_call_forgives_them() {
    let mut stage = with_skill();
    let mut step = 1;
    for round in 0..2 * MAX_BAD_CALLS {
        if stage.status() == Status::Failed {
            assert_eq!(round, 3 + MAX_BAD_CALLS, "two bad calls, a good one, and so many bad ones as may be");
            return;
        }
        stage.want(step, &[("c", "files__read", "{}")]);
        if round == 2 {
            stage.output(step + 1, &json!(1));
        } else {
            stage.fail(step + 1, "INVALID_ARGUMENTS", false);
        }
        step += 2;
    }
    panic!("it goes on for ever, or ended otherwise: {:?}", stage.status());
}

#[test]
fn a_failure_of_a_skill_is_told_to_the_model() {
    let mut stage = with_skill();
    stage.want(1, &[("a", "files__read", "{}")]);
    stage.fail(2, "denied", false);
    assert_eq!(stage.told(0)[1], "error: denied: it went wrong");
    assert_eq!(stage.under_way(), [3]);
}

#[test]
fn what_may_pass_is_tried_again_and_not_for_ever() {
    let mut stage = with_skill();
    stage.want(1, &[("a", "files__read", "{}")]);
    for attempt in 1..=4 {
        assert_eq!(stage.under_way(), [2]);
        stage.fail(2, "busy", true);
        if attempt < 4 {
            assert_eq!((stage.under_way(), stage.run.backing_off().collect::<Vec<_>>()), (vec![], vec![2]));
            let action = stage.run.steps[2].action.clone();
            stage.tell(Event::StepStarted { step: 2, task: 0, attempt: attempt + 1, action });
        }
    }
    assert!(stage.told(0)[1].starts_with("error: MAX_RETRIES: 4 tries failed"), "{}", stage.told(0)[1]);
    assert_eq!(stage.under_way(), [3]);
}

#[test]
fn a_model_that_does_not_answer_fails_the_run_and_it_can_be_tried_again() {
    let mut stage = Stage::new(single("bob"));
    stage.fail(0, "MODEL_UNREACHABLE", false);
    assert_eq!((stage.status(), stage.failure().0.as_str()), (Status::Failed, "MODEL_UNREACHABLE"));
    stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
    assert_eq!(stage.status(), Status::Queued);
    stage.tell(Event::Started {});
    stage.go();
    assert_eq!(stage.under_way(), [1]);
    stage.say(1, "Done.");
    assert_eq!(stage.status(), Status::Completed);
}

#[test]
fn an_answer_that_is_cut_or_refused_is_none() {
    for (finish, code) in [(Finish::Length, "MODEL_LENGTH"), (Finish::Refusal, "MODEL_REFUSAL")] {
        let mut stage = Stage::new(single("bob"));
        stage.answer(0, "Half of", &[], finish);
        assert_eq!(stage.failure().0, code);
        stage.tell(Event::Retried { by: "me".to_owned(), budget: None });
        stage.tell(Event::Started {});
        stage.go();
        let asked = prompt(&stage.run, 0).expect("a prompt").messages;
        assert!(matches!(asked.last(), Some(Message::User { .. })), "what was cut is not said again: {asked:?}");
    }
}

#[test]
fn a_flood_of_calls_is_no_answer() {
    let mut stage = with_skill();
    let flood = vec![("a", "files__read", "{}"); MAX_CALLS + 1];
    stage.want(1, &flood);
    assert_eq!(stage.failure().0, "MODEL_NONSENSE");
}

#[test]
fn a_model_that_never_ends_is_ended() {
    let mut stage = with_skill();
    let mut step = 1;
    while stage.status() == Status::Running {
        stage.want(step, &[("a", "files__read", "{}")]);
        if stage.status() == Status::Running {
            stage.output(step + 1, &json!(1));
        }
        step += 2;
    }
    assert_eq!((stage.failure().0.as_str(), stage.run.tasks[0].turns), ("MAX_STEPS", 20));
}

#[test]
fn a_long_output_is_cut_for_the_model() {
    let mut stage = with_skill();
    stage.want(1, &[("a", "files__read", "{}")]);
    stage.output(2, &Value::from("ä".repeat(100_000)));
    let told = &stage.told(0)[1];
    assert!(told.len() < 70_000 && told.ends_with("of 200002 bytes)"), "{}", &told[told.len() - 60..]);
}
