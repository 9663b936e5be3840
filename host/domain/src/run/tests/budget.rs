//! What a run may take.

use serde_json::json;

use super::stage::{PRICE, Stage, budget, single, team};
use crate::run::{Budget, Event, OnFailure, Status, Strategy, TaskLimits, USE_SKILL, prompt};

#[test]
fn each_part_of_the_budget_ends_the_run() {
    let cases: [(&str, Budget); 5] = [
        ("steps", Budget { steps: 2, ..budget() }),
        ("tokens", Budget { tokens: Some(20), ..budget() }),
        ("usd", Budget { usd: Some(PRICE.plus(PRICE)), ..budget() }),
        ("fuel", Budget { fuel: Some(10), ..budget() }),
        ("host_calls", Budget { host_calls: Some(2), ..budget() }),
    ];
    for (what, budget) in cases {
        let mut stage = Stage::within(single("ada"), budget);
        stage.want(0, &[("c", USE_SKILL, r#"{"skill": "files"}"#)]);
        let mut step = 1;
        while stage.status() == Status::Running {
            stage.want(step, &[("c", "files__read", "{}")]);
            if stage.status() == Status::Running {
                stage.output(step + 1, &json!(1));
            }
            step += 2;
        }
        let (code, message) = stage.failure();
        assert_eq!(code, "BUDGET_EXHAUSTED");
        assert!(message.contains(what), "{message}");
        assert!(step <= 3, "{what} ended it late");
    }
}

#[test]
fn money_ends_the_run() {
    let twice = PRICE.plus(PRICE);
    let mut stage = Stage::within(single("ada"), Budget { usd: Some(twice), ..budget() });
    stage.want(0, &[("c", USE_SKILL, r#"{"skill": "files"}"#)]);
    assert_eq!((stage.status(), stage.run.spend.usd), (Status::Running, PRICE), "half of it is left");
    stage.want(1, &[("c", "files__read", "{}")]);
    let expected = ("BUDGET_EXHAUSTED".to_owned(), "the run's budget of usd is used up".to_owned());
    assert_eq!(stage.failure(), expected);
    assert_eq!((stage.run.spend.steps, stage.run.spend.usd), (2, twice), "the call is not made");
    // What was spent counts on: there is enough for one answer more.
    let more = Budget { usd: Some(twice.plus(PRICE)), ..budget() };
    stage.tell(Event::Retried { by: "me".to_owned(), budget: Some(more) });
    stage.tell(Event::Started {});
    stage.go();
    stage.output(2, &json!(1));
    stage.say(3, "Done.");
    assert_eq!((stage.status(), stage.run.spend.usd), (Status::Completed, twice.plus(PRICE)));
}

#[test]
fn a_run_ends_with_what_it_has() {
    let map = Strategy::ParallelMap {
        agent: "bob".to_owned(),
        items: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        reduce: None,
        on_failure: OnFailure::FailFast,
        at_once: 9,
    };
    let mut stage = Stage::within(map, Budget { steps: 2, ..budget() });
    assert_eq!(stage.under_way(), [0, 1], "what is under way counts before it ends");
    stage.say(0, "A");
    assert_eq!(stage.status(), Status::Running, "what is under way comes to its end");
    stage.say(1, "B");
    let Event::Failed { code, partial, .. } = &stage.log.last().expect("an event").event else { panic!("it failed") };
    assert_eq!(code, "BUDGET_EXHAUSTED");
    assert_eq!((&partial[0]["text"], &partial[1]["text"]), (&json!("A"), &json!("B")));
}

#[test]
fn the_last_step_that_the_budget_allows_may_complete_the_run() {
    let mut stage = Stage::within(single("bob"), Budget { steps: 1, tokens: Some(1), ..budget() });
    assert_eq!(prompt(&stage.run, 0).expect("a prompt").max_tokens, Some(1), "the model is told what is left");
    stage.say(0, "Done.");
    assert_eq!(stage.status(), Status::Completed);
}

#[test]
fn an_agent_has_a_budget_for_each_task() {
    let cases = [
        ("tokens", TaskLimits { tokens: Some(20), ..TaskLimits::default() }),
        ("usd", TaskLimits { usd: Some(PRICE.plus(PRICE)), ..TaskLimits::default() }),
        ("fuel", TaskLimits { fuel: Some(10), ..TaskLimits::default() }),
        ("host_calls", TaskLimits { host_calls: Some(2), ..TaskLimits::default() }),
    ];
    for (what, limits) in cases {
        let mut team = team();
        team.members.get_mut("ada").expect("ada").limits = limits;
        let mut stage = Stage::of(single("ada"), budget(), team);
        let left = stage.run.for_call(0);
        assert_eq!((left.fuel, left.host_calls), (limits.fuel, limits.host_calls));
        let mut step = 0;
        while stage.status() == Status::Running {
            let call = if step == 0 { ("c", USE_SKILL, r#"{"skill": "files"}"#) } else { ("c", "files__read", "{}") };
            stage.want(step, &[call]);
            if step > 0 && stage.status() == Status::Running {
                stage.output(step + 1, &json!(1));
                step += 1;
            }
            step += 1;
        }
        let (code, message) = stage.failure();
        assert_eq!(code, "BUDGET_EXHAUSTED", "{message}");
        assert_eq!(message, format!("the agent's budget of {what} for a task is used up"));
        assert_eq!((step, stage.run.steps.len()), (3, 3), "{what}: two answers and a call");
    }
}

#[test]
fn an_agent_has_a_length_for_its_answers_and_its_own_temperature() {
    let mut team = team();
    let bob = team.members.get_mut("bob").expect("bob");
    (bob.max_tokens, bob.temperature_milli) = (Some(5), Some(250));
    let stage = Stage::of(single("bob"), Budget { tokens: Some(9), ..budget() }, team);
    let asked = prompt(&stage.run, 0).expect("a prompt");
    assert_eq!((asked.max_tokens, asked.temperature), (Some(5), Some(0.25)), "the least of both");
}
