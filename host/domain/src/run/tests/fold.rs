//! The fold: total, pure, and the same from what was written down.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::stage::{Stage, budget, queued, single, team};
use crate::model::Finish;
use crate::run::graph::Wiring;
use crate::run::{
    ADD_NODES, Event, EventKind, FailurePolicy, HANDOFF, OnFailure, Record, Run, RunId, Status, StepResult, Strategy,
    Team, USE_SKILL, backoff,
};

#[test]
fn every_status_is_reached_and_left_only_by_what_the_table_says() {
    let mut reached = BTreeSet::from([Status::Queued]);
    loop {
        let before = reached.len();
        for status in reached.clone() {
            reached.extend(EventKind::ALL.into_iter().flat_map(|event| status.after(event)));
        }
        if reached.len() == before {
            break;
        }
    }
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), Status::ALL);
    for over in Status::ALL.into_iter().filter(|status| status.is_over()) {
        let ways: Vec<EventKind> = EventKind::ALL.into_iter().filter(|event| !over.after(*event).is_empty()).collect();
        let expected: &[EventKind] = if over == Status::Failed { &[EventKind::Retried] } else { &[] };
        assert_eq!(ways, expected, "{over}");
    }
}

/// Each way from one status to another, written down by hand: where a run stands, what
/// happens to it, and where it stands then.
const WAYS: [(&str, &str, &str); 34] = [
    ("queued", "run.started", "running"),
    ("queued", "run.started", "waiting_approval"),
    ("queued", "run.paused", "paused"),
    ("queued", "run.interrupted", "interrupted"),
    ("queued", "run.failed", "failed"),
    ("queued", "run.cancelled", "cancelled"),
    ("running", "run.recovered", "queued"),
    ("running", "task.escalated", "waiting_approval"),
    ("running", "handoff.initiated", "waiting_approval"),
    ("running", "approval.requested", "waiting_approval"),
    ("running", "run.paused", "paused"),
    ("running", "run.interrupted", "interrupted"),
    ("running", "run.completed", "completed"),
    ("running", "run.failed", "failed"),
    ("running", "run.cancelled", "cancelled"),
    ("waiting_approval", "task.answered", "running"),
    ("waiting_approval", "handoff.initiated", "running"),
    ("waiting_approval", "handoff.accepted", "running"),
    ("waiting_approval", "handoff.rejected", "running"),
    ("waiting_approval", "subrun.ended", "running"),
    ("waiting_approval", "approval.answered", "running"),
    ("waiting_approval", "run.paused", "paused"),
    ("waiting_approval", "run.interrupted", "interrupted"),
    ("waiting_approval", "run.completed", "completed"),
    ("waiting_approval", "run.failed", "failed"),
    ("waiting_approval", "run.cancelled", "cancelled"),
    ("paused", "run.resumed", "queued"),
    ("paused", "run.interrupted", "interrupted"),
    ("paused", "run.failed", "failed"),
    ("paused", "run.cancelled", "cancelled"),
    ("interrupted", "run.resumed", "queued"),
    ("interrupted", "run.failed", "failed"),
    ("interrupted", "run.cancelled", "cancelled"),
    ("failed", "run.retried", "queued"),
];

#[test]
fn a_run_goes_from_one_status_to_another_in_these_ways_alone() {
    let mut found = BTreeSet::new();
    for status in Status::ALL {
        for event in EventKind::ALL {
            let others = status.after(event).iter().filter(|next| **next != status);
            found.extend(others.map(|next| (status.name(), event.name(), next.name())));
        }
    }
    assert_eq!(found, BTreeSet::from(WAYS));
}

#[test]
fn the_eight_statuses_have_these_names_wherever_they_are_written() {
    let names = ["queued", "running", "waiting_approval", "paused", "interrupted", "completed", "failed", "cancelled"];
    assert_eq!(Status::ALL.map(Status::name), names);
    for (status, name) in Status::ALL.into_iter().zip(names) {
        assert_eq!(serde_json::to_value(status).expect("writable"), json!(name));
        assert_eq!((name.parse::<Status>(), status.to_string()), (Ok(status), name.to_owned()));
    }
}

#[test]
fn only_one_event_can_be_the_first() {
    let team = || Arc::new(team());
    assert!(Run::begin(&Record { at: 1, event: Event::Started {} }, team()).is_err());
    let unknown = queued(single("eve"), budget());
    assert!(Run::begin(&Record { at: 1, event: unknown }, team()).is_err());
    let mut stage = Stage::new(single("bob"));
    assert!(stage.try_tell(queued(single("bob"), budget())).is_err());
}

