//! Guests that misbehave: each call ends with a typed error, and nobody else notices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick_domain::authority::{Access, FsMount, HttpRule, Scheme};
use bailiwick_domain::limits::Limits;
use bailiwick_domain::permit::{HttpAuthority, Terms, authority};
use bailiwick_domain::quota::{Quota, StateQuota};
use bailiwick_domain::sandbox::{InvokeError, Outcome, Sandbox as _};
use bailiwick_domain::services::NoServices;
use serde_json::{Value, json};

use super::lab::{Lab, error, failure, nothing, since, success, target, within};
use crate::web::Web;

/// The lab's own folder, to be read as `/work`.
fn folder(lab: &Lab) -> FsMount {
    let host = lab.folder.path().canonicalize().unwrap();
    FsMount { root: "/work".parse().unwrap(), host, access: Access::Read, quota: Quota::default() }
}

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
    assert!(matches!(error, InvokeError::Exit { .. }), "{error:?}");
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
    assert_eq!(
        error(outcome),
        InvokeError::Deadline { millis: 500 },
        "the limit that was set, and not what was left of it"
    );
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
    let change = |terms: &mut Terms| {
        terms.limits.deadline = Duration::from_secs(20);
        terms.limits.log_bytes = 8 << 20;
    };
    let outcome = amid_others(change, "flood", json!({ "bytes": 8 << 20 })).await;
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
async fn stdout_ends_at_its_limit() {
    let lab = Lab::new();
    let guest = lab.guest("hostile");
    let mut terms = nothing(&guest);
    terms.limits.log_bytes = 100_000;
    let outcome = lab.call(&terms, &guest, "flood", &json!({ "bytes": 200_000 })).await;
    assert!((90_000..=100_000).contains(&outcome.usage.log_bytes), "{:?}", outcome.usage);
    let written = success(outcome).as_u64().unwrap();
    assert!(written <= 100_000, "{written} bytes were taken");
    // A guest that can't say why it failed: the message is refused like the rest.
    terms.limits.log_bytes = 10;
    let outcome = lab.call(&terms, &guest, "panic", &json!({ "message": "a long message".repeat(100) })).await;
    assert_eq!(error(outcome), InvokeError::Limit { limit: "log", max: 10 });
}

#[tokio::test]
async fn random_bytes_end_at_their_limit() {
    let lab = Lab::new();
    let guest = lab.guest("filler");
    let mut terms = nothing(&guest);
    terms.limits.random_bytes = 1000;
    let outcome = lab.call(&terms, &guest, "random", &json!({ "bytes": 100, "times": 10 })).await;
    assert_eq!((outcome.usage.random_bytes, outcome.usage.host_calls), (1000, 10));
    assert_eq!(success(outcome), json!(1000));
    for arguments in [json!({ "bytes": 100, "times": 11 }), json!({ "bytes": 1001, "times": 1 })] {
        let outcome = lab.call(&terms, &guest, "random", &arguments).await;
        assert!(outcome.usage.random_bytes <= 1000, "{:?}", outcome.usage);
        assert_eq!(error(outcome), InvokeError::Limit { limit: "random", max: 1000 });
    }
}

