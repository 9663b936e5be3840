//! Which outcomes open a circuit, whose it is, and how it closes, in a time of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::breaker::{FAILURES, OPEN_FOR};
use bailiwick_domain::clock::Clock;
use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::run::{INVALID_ARGUMENTS, PinnedSkill, RunId, Spend};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::Report;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::catalog::ResolveError;
use serde_json::json;

use super::{CIRCUIT_OPEN, Guarded, TIMEOUT};
use crate::skills::{CallOutcome, Called, Driver, DriverError, Serve, Skills, Verdict};

/// A clock that moves only when it is told to.
struct Steps {
    start: Instant,
    passed: Mutex<Duration>,
}

impl Steps {
    fn pass(&self, time: Duration) {
        *self.passed.lock().expect("no panic") += time;
    }
}

impl Clock for Steps {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + *self.passed.lock().expect("no panic")
    }

    fn instant(&self) -> Instant {
        self.start + *self.passed.lock().expect("no panic")
    }
}

/// Skills whose calls take some time and come to what a test says; without more words they
/// never end.
struct Told {
    clock: Arc<Steps>,
    outcomes: Mutex<VecDeque<(Duration, CallOutcome)>>,
    called: Mutex<u32>,
}

impl Skills for Told {
    fn pin(&self, selector: &SkillSelector) -> Result<PinnedSkill, ResolveError> {
        Err(ResolveError::UnknownSkill { id: selector.id.clone(), near: Vec::new() })
    }

    fn call(&self, _: Invocation, _: Arc<dyn Fn(Report) + Send + Sync>) -> BoxFuture<'static, Called> {
        *self.called.lock().expect("no panic") += 1;
        match self.outcomes.lock().expect("no panic").pop_front() {
            None => Box::pin(std::future::pending()),
            Some((took, outcome)) => {
                self.clock.pass(took);
                Box::pin(std::future::ready(Called { outcome, spend: Spend::default(), receipt: None }))
            }
        }
    }

    fn driver(&self, selector: &SkillSelector) -> Result<Driver, DriverError> {
        Err(DriverError::NoWorkflow(selector.id.clone()))
    }

    fn drive(
        &self,
        invocation: Invocation,
        told: Arc<dyn Fn(Report) + Send + Sync>,
        _: Serve,
    ) -> BoxFuture<'static, Called> {
        self.call(invocation, told)
    }

    fn answer(&self, _: String, _: Option<String>) -> BoxFuture<'static, Verdict> {
        Box::pin(std::future::pending())
    }

    fn withdraw(&self, _: String, _: RunId) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    fn end_run(&self, _: RunId) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    fn runs(&self) -> BoxFuture<'static, Vec<RunId>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

struct Stage {
    clock: Arc<Steps>,
    skills: Arc<Told>,
    guarded: Guarded,
}

impl Stage {
    fn new() -> Self {
        let clock = Arc::new(Steps { start: Instant::now(), passed: Mutex::default() });
        let skills = Arc::new(Told { clock: Arc::clone(&clock), outcomes: Mutex::default(), called: Mutex::default() });
        let guarded = Guarded::new(Arc::clone(&skills) as Arc<dyn Skills>, Arc::clone(&clock) as Arc<dyn Clock>);
        Self { clock, skills, guarded }
    }

    /// A call of this skill that comes to this, where it is made.
    async fn call(&self, skill: &str, outcome: CallOutcome) -> CallOutcome {
        self.call_for(skill, outcome, Duration::ZERO).await
    }

    async fn call_for(&self, skill: &str, outcome: CallOutcome, took: Duration) -> CallOutcome {
        self.skills.outcomes.lock().expect("no panic").push_back((took, outcome));
        let called = self.guarded.call(invocation(skill), Arc::new(|_| ())).await;
        self.skills.outcomes.lock().expect("no panic").clear();
        called.outcome
    }

    async fn breaks(&self, skill: &str, times: u32) {
        for _ in 0..times {
            assert_eq!(self.call(skill, failed("guest-trapped")).await, failed("guest-trapped"));
        }
    }

    fn called(&self) -> u32 {
        *self.skills.called.lock().expect("no panic")
    }
}

/// A call of a run that has ten seconds left.
fn invocation(skill: &str) -> Invocation {
    Invocation {
        skill: skill.parse().expect("a selector"),
        tool: None,
        arguments: json!({}),
        principal: Principal { name: "key:test".into() },
        trace: TraceContext { trace_id: [1; 16], span_id: [2; 8], sampled: false },
        trace_state: None,
        deadline: Some(Duration::from_secs(10)),
        idempotency_key: None,
        approval_wait: Duration::ZERO,
        caller: None,
        run: None,
    }
}

fn failed(code: &str) -> CallOutcome {
    CallOutcome::Failed { code: code.to_owned(), message: "so it is".to_owned(), retriable: false }
}

fn output(failed: bool) -> CallOutcome {
    CallOutcome::Output { json: "1".to_owned(), failed }
}

