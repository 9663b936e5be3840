//! What a run may take.

use serde_json::json;

use super::stage::{Stage, budget, single, team};
use crate::model::Usd;
use crate::run::{Budget, Event, OnFailure, Status, Strategy, TaskLimits, USE_SKILL, prompt};

#[test]
fn each_part_of_the_budget_ends_the_run() {
    let cases: [(&str, Budget); 4] = [
        ("steps", Budget { steps: 2, ..budget() }),
        ("tokens", Budget { tokens: Some(20), ..budget() }),
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
    let mut stage = Stage::within(single("bob"), Budget { usd: Some(Usd::ZERO), ..budget() });
    assert_eq!(stage.failure().1, "the run's budget of usd is used up");
    stage.tell(Event::Retried { by: "me".to_owned(), budget: Some(budget()) });
    stage.tell(Event::Started {});
    stage.go();
    stage.say(0, "Done.");
    assert_eq!(stage.status(), Status::Completed);
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
        TaskLimits { tokens: Some(20), ..TaskLimits::default() },
        TaskLimits { usd: Some(Usd::ZERO), ..TaskLimits::default() },
        TaskLimits { fuel: Some(10), ..TaskLimits::default() },
        TaskLimits { host_calls: Some(2), ..TaskLimits::default() },
    ];
    for limits in cases {
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
        assert!(message.starts_with("the agent's budget of") && step <= 3, "{message} at step {step}");
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
