//! Time: a call ends at its deadline, wherever it is by then.

use bailiwick_domain::quota::Quota;
use std::fs;
use std::time::{Duration, Instant};

use bailiwick_domain::authority::{Access, FsMount};
use bailiwick_domain::sandbox::{InvokeError, Outcome};
use serde_json::{Value, json};

use super::scene::{LATE, SHORT, Scene};
use crate::sandbox::lab::error;

fn scene() -> Scene {
    let mut scene = Scene::of("time");
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

// In the guest's own code, in the host's, and between the two.
cases! { deadline:
    spin => (),
    sleep => (),
    sleep_until => (),
    naps => (),
    host_calls => (),
    file_calls => (),
}

async fn deadline(case: &str, (): ()) {
    let scene = scene().for_a(SHORT);
    let start = Instant::now();
    let outcome = scene.attack(case, "").await;
    ended_in_time(outcome, start);
    // Both run on one thread here: whoever does not give way is noticed.
    assert!(scene.answered_meanwhile() >= 3, "{} calls", scene.answered_meanwhile());
}

// Before the guest's function begins, while its arguments are written, and after it has answered.
cases! { deadline_elsewhere:
    start_loop => json!({}),
    realloc_loop => json!({ "name": "x" }),
    post_return_loop => json!({}),
}

async fn deadline_elsewhere(case: &str, arguments: Value) {
    let scene = Scene::of_wat(case).for_a(SHORT);
    let start = Instant::now();
    let outcome = scene.call(&arguments).await;
    ended_in_time(outcome, start);
}

#[track_caller]
fn ended_in_time(outcome: Outcome, start: Instant) {
    assert!(outcome.usage.wall >= SHORT.saturating_sub(Duration::from_millis(50)), "{:?}", outcome.usage);
    assert_eq!(error(outcome).code(), "deadline-exceeded");
    assert!(start.elapsed() < SHORT + LATE, "{:?}", start.elapsed());
}

// Recursion in Rust ends in the guest's own stack or in the engine's; in WAT there is only the latter.
cases! { recursion:
    recurse => Scene::of("time"),
    recurse_without_memory => Scene::of_wat("recurse_without_memory"),
}

async fn recursion(case: &str, scene: Scene) {
    let takes_a_name = scene.guest.tools.iter().any(|tool| !tool.params.is_empty());
    let arguments = if takes_a_name { json!({ "name": case, "target": "" }) } else { json!({}) };
    match error(scene.call(&arguments).await) {
        InvokeError::Trap { message, .. } => {
            assert!(message.contains("stack") || message.contains("out of bounds"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn poll_nothing() {
    assert_eq!(error(scene().attack("poll_nothing", "").await).code(), "guest-trapped");
}

#[tokio::test]
async fn fuel() {
    let mut scene = scene();
    scene.terms.limits.fuel = Some(10_000_000);
    let outcome = scene.attack("spin", "").await;
    assert_eq!(outcome.usage.fuel, Some(10_000_000));
    assert_eq!(error(outcome), InvokeError::Fuel(10_000_000));
}

/// The guest can't make a pipe, but a folder may hold one. Whoever opens it to
/// read waits for a writer, and no deadline ends a system call: the call ends
/// in time, and its thread waits on in the pipe, which is known and not solved.
#[test]
fn file_that_never_ends() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let scene = scene().for_a(SHORT);
    let pipe = scene.lab.folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let start = Instant::now();
    let outcome = runtime.block_on(scene.attack("file_that_never_ends", ""));
    // First of all: a runtime that is dropped waits for its threads.
    runtime.shutdown_background();
    ended_in_time(outcome, start);
}