#[test]
fn whoever_checked_the_strategy_has_the_same_run() {
    let team = || Arc::new(team());
    let first = Record { at: 1, event: queued(single("bob"), budget()) };
    let checked = Run::begin(&first, team()).expect("a run");
    assert_eq!(Run::begin_checked(first, team()), Ok(checked));
    assert!(Run::begin_checked(Record { at: 1, event: Event::Started {} }, team()).is_err());
}

#[test]
fn retries_wait_longer_each_time_and_not_all_alike() {
    let run = |seed: u8| RunId::from_bytes(&[seed; 16]);
    let mut seen = BTreeSet::new();
    for seed in 0..50 {
        for (failures, base) in [(1, 1000), (2, 2000), (3, 4000)] {
            let wait = backoff(&run(seed), 0, failures).as_millis();
            assert!((base * 3 / 4..=base * 5 / 4).contains(&wait), "{wait} ms after {failures}");
            assert_eq!(wait, backoff(&run(seed), 0, failures).as_millis());
            seen.insert(wait);
        }
    }
    assert!(seen.len() > 100, "{} times of 150", seen.len());
}

/// What the world does to a run, as numbers that a shrinking test makes smaller.
fn disturb(stage: &mut Stage, choice: (u8, u8)) {
    let under_way = stage.under_way();
    let step = under_way.get(usize::from(choice.1) % under_way.len().max(1)).copied();
    let by = || "me".to_owned();
    let event = match (choice.0 % 14, step) {
        (0 | 1, Some(step)) => return turn(stage, step, choice.1),
        (2, Some(step)) => return stage.fail_if_it_can(step, true),
        (3, Some(step)) => return stage.fail_if_it_can(step, false),
        (4, Some(step)) => Event::ApprovalRequested { step, approval: "q".to_owned() },
        (5, _) => Event::Paused { by: by() },
        (6, _) => Event::Resumed { by: by(), repeat: choice.1.is_multiple_of(2) },
        (7, _) => match stage.run.unrepeatable() {
            none if none.is_empty() => Event::Recovered {},
            steps => Event::Interrupted { steps },
        },
        (8, _) => Event::Retried { by: by(), budget: None },
        (9, _) if stage.run.asked_handoffs().next().is_some() => match choice.1 % 2 {
            0 => Event::HandoffAccepted { handoff: asked(stage), by: Some(by()) },
            _ => Event::HandoffRejected { handoff: asked(stage), by: by(), reason: None },
        },
        (9, _) => match stage.run.awaiting().next() {
            Some((step, _)) => Event::ApprovalAnswered { step, approved: choice.1.is_multiple_of(2), reason: None },
            None => return,
        },
        (10, _) => match stage.run.backing_off().next() {
            Some(number) => {
                let step = &stage.run.steps[number as usize];
                let (task, attempt, action) = (step.task, step.attempt + 1, step.action.clone());
                Event::StepStarted { step: number, task, attempt, action }
            }
            None => return,
        },
        (12, _) => match stage.run.asked_tasks().next() {
            Some((task, _)) => Event::TaskAnswered { task, again: choice.1.is_multiple_of(2), by: by(), reason: None },
            None => Event::Started {},
        },
        (13, _) => match stage.run.resting().next() {
            Some(task) => match stage.run.begin_try(task) {
                Some(event) => event,
                None => return,
            },
            None => Event::Started {},
        },
        (11, _) if choice.1 < 8 => {
            Event::Failed { code: "TIMEOUT".to_owned(), message: String::new(), partial: json!(null) }
        }
        _ => Event::Started {},
    };
    // What can't follow is refused, and the run goes on.
    let _ = stage.try_tell(event);
    stage.go();
}