/// For how many seconds a skill is left alone, by what is told.
fn left_alone(outcome: &CallOutcome, skill: &str) -> u64 {
    let CallOutcome::Failed { code, message, retriable: false } = outcome else { panic!("it was made: {outcome:?}") };
    assert_eq!(code, CIRCUIT_OPEN);
    assert!(message.contains(&format!("`{skill}`")), "{message}");
    let (_, rest) = message.split_once("for another ").expect("it says for how long");
    rest.split(' ').next().and_then(|seconds| seconds.parse().ok()).expect("a number")
}

#[tokio::test]
async fn a_skill_that_breaks_five_times_in_a_row_is_left_alone_and_others_are_not() {
    let stage = Stage::new();
    stage.breaks("demo/bad", FAILURES).await;
    assert_eq!(left_alone(&stage.call("demo/bad", output(false)).await, "demo/bad"), 60);
    stage.clock.pass(Duration::from_millis(17_500));
    assert_eq!(left_alone(&stage.call("demo/bad@^1", output(false)).await, "demo/bad"), 43);
    assert_eq!(stage.called(), FAILURES, "it was not called again");
    assert_eq!(stage.call("demo/good", output(false)).await, output(false));
}

#[tokio::test]
async fn after_a_minute_one_call_decides() {
    let stage = Stage::new();
    stage.breaks("demo/bad", FAILURES).await;
    stage.clock.pass(OPEN_FOR);
    // It never answers, and its run goes away.
    let trial = stage.guarded.call(invocation("demo/bad"), Arc::new(|_| ()));
    assert!(tokio::time::timeout(Duration::from_millis(1), trial).await.is_err());
    stage.breaks("demo/bad", 1).await;
    assert_eq!(left_alone(&stage.call("demo/bad", output(false)).await, "demo/bad"), 60);
    stage.clock.pass(OPEN_FOR);
    assert_eq!(stage.call("demo/bad", output(true)).await, output(true));
    stage.breaks("demo/bad", FAILURES - 1).await;
    assert_eq!(stage.call("demo/bad", output(false)).await, output(false), "it began anew");
}

#[tokio::test]
async fn while_one_call_tries_no_other_goes_through() {
    let stage = Stage::new();
    stage.breaks("demo/bad", FAILURES).await;
    stage.clock.pass(OPEN_FOR);
    let trial = stage.guarded.call(invocation("demo/bad"), Arc::new(|_| ()));
    let other = async {
        // The trial is polled first.
        left_alone(&stage.guarded.call(invocation("demo/bad"), Arc::new(|_| ())).await.outcome, "demo/bad")
    };
    tokio::select! {
        biased;
        called = trial => panic!("it never answers: {called:?}"),
        left = other => assert_eq!(left, 1),
    }
}

#[tokio::test]
async fn only_what_is_broken_counts() {
    let broken =
        ["guest-trapped", "guest-exited", "invalid-output", "tools-not-listed", "host-failure", TIMEOUT].map(failed);
    let neither = [
        "busy",
        "sandbox-full",
        "skill-preparing",
        "no-grant",
        "revoked",
        "other-bytes",
        "fuel-exhausted",
        "memory-exhausted",
        "limit-exceeded",
        "output-too-large",
        "APPROVAL_DENIED",
        INVALID_ARGUMENTS,
    ];
    let neither = neither.map(failed).into_iter().chain([CallOutcome::Approval("apr_1".to_owned())]);
    for outcome in broken {
        let stage = Stage::new();
        for _ in 0..FAILURES {
            stage.call("demo/bad", outcome.clone()).await;
        }
        left_alone(&stage.call("demo/bad", output(false)).await, "demo/bad");
    }
    for outcome in neither {
        let stage = Stage::new();
        for _ in 0..2 * FAILURES {
            assert_eq!(stage.call("demo/bad", outcome.clone()).await, outcome);
        }
        // It says nothing either way: what failed before still counts.
        stage.breaks("demo/bad", FAILURES - 1).await;
        stage.call("demo/bad", outcome.clone()).await;
        stage.breaks("demo/bad", 1).await;
        left_alone(&stage.call("demo/bad", output(false)).await, "demo/bad");
    }
    let stage = Stage::new();
    for _ in 0..2 * FAILURES {
        stage.breaks("demo/bad", FAILURES - 1).await;
        assert_eq!(stage.call("demo/bad", output(true)).await, output(true), "a tool's own failure is an answer");
    }
}

#[tokio::test]
async fn a_run_without_time_says_nothing_of_the_skill() {
    let stage = Stage::new();
    for _ in 0..2 * FAILURES {
        let out_of_time = stage.call_for("demo/slow", failed(TIMEOUT), Duration::from_secs(10)).await;
        assert_eq!(out_of_time, failed(TIMEOUT));
    }
    for _ in 0..FAILURES {
        stage.call_for("demo/slow", failed(TIMEOUT), Duration::from_secs(9)).await;
    }
    left_alone(&stage.call("demo/slow", output(false)).await, "demo/slow");
}
