//! Strategies of more than one task.

use serde_json::{Value, json};

use super::stage::{Stage, team};
use crate::model::Message;
use crate::run::{CHOOSE_AGENT, InvalidSpec, MAX_BAD_CALLS, MAX_TASKS, OnFailure, Role, Status, Strategy, prompt};

fn map(items: &[&str], reduce: Option<&str>, on_failure: OnFailure, at_once: u32) -> Strategy {
    Strategy::ParallelMap {
        agent: "bob".to_owned(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        reduce: reduce.map(str::to_owned),
        on_failure,
        at_once,
    }
}

fn router(agents: &[&str]) -> Strategy {
    Strategy::Router { agents: agents.iter().map(|agent| (*agent).to_owned()).collect(), by: "bob".to_owned() }
}

#[test]
fn items_go_on_side_by_side_and_no_more_than_may() {
    let mut stage = Stage::new(map(&["a", "b", "c"], None, OnFailure::FailFast, 2));
    assert_eq!(stage.under_way(), [0, 1]);
    assert_eq!(stage.run.tasks[1].opening.input, "Do it.\n\nb");
    stage.say(1, "B");
    assert_eq!(stage.under_way(), [0, 2], "the next one takes the place");
    stage.say(2, "C");
    stage.say(0, "A");
    assert_eq!(
        stage.completed(),
        json!([{ "item": "a", "output": "A" }, { "item": "b", "output": "B" }, { "item": "c", "output": "C" }])
    );
}

#[test]
fn one_answer_is_made_of_all() {
    let mut stage = Stage::new(map(&["a", "b"], Some("ada"), OnFailure::FailFast, 9));
    stage.say(0, "A");
    stage.say(1, "B");
    let reduce = &stage.run.tasks[2].opening;
    assert_eq!((reduce.agent.as_str(), reduce.role), ("ada", Role::Reduce));
    assert!(reduce.input.contains(r#""output": "B""#), "{}", reduce.input);
    stage.say(2, "AB");
    assert_eq!(stage.completed(), json!("AB"));
}

#[test]
fn the_first_failure_ends_the_others() {
    let mut stage = Stage::new(map(&["a", "b", "c"], None, OnFailure::FailFast, 9));
    stage.say(0, "A");
    stage.fail(2, "MODEL_FAILED", false);
    assert_eq!((stage.status(), stage.failure().0.as_str()), (Status::Failed, "DEPENDENCY_FAILED"));
    assert!(stage.failure().1.starts_with("item 2 failed, and with it the others: MODEL_FAILED"));
    assert!(stage.under_way().is_empty());
    stage.tell(crate::run::Event::Retried { by: "me".to_owned(), budget: None });
    stage.tell(crate::run::Event::Started {});
    stage.go();
    assert_eq!(stage.under_way(), [1, 3], "what was under way and what failed, and not what is done");
}

#[test]
fn failures_are_collected_where_that_is_wanted() {
    let mut stage = Stage::new(map(&["a", "b"], None, OnFailure::Collect, 9));
    stage.fail(0, "MODEL_FAILED", false);
    assert_eq!(stage.status(), Status::Running);
    stage.say(1, "B");
    let output = stage.completed();
    assert_eq!((&output[0]["error"]["code"], &output[1]["output"]), (&json!("MODEL_FAILED"), &json!("B")));
}

#[test]
fn a_model_chooses_who_works() {
    let mut stage = Stage::new(router(&["ada", "bob"]));
    let asked = prompt(&stage.run, 0).expect("a prompt");
    assert!(asked.must_call);
    assert_eq!(asked.tools[0].input_schema["properties"]["agent"]["enum"], json!(["ada", "bob"]));
    let Message::System { text } = &asked.messages[0] else { panic!("instructions come first") };
    assert!(text.starts_with("You do things.") && text.ends_with("- ada: Works with files.\n- bob: Talks."), "{text}");
    stage.want(0, &[("c", CHOOSE_AGENT, r#"{"agent": "ada"}"#), ("d", CHOOSE_AGENT, r#"{"agent": "bob"}"#)]);
    assert_eq!(stage.run.tasks[1].opening.agent, "ada", "the first choice counts");
    stage.say(1, "Done.");
    assert_eq!(stage.completed(), Value::from("Done."));
}

#[test]
fn where_there_is_one_nobody_is_asked() {
    let mut stage = Stage::new(router(&["ada"]));
    assert_eq!((stage.run.tasks.len(), stage.run.tasks[0].opening.role), (1, Role::Work));
    stage.say(0, "Done.");
    assert_eq!(stage.status(), Status::Completed);
}

#[test]
fn a_model_that_chooses_nobody_has_failed() {
    let mut stage = Stage::new(router(&["ada", "bob"]));
    stage.say(0, "I would rather not.");
    assert_eq!(stage.failure().0, "MODEL_NONSENSE");
    let mut stage = Stage::new(router(&["ada", "bob"]));
    for step in 0..MAX_BAD_CALLS {
        stage.want(step, &[("c", CHOOSE_AGENT, r#"{"agent": "eve"}"#)]);
    }
    assert_eq!(stage.failure().0, "MAX_RETRIES");
}

#[test]
fn what_makes_no_sense_is_said_before_anything_begins() {
    let many: Vec<&str> = vec!["x"; MAX_TASKS];
    let twice =
        json!({ "kind": "graph", "graph": { "nodes": [{ "id": "a", "agent": "bob" }] }, "agents": ["ada", "ada"] });
    let cases = [
        (router(&["ada"; 65]), InvalidSpec::TooManyAgents(65)),
        (serde_json::from_value(twice).expect("a strategy"), InvalidSpec::Twice("ada".to_owned())),
        (router(&[]), InvalidSpec::Empty("agents")),
        (router(&["ada", "ada"]), InvalidSpec::Twice("ada".to_owned())),
        (router(&["eve"]), InvalidSpec::UnknownAgent("eve".to_owned())),
        (map(&[], None, OnFailure::Collect, 1), InvalidSpec::Empty("items")),
        (map(&["a"], None, OnFailure::Collect, 0), InvalidSpec::NothingAtOnce),
        (map(&["a"], Some("eve"), OnFailure::Collect, 1), InvalidSpec::UnknownAgent("eve".to_owned())),
        (map(&many, None, OnFailure::Collect, 1), InvalidSpec::TooMany(MAX_TASKS)),
    ];
    for (strategy, problem) in cases {
        assert_eq!(strategy.check(&team()), Err(problem));
    }
}

#[test]
fn a_retry_asks_the_model_again_that_chose_nobody() {
    let mut stage = Stage::new(router(&["ada", "bob"]));
    stage.say(0, "I would rather not.");
    stage.tell(crate::run::Event::Retried { by: "me".to_owned(), budget: None });
    stage.tell(crate::run::Event::Started {});
    stage.go();
    assert_eq!((stage.status(), stage.under_way()), (Status::Running, vec![1]));
    assert!(stage.run.tasks[0].output().is_none(), "what it said is no choice");
    stage.want(1, &[("c", CHOOSE_AGENT, r#"{"agent": "ada"}"#)]);
    stage.say(2, "Done.");
    assert_eq!(stage.completed(), Value::from("Done."));
}