#[tokio::test]
async fn host_calls_end_at_their_limit_whatever_they_are_for() {
    let lab = Lab::new();
    let guest = lab.guest("filler");
    std::fs::write(lab.folder.path().join("file"), "x").unwrap();
    let mut terms = nothing(&guest);
    terms.fs = vec![folder(&lab)];
    terms.limits.host_calls = 20;
    // No error of the interface: the call ends.
    let outcome = lab.call(&terms, &guest, "random", &json!({ "bytes": 1, "times": 21 })).await;
    assert_eq!(outcome.usage.host_calls, 20);
    assert_eq!(error(outcome), InvokeError::Limit { limit: "host_calls", max: 20 });
    // An error of the interface: the guest hears it.
    let outcome = lab.call(&terms, &guest, "look", &json!({ "path": "/work/file", "times": 21 })).await;
    assert!(failure(&outcome).to_string().contains("QuotaExceeded"), "{:?}", outcome.result);
    assert_eq!(outcome.denials[0].reason, "the call's limit `host_calls` of 20 is reached");
    assert_eq!(outcome.usage.host_calls, 20);
    let keeper = lab.guest("keeper");
    let mut terms = nothing(&keeper);
    terms.state = Some(StateQuota::MOST);
    terms.limits.host_calls = 3;
    let add = async || lab.call(&terms, &keeper, "put", &json!({ "key": "k", "value": "v" })).await;
    success(add().await);
    terms.limits.host_calls = 0;
    let outcome = lab.call(&terms, &keeper, "put", &json!({ "key": "k", "value": "w" })).await;
    assert!(failure(&outcome).to_string().contains("`host_calls` of 0"), "{:?}", outcome.result);
    assert_eq!(outcome.denials[0].capability, "state");
    let mut terms = nothing(&guest);
    terms.limits.host_calls = 0;
    let post = json!({ "url": "http://127.0.0.1:9/", "bytes": 0, "times": 1 });
    let outcome = lab.call(&terms, &guest, "post", &post).await;
    failure(&outcome);
    assert_eq!(outcome.denials[0].reason, "the call's limit `host_calls` of 0 is reached");
}

#[tokio::test]
async fn whatever_the_host_is_asked_for_is_one_of_the_host_calls() {
    let lab = Lab::new();
    let key = "the call's limit `host_calls` of 0 is reached";
    for (guest, tool, arguments, capability) in [
        ("keeper", "setting", json!({ "key": "units" }), Some("config")),
        ("commander", "run", json!({ "command": ["echo"], "input": "" }), Some("shell")),
        ("driver", "ask", json!({ "summary": "May I?", "details": "{}" }), Some("approval")),
        ("driver", "call", json!({ "request": { "skill": "tests/none", "arguments": "{}" } }), Some("skill")),
        ("driver", "complete", json!({ "prompt": "hello" }), Some("model")),
        // Their interfaces have no error, so that the call ends.
        ("driver", "log", json!({ "context": "", "message": "hello" }), None),
        ("driver", "progress", json!({ "steps": 1, "pause-ms": 0 }), None),
    ] {
        let guest = lab.guest(guest);
        let mut terms = nothing(&guest);
        terms.limits.host_calls = 1;
        let outcome = lab.call(&terms, &guest, tool, &arguments).await;
        assert_eq!(outcome.usage.host_calls, 1, "{tool}: {:?}", outcome.result);
        let said = format!("{:?} {:?}", outcome.result, outcome.denials);
        assert!(!said.contains("host_calls"), "{tool}: {said}");
        terms.limits.host_calls = 0;
        let outcome = lab.call(&terms, &guest, tool, &arguments).await;
        assert_eq!(outcome.usage.host_calls, 0, "{tool}: {:?}", outcome.result);
        let Some(capability) = capability else {
            assert_eq!(error(outcome), InvokeError::Limit { limit: "host_calls", max: 0 }, "{tool}");
            continue;
        };
        assert!(failure(&outcome).to_string().contains(key), "{tool}: {:?}", outcome.result);
        let [denial] = outcome.denials.as_slice() else { panic!("{tool}: {:?}", outcome.denials) };
        assert_eq!((denial.capability, denial.reason.as_str()), (capability, key), "{tool}");
    }
}

#[tokio::test]
async fn tables_end_at_their_limit() {
    let lab = Lab::new();
    let bytes = wat::parse_str(
        r#"(component
            (core module $m
                (table $t 1 funcref)
                (func (export "grow") (param i32) (result i32)
                    (local $old i32)
                    (local.set $old (table.grow $t (ref.null func) (local.get 0)))
                    (if (i32.eq (local.get $old) (i32.const -1)) (then unreachable))
                    (local.get $old)))
            (core instance $i (instantiate $m))
            (func (export "grow") (param "by" u32) (result u32) (canon lift (core func $i "grow"))))"#,
    );
    let guest = lab.load(&bytes.unwrap()).unwrap();
    let mut terms = nothing(&guest);
    terms.limits.table_elements = 500;
    let outcome = lab.call(&terms, &guest, "grow", &json!({ "by": 499 })).await;
    assert_eq!(outcome.usage.table_elements, 500);
    success(outcome);
    let outcome = lab.call(&terms, &guest, "grow", &json!({ "by": 500 })).await;
    assert_eq!(error(outcome), InvokeError::Limit { limit: "table_elements", max: 500 });
    terms.limits.table_elements = 0;
    let outcome = lab.call(&terms, &guest, "grow", &json!({ "by": 0 })).await;
    assert_eq!(error(outcome), InvokeError::Limit { limit: "table_elements", max: 0 }, "it begins with one");
}