fn turn(stage: &mut Stage, step: u32, choice: u8) {
    if !stage.run.steps[step as usize].action.eq(&crate::run::Action::Model {}) {
        return stage.output(step, &json!(choice));
    }
    match choice % 7 {
        6 => {
            let added = format!(
                r#"{{"nodes":[{{"id":"x{choice}","agent":"bob"}}],"edges":[{{"from":"x{choice}","to":"mend"}}]}}"#
            );
            stage.want(step, &[("g", ADD_NODES, added.as_str())]);
        }
        4 => stage.want(step, &[("h", HANDOFF, r#"{"to": "bob"}"#)]),
        5 => stage.want(step, &[("h", HANDOFF, r#"{"to": "ada"}"#)]),
        0 => stage.say(step, if choice.is_multiple_of(2) { "Done." } else { "3" }),
        1 => stage.want(step, &[("c", USE_SKILL, r#"{"skill": "files"}"#)]),
        2 => stage.want(step, &[("a", "files__read", "{}"), ("b", "files__delete", "{}")]),
        _ if choice > 200 => stage.answer(step, "", &[], Finish::Refusal),
        _ => stage.want(step, &[("x", "nothing", "nonsense")]),
    }
}

/// A graph with all that there is: subruns in subruns, one that may fail, and an agent that
/// plans.
fn nested() -> Strategy {
    let map = json!({ "kind": "parallel_map", "agent": "ada", "items": ["1", "2", "3"], "at_once": 2 });
    let handoff = json!({ "kind": "handoff", "agents": ["ada", "bob"], "first": "bob", "max_depth": 2 });
    let inner = json!({
        "nodes": [
            { "id": "hand", "run": handoff },
            { "id": "map", "run": map, "optional": true },
            { "id": "one", "agent": "ada" },
        ],
    });
    let graph = json!({
        "kind": "graph",
        "graph": {
            "nodes": [
                { "id": "plan", "agent": "ada", "plans": true },
                { "id": "inner", "run": { "kind": "graph", "graph": inner } },
                { "id": "map", "run": map },
                { "id": "mend", "agent": "bob" },
                { "id": "end", "agent": "bob", "join": "any" },
            ],
            "edges": [
                { "from": "map", "to": "mend", "when": { "kind": "failed" } },
                { "from": "plan", "to": "end" },
                { "from": "inner", "to": "end" },
            ],
        },
    });
    serde_json::from_value(graph).expect("a strategy")
}

/// The team with all that can follow on a failure.
fn tried() -> Team {
    let mut team = team();
    let ada = team.members.get_mut("ada").expect("ada");
    ada.on_failure = FailurePolicy { retries: 1, fallback: Some("bob".to_owned()), ask: true };
    let bob = team.members.get_mut("bob").expect("bob");
    bob.output_schema = Some(json!({ "type": "integer" }));
    team
}

fn asked(stage: &Stage) -> u32 {
    stage.run.asked_handoffs().next().map(|(number, _)| number).unwrap_or_default()
}

impl Stage {
    fn fail_if_it_can(&mut self, step: u32, retriable: bool) {
        self.fail(step, "busy", retriable);
    }
}

/// What must hold of every run at every time.
fn hold(stage: &Stage) {
    let run = &stage.run;
    assert_eq!(run.last, stage.log.len() as u64);
    assert_eq!(run.outcome.is_some(), run.status.is_over());
    for (subrun, wiring) in &run.wiring {
        assert_eq!(run.graph(*subrun).map(Wiring::of).as_ref(), Some(&**wiring), "it is that of the graph as it is");
    }
    assert!(!run.status.is_over() || stage.under_way().is_empty());
    if run.status == Status::WaitingApproval {
        let asked = run.asked_handoffs().next().is_some() || run.asked_tasks().next().is_some();
        assert!(asked || run.awaiting().next().is_some());
    }
    if run.status == Status::Running {
        let waits = run.backing_off().next().is_some() || run.resting().next().is_some();
        let moves = waits || !stage.under_way().is_empty();
        assert!(moves, "a run that runs has something under way: {run:?}");
    }
}

/// No call that can't be repeated begins a second time, unless a person said so.
fn repeated_by_nobodys_word(log: &[Record]) -> bool {
    let mut begun = BTreeSet::new();
    for record in log {
        match &record.event {
            Event::StepStarted { step, action, .. } if !action.is_repeatable() && !begun.insert(*step) => return true,
            // It never ran, or says itself that it did nothing.
            Event::ApprovalRequested { step, .. }
            | Event::StepEnded { step, result: StepResult::Failed { retriable: true, .. }, .. } => {
                begun.remove(step);
            }
            Event::Resumed { repeat: true, .. } => begun.clear(),
            _ => {}
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_run_is_what_its_records_say(
        choices in prop::collection::vec((any::<u8>(), any::<u8>()), 0..120),
        strategy in 0..4,
    ) {
        let strategy = if strategy == 1 {
            Strategy::Handoff { agents: vec!["ada".to_owned(), "bob".to_owned()], first: "ada".to_owned(), max_depth: 3 }
        } else if strategy == 2 {
            let items = (0..5).map(|item| item.to_string()).collect();
            let on_failure = OnFailure::Collect;
            Strategy::ParallelMap { agent: "ada".to_owned(), items, reduce: Some("bob".to_owned()), on_failure, at_once: 3 }
        } else if strategy == 3 {
            nested()
        } else {
            single("ada")
        };
        let mut stage = Stage::of(strategy, budget(), tried());
        for choice in choices {
            disturb(&mut stage, choice);
            hold(&stage);
        }
        let text: Vec<String> = stage.log.iter().map(|it| serde_json::to_string(it).expect("writable")).collect();
        let read: Vec<Record> = text.iter().map(|it| serde_json::from_str(it).expect("readable")).collect();
        let mut again = Run::begin(&read[0], Arc::new(tried())).expect("a run");
        for record in &read[1..] {
            again.apply(record).expect("it could follow before");
        }
        prop_assert_eq!(&again, &stage.run);
        prop_assert!(!repeated_by_nobodys_word(&stage.log));
    }
}
