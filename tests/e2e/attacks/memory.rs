//! Memory: that of the guest ends at its limit, and that of the host is not the guest's to take.

use bailiwick_domain::quota::Quota;
use std::fs;

use bailiwick_domain::authority::{Access, FsMount};
use bailiwick_domain::sandbox::{InvokeError, Output};

use super::scene::{Scene, load, peak_of};
use crate::sandbox::lab::{error, failure, success};

/// Bytes of memory of the guests here.
const LIMIT: u64 = 32 << 20;

/// Bytes that the host may take for one call, beside those of the guest.
const MODEST: u64 = 96 << 20;

fn scene() -> Scene {
    let mut scene = Scene::of("memory");
    scene.terms.limits.memory_bytes = LIMIT;
    let host = scene.lab.folder.path().canonicalize().unwrap();
    fs::write(host.join("note.txt"), "x").unwrap();
    scene.terms.fs.push(FsMount {
        root: "/work".parse().unwrap(),
        host,
        access: Access::Read,
        quota: Quota::default(),
    });
    scene
}

#[tokio::test]
async fn grow() {
    let (outcome, peak) = peak_of(scene().attack("grow", "")).await;
    assert!(outcome.usage.memory_bytes <= LIMIT, "{:?}", outcome.usage);
    assert_eq!(error(outcome), InvokeError::Memory(LIMIT));
    assert!(peak < MODEST + LIMIT, "{} MiB", peak >> 20);
}

#[tokio::test]
async fn grow_politely() {
    let outcome = scene().attack("grow_politely", "").await;
    let held: u64 = failure(&outcome).as_str().and_then(|text| text.strip_suffix(" MiB")?.parse().ok()).unwrap();
    assert!((1..=LIMIT >> 20).contains(&held), "{held} MiB");
    assert!(outcome.usage.memory_bytes <= LIMIT, "{:?}", outcome.usage);
}

// The interfaces have no error for these, so that the guest ends; the host has not taken what was asked for.
cases! { ended:
    file_handles => "",
    folder_handles => "",
    stream_handles => "",
    timer_handles => "",
    header_handles => "",
    header_copies => "",
    request_handles => "",
    random_bytes => "exceeds limit",
    random_bytes_insecure => "exceeds limit",
    zeroes => "zeroes",
    long_string => "",
    long_list => "",
}

async fn ended(case: &str, says: &str) {
    let mut scene = scene();
    // What the guest itself takes is not what is asked here.
    scene.terms.limits.memory_bytes = 128 << 20;
    let (outcome, peak) = peak_of(scene.attack(case, "")).await;
    let held = outcome.usage.memory_bytes;
    match error(outcome) {
        InvokeError::Trap { message, .. } => assert!(message.contains(says), "{message}"),
        // Random bytes have a limit of their own.
        InvokeError::Limit { limit: "random", .. } => assert!(case.starts_with("random_bytes"), "{case}"),
        other => panic!("{other:?}"),
    }
    assert!(peak < MODEST + held, "{} MiB, of which the guest has {}", peak >> 20, held >> 20);
}

/// The host holds the tables of these too, and no call of it made them.
#[tokio::test]
async fn own_handles() {
    let outcome = Scene::of_wat("own_handles").call(&serde_json::json!({})).await;
    match error(outcome) {
        InvokeError::Trap { message, .. } => assert!(message.contains("handle limit"), "{message}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn socket_handles() {
    let before = fs::read_dir("/proc/self/fd").unwrap().count();
    let outcome = scene().attack("socket_handles", "").await;
    match &outcome.result {
        Ok(Output::Failure(_)) => {}
        _ => assert_eq!(error(outcome).code(), "guest-trapped"),
    }
    let after = fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(after < before + 50, "{before} files became {after}");
}

// Components that take more than there is as soon as they begin.
cases! { too_large:
    many_modules => "memory-exhausted",
    long_table => "limit-exceeded",
}

async fn too_large(case: &str, expected: &str) {
    let mut scene = Scene::of_wat(case);
    scene.terms.limits.memory_bytes = LIMIT;
    let (outcome, peak) = peak_of(scene.call(&serde_json::json!({}))).await;
    assert_eq!(error(outcome).code(), expected);
    assert!(peak < MODEST, "{} MiB", peak >> 20);
}

// Components that this host does not even load.
cases! { not_loaded:
    large_memory => "memory",
    large_table => "table",
    many_memories => "memories",
    many_instances => "instances",
    shared_memory => "threads",
    memory64 => "memory64",
    garbage_collection => "gc",
    exceptions => "exceptions",
}

async fn not_loaded(case: &str, says: &str) {
    let scene = Scene::of("memory");
    let error = load(&scene.lab, case).expect_err("must be refused").to_string();
    assert!(error.contains(says), "{error}");
    // The host goes on, with guests and with whoever is honest.
    failure(&scene.attack("grow_politely", "").await);
}

#[tokio::test]
async fn table_grow() {
    let (outcome, peak) = peak_of(Scene::of_wat("table_grow").call(&serde_json::json!({}))).await;
    let entries = success(outcome).as_u64().unwrap();
    assert!((1..=100_000).contains(&entries), "{entries} entries");
    assert!(peak < MODEST, "{} MiB", peak >> 20);
}

// What one byte of the guest's becomes as a value of the host's, millions of times (GHSA-jqpg-j7w6-42pr).
cases! { lifted:
    record_lifting => (),
    record_lifting_within_bounds => (),
}

async fn lifted(case: &str, (): ()) {
    let (outcome, peak) = peak_of(Scene::of_wat(case).call(&serde_json::json!({}))).await;
    let held = outcome.usage.memory_bytes;
    let code = error(outcome).code();
    assert!(matches!(code, "output-too-large" | "invalid-output"), "{code}");
    assert!(peak < MODEST + held, "{} MiB, of which the guest has {}", peak >> 20, held >> 20);
}
