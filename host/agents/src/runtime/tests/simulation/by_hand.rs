//! Runs and their logs, written by hand for the tests of the laws.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::{Invocation, Principal, RunStep};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::run::{
    Action, Budget, Class, Event, Opening, Record, Role, Run, RunId, RunSpec, Spend, StepResult, Strategy, Team,
};
use bailiwick_domain::trace::TraceContext;
use serde_json::json;

use super::log::{Log, fold};

/// The workflow that drives these runs.
const FLOW: &str = "demo/flow";

/// More steps than a story by hand has.
const PLENTY: u64 = 9;

pub(super) fn id() -> RunId {
    RunId::from_bytes(&[1; 16])
}

pub(super) fn team() -> Arc<Team> {
    let flow = json!({ "description": "", "instructions": "", "models": [], "skills": [], "disclosure": "all", "max_steps": 9 });
    Arc::new(serde_json::from_value(json!({ "members": { FLOW: flow } })).expect("a team"))
}

/// A workflow runs, which is step 0, and then this happens.
pub(super) fn story(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    within(PLENTY, events)
}

/// The same in a run that may take so many steps.
pub(super) fn within(steps: u64, events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let opening = Opening {
        agent: FLOW.to_owned(),
        role: Role::Drive,
        input: "{}".to_owned(),
        item: None,
        node: None,
        handoff: None,
        subrun: None,
    };
    let beginning = [queued(steps), Event::Started {}, Event::TaskOpened { task: 0, opening }, starts(0, 1, drives())];
    beginning.into_iter().chain(events).collect()
}

fn queued(steps: u64) -> Event {
    let spec = RunSpec {
        id: id(),
        input: "{}".to_owned(),
        strategy: Strategy::Workflow { skill: FLOW.parse().expect("a selector") },
        team: Digest::of(b"team"),
        class: Class::Normal,
        budget: Budget { steps, wall_ms: 60_000, tokens: None, usd: None, fuel: None, host_calls: None },
        principal: "key:test".to_owned(),
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
        trace_state: None,
        label: None,
    };
    Event::Queued { spec: Box::new(spec) }
}

/// The step begins for this time.
pub(super) fn starts(step: u32, attempt: u32, action: Action) -> Event {
    Event::StepStarted { step, task: 0, attempt, action }
}

pub(super) fn drives() -> Action {
    let (skill, digest) = (FLOW.parse().expect("an id"), Digest::of(b"flow"));
    Action::Drive { skill, digest, tool: "main".to_owned(), arguments: json!({}) }
}

/// A call of `read`, which may be made again, or of `delete`, which may not.
pub(super) fn calls(tool: &str) -> Action {
    Action::Skill {
        call: String::new(),
        skill: "demo/files".parse().expect("an id"),
        digest: Digest::of(b"files"),
        tool: tool.to_owned(),
        arguments: json!({}),
        idempotent: tool == "read",
    }
}

/// The step gives an output.
pub(super) fn gives(step: u32) -> Event {
    ends(step, StepResult::Output { json: "1".to_owned(), failed: false })
}

/// The step fails with this code.
pub(super) fn fails(step: u32, code: &str, retriable: bool) -> Event {
    ends(step, StepResult::Failed { code: code.to_owned(), message: "so it is".to_owned(), retriable })
}

fn ends(step: u32, result: StepResult) -> Event {
    Event::StepEnded { step, result, spend: Spend { steps: 1, ..Spend::default() }, receipt: None }
}

pub(super) fn cancelled() -> Event {
    Event::Cancelled { by: "me".to_owned(), reason: None }
}

/// A log of these events, a millisecond apart, the first of which happened at 0.
pub(super) fn log(events: impl IntoIterator<Item = Event>) -> Log {
    let records: Vec<Record> = (0..).zip(events).map(|(at, event)| Record { at, event }).collect();
    let raw = records.iter().map(|record| serde_json::to_vec(record).expect("an event can be written")).collect();
    Log { raw, records }
}

/// The run that these events make.
pub(super) fn run(events: impl IntoIterator<Item = Event>) -> Run {
    fold(&log(events).records, team()).expect("events that can follow on each other")
}

/// A call of a tool for a step of the run.
pub(super) fn invocation(tool: &str, step: u32) -> Invocation {
    let digest = Digest::of(b"files");
    let of = RunStep { run: id(), step, digest, budget: LimitsRequest::default(), workspace: None };
    Invocation {
        skill: "demo/files".parse().expect("a selector"),
        tool: Some(tool.to_owned()),
        arguments: json!({}),
        principal: Principal { name: "key:test".into() },
        trace: TraceContext { trace_id: [1; 16], span_id: [2; 8], sampled: false },
        trace_state: None,
        deadline: None,
        idempotency_key: None,
        approval_wait: Duration::ZERO,
        caller: None,
        run: Some(Box::new(of)),
    }
}

/// Expects that one thing is wrong, and that these words say so.
#[track_caller]
pub(super) fn assert_found(breaches: impl IntoIterator<Item = String>, words: &str) {
    let breaches: Vec<String> = breaches.into_iter().collect();
    assert!(matches!(&breaches[..], [breach] if breach.contains(words)), "expected `{words}`: {breaches:#?}");
}

/// Expects that nothing is wrong.
#[track_caller]
pub(super) fn assert_holds(breaches: impl IntoIterator<Item = String>) {
    let breaches: Vec<String> = breaches.into_iter().collect();
    assert!(breaches.is_empty(), "{breaches:#?}");
}