#[tokio::test]
async fn instances_end_at_their_limit() {
    let lab = Lab::new();
    let bytes = wat::parse_str(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const 7))
            (core instance $a (instantiate $m))
            (core instance $b (instantiate $m))
            (core instance $c (instantiate $m))
            (func (export "f") (result u32) (canon lift (core func $c "f"))))"#,
    );
    let guest = lab.load(&bytes.unwrap()).unwrap();
    let mut terms = nothing(&guest);
    terms.limits.instances = 3;
    assert_eq!(success(lab.call(&terms, &guest, "f", &json!({})).await), json!(7));
    terms.limits.instances = 2;
    let outcome = lab.call(&terms, &guest, "f", &json!({})).await;
    assert_eq!(error(outcome), InvokeError::Limit { limit: "instances", max: 2 });
}

#[tokio::test]
async fn requests_and_what_they_carry_end_at_their_limits() {
    let lab = Lab::new();
    let guest = lab.guest("filler");
    let web = Web::start(&[("/", 200, "text/plain", &"x".repeat(5000))]);
    let mut terms = nothing(&guest);
    let rule = HttpRule {
        host: "127.0.0.1".parse().unwrap(),
        schemes: vec![Scheme::Http],
        ports: vec![web.port()],
        methods: vec!["POST".to_owned()],
        paths: vec![],
    };
    terms.http = HttpAuthority { requested: vec![rule.clone()], granted: vec![rule], ..HttpAuthority::default() };
    let post = |bytes: u32, times: u32| json!({ "url": web.url("/"), "bytes": bytes, "times": times });
    let outcome = lab.call(&terms, &guest, "post", &post(2000, 2)).await;
    let usage = outcome.usage.clone();
    assert_eq!((usage.http_requests, usage.host_calls), (2, 2), "{usage:?}");
    assert!((4000..5000).contains(&usage.http_sent_bytes), "{usage:?}");
    assert!((10_000..11_000).contains(&usage.http_received_bytes), "{usage:?}");
    assert_eq!(success(outcome), json!(10_000));
    let refused = async |change: fn(&mut Limits), post: Value, key: &str| {
        let mut terms = terms.clone();
        change(&mut terms.limits);
        let before = web.requests();
        let outcome = lab.call(&terms, &guest, "post", &post).await;
        failure(&outcome);
        let [denial] = outcome.denials.as_slice() else { panic!("{key}: {:?}", outcome.denials) };
        assert!(denial.reason.contains(&format!("limit `{key}`")), "{denial:?}");
        (web.requests() - before, outcome.usage)
    };
    let (requests, usage) = refused(|limits| limits.http_requests = 2, post(1, 3), "http_requests").await;
    assert_eq!((requests, usage.http_requests), (2, 2));
    let (_, usage) = refused(|limits| limits.http_sent_bytes = 3000, post(2000, 2), "http_sent").await;
    assert!(usage.http_sent_bytes <= 3000, "{usage:?}");
    let (requests, _) = refused(|limits| limits.http_sent_bytes = 5, post(0, 1), "http_sent").await;
    assert_eq!(requests, 0, "the head counts, before it is sent");
    let (_, usage) = refused(|limits| limits.http_received_bytes = 7000, post(1, 2), "http_received").await;
    assert!(usage.http_received_bytes <= 7000, "{usage:?}");
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
    terms.fs = vec![folder(&lab)];
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
    let permit = stranger.issue(Arc::new(nothing(&guest)), Instant::now(), Duration::from_secs(5));
    let (index, _) = guest.tool("echo").unwrap();
    let outcome = lab.sandbox.invoke(permit, index, &json!({ "text": "" }), Arc::new(NoServices)).await;
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
