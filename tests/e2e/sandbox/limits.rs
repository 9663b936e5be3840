//! Guests that misbehave: each call ends with a typed error, and nobody else notices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick_domain::permit::{Terms, authority};
use bailiwick_domain::sandbox::{InvokeError, Outcome, Sandbox as _};
use serde_json::{Value, json};

use super::lab::{Lab, error, nothing, since, success, target, within};

/// Calls that go on while a guest misbehaves.
const BYSTANDERS: usize = 50;

/// Runs the misbehaving call amid fifty others, all of which must succeed.
async fn amid_others(change: impl FnOnce(&mut Terms), tool: &str, arguments: Value) -> Outcome {
    let lab = Lab::with(64, target().join("test-cache"));
    let guest = lab.guest("hostile");
    let mut terms = within(&guest, Duration::from_millis(500));
    change(&mut terms);
    let others = within(&guest, Duration::from_secs(20));
    let echo = json!({ "text": "still here" });
    let bystanders = async {
        for _ in 0..BYSTANDERS / 10 {
            let calls = (0..10).map(|_| lab.call(&others, &guest, "echo", &echo));
            for outcome in futures::future::join_all(calls).await {
                assert_eq!(success(outcome), json!("still here"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (outcome, ()) = tokio::join!(lab.call(&terms, &guest, tool, &arguments), bystanders);
    assert_eq!(success(lab.call(&others, &guest, "echo", &echo).await), json!("still here"));
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_is_told_with_its_backtrace() {
    match error(amid_others(|_| (), "trap", json!({})).await) {
        InvokeError::Trap { message, .. } => assert!(message.contains("unreachable"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_told_in_the_log() {
    let outcome = amid_others(|_| (), "panic", json!({ "message": "the cat is on the keyboard" })).await;
    assert!(outcome.log.contains("the cat is on the keyboard"), "{}", outcome.log);
    assert_eq!(error(outcome).code(), "guest-trapped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_ends_the_guest_alone() {
    let outcome = amid_others(|_| (), "exit", json!({ "status": 3 })).await;
    let error = error(outcome);
    assert!(matches!(error, InvokeError::Exit(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_ends_at_its_deadline() {
    let start = Instant::now();
    let outcome = amid_others(|_| (), "spin", json!({})).await;
    assert!(outcome.usage.wall >= Duration::from_millis(490), "{:?}", outcome.usage);
    assert_eq!(error(outcome).code(), "deadline-exceeded");
    assert!(since(start) < Duration::from_secs(15), "the loop outlived its deadline");
}

#[tokio::test(flavor = "current_thread")]
async fn a_loop_gives_way_to_others_on_one_thread() {
    let outcome = amid_others(|_| (), "spin", json!({})).await;
    assert_eq!(error(outcome).code(), "deadline-exceeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_call_ends_at_the_same_deadline() {
    let outcome = amid_others(|_| (), "sleep", json!({ "millis": 60_000 })).await;
    match error(outcome) {
        InvokeError::Deadline { millis } => assert!((400..=500).contains(&millis), "{millis} ms"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recursion_ends_at_the_stack() {
    match error(amid_others(|_| (), "recurse", json!({ "depth": 100_000_000 })).await) {
        // Rust keeps a second stack in the guest's memory; either may end first.
        InvokeError::Trap { message, .. } => {
            assert!(message.contains("stack") || message.contains("out of bounds"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_ends_at_its_limit() {
    let outcome = amid_others(|terms| terms.limits.memory_bytes = 16 << 20, "allocate", json!({})).await;
    assert!((1 << 20..=16 << 20).contains(&outcome.usage.memory_bytes), "{:?}", outcome.usage);
    assert_eq!(error(outcome), InvokeError::Memory(16 << 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_on_stdout_is_cut() {
    let outcome =
        amid_others(|terms| terms.limits.deadline = Duration::from_secs(20), "flood", json!({ "bytes": 8 << 20 }))
            .await;
    assert!(outcome.log.len() < 70_000, "{} bytes of log", outcome.log.len());
    assert!(outcome.log.contains("more bytes were dropped"));
    assert_eq!(success(outcome), json!(8 << 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_answer_is_refused() {
    let outcome = amid_others(|terms| terms.limits.output_bytes = 1000, "huge", json!({ "bytes": 2_000_000 })).await;
    assert_eq!(error(outcome), InvokeError::OutputTooLarge(1000));
}

#[tokio::test]
async fn fuel_is_counted_where_a_limit_asks_for_it() {
    let lab = Lab::new();
    let guest = lab.guest("hostile");
    let mut terms = within(&guest, Duration::from_secs(30));
    let outcome = lab.call(&terms, &guest, "echo", &json!({ "text": "" })).await;
    assert_eq!(outcome.usage.fuel, None);
    terms.limits.fuel = Some(5_000_000);
    let outcome = lab.call(&terms, &guest, "echo", &json!({ "text": "" })).await;
    let used = outcome.usage.fuel.unwrap();
    assert!((1..5_000_000).contains(&used), "{used}");
    let outcome = lab.call(&terms, &guest, "spin", &json!({})).await;
    assert_eq!(outcome.usage.fuel, Some(5_000_000));
    assert_eq!(error(outcome), InvokeError::Fuel(5_000_000));
}

#[tokio::test]
async fn every_call_has_an_instance_of_its_own() {
    let lab = Lab::new();
    let guest = lab.guest("hostile");
    for _ in 0..3 {
        assert_eq!(success(lab.call(&nothing(&guest), &guest, "count", &json!({})).await), json!(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_call_frees_its_slot() {
    let lab = Lab::with(2, target().join("test-cache"));
    let guest = lab.guest("hostile");
    let terms = within(&guest, Duration::from_secs(20));
    let sleep = json!({ "millis": 10_000 });
    for _ in 0..5 {
        let calls = [(); 2].map(|()| lab.call(&terms, &guest, "sleep", &sleep));
        let both = futures::future::join_all(calls);
        assert!(tokio::time::timeout(Duration::from_millis(50), both).await.is_err());
    }
    let outcome = lab.call(&terms, &guest, "echo", &json!({ "text": "free" })).await;
    assert_eq!(success(outcome), json!("free"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_slots_are_refused() {
    let lab = Lab::with(2, target().join("test-cache"));
    let guest = lab.guest("hostile");
    let terms = within(&guest, Duration::from_secs(20));
    let sleep = json!({ "millis": 300 });
    let calls = [(); 3].map(|()| lab.call(&terms, &guest, "sleep", &sleep));
    let outcomes = futures::future::join_all(calls).await;
    let full = outcomes.iter().filter(|outcome| matches!(outcome.result, Err(InvokeError::Full))).count();
    assert_eq!(full, 1);
}

#[tokio::test]
async fn handles_are_bounded() {
    let lab = Lab::new();
    let guest = lab.guest("hostile");
    std::fs::write(lab.folder.path().join("file"), "x").unwrap();
    let mut terms = nothing(&guest);
    terms.fs = vec![bailiwick_domain::authority::FsMount {
        root: "/work".parse().unwrap(),
        host: lab.folder.path().canonicalize().unwrap(),
        access: bailiwick_domain::authority::Access::Read,
    }];
    let outcome = lab.call(&terms, &guest, "handles", &json!({ "path": "/work/file" })).await;
    if let Ok(bailiwick_domain::sandbox::Output::Success(held)) = &outcome.result {
        assert!(held.parse::<u32>().unwrap() < 1000, "{held} handles");
    } else {
        assert_eq!(error(outcome).code(), "guest-trapped");
    }
}

#[tokio::test]
async fn nothing_runs_without_a_permit_of_this_policy() {
    let lab = Lab::new();
    let guest = lab.guest("hostile");
    let (stranger, _) = authority();
    let deadline = Instant::now() + Duration::from_secs(5);
    let permit = stranger.issue(Arc::new(nothing(&guest)), deadline);
    let (index, _) = guest.tool("echo").unwrap();
    let outcome = lab.sandbox.invoke(permit, index, &json!({ "text": "" })).await;
    assert_eq!(error(outcome), InvokeError::NoPermit);
}

#[tokio::test]
async fn forgotten_code_does_not_run() {
    let lab = Lab::new();
    let guest = lab.guest("hostile");
    lab.sandbox.retain(&|_| false);
    let outcome = lab.call(&nothing(&guest), &guest, "echo", &json!({ "text": "" })).await;
    assert_eq!(error(outcome).code(), "component-not-loaded");
}
