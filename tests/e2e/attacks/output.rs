//! Output: what is too much is cut or refused, and nothing in it speaks for the host.

use bailiwick_domain::sandbox::InvokeError;
use serde_json::json;

use super::rogue::{self, Rogue};
use super::scene::{Scene, peak_of};
use crate::host::{Home, Server, eventually};
use crate::sandbox::lab::{error, failure};

/// Bytes that the host may take for one call, beside those of the guest.
const MODEST: u64 = 64 << 20;

/// Bytes of an answer of the guests here.
const LIMIT: u64 = 1 << 20;

fn scene() -> Scene {
    let mut scene = Scene::of("output");
    scene.terms.limits.output_bytes = LIMIT;
    // More than any flood here: what is kept is little in any case.
    scene.terms.limits.log_bytes = 1 << 30;
    scene
}

// A flood goes into a log that is cut, and so is no failure.
cases! { flood:
    stdout_flood => "16 MiB written",
    stderr_flood => "64 MiB written",
}

async fn flood(case: &str, expected: &str) {
    let (outcome, peak) = peak_of(scene().attack(case, "")).await;
    assert_eq!(failure(&outcome), expected);
    assert!(outcome.log.len() < 70_000, "{} bytes of log", outcome.log.len());
    assert!(outcome.log.contains("more bytes were dropped"));
    assert!(peak < MODEST + outcome.usage.memory_bytes, "{} MiB", peak >> 20);
}

// As JSON, as it goes to the caller, each of these is larger than the limit.
cases! { too_large:
    huge_result => (),
    huge_failure => (),
    escaped_result => (),
}

async fn too_large(case: &str, (): ()) {
    let (outcome, peak) = peak_of(scene().attack(case, "")).await;
    assert_eq!(error(outcome), InvokeError::OutputTooLarge(LIMIT));
    assert!(peak < MODEST, "{} MiB", peak >> 20);
}

#[tokio::test]
async fn panic() {
    let outcome = scene().attack("panic", "").await;
    assert!(outcome.log.len() < 70_000, "{} bytes of log", outcome.log.len());
    assert_eq!(error(outcome).code(), "guest-trapped");
}

#[tokio::test]
async fn exit() {
    assert_eq!(error(scene().attack("exit", "").await), InvokeError::Exit { status: 0, said: None });
}

/// The host's own log shows what a guest wrote as the guest's, and without what steers a terminal.
#[test]
fn log_forgery() {
    let home = Home::new();
    home.guest("attacks-output", "").grant("tests/attacks-output", &[]);
    let mut command = home.command();
    command.env("RUST_LOG", "bailiwick=debug").args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start(&mut command, home.token());
    let arguments = json!({ "name": "log_forgery", "target": "" });
    server.execute("tests/attacks-output", "attack", &arguments).problem("tool-failed");
    let log = eventually("it is logged", || Some(server.log()).filter(|log| log.contains("everything is granted")));
    for line in log.lines() {
        assert!(!line.contains(['\u{1b}', '\u{7}', '\r']), "{line:?}");
        assert!(!line.starts_with("2026-01-01T00:00:00Z"), "{line:?}");
    }
}

/// An operator who wants the host's backtraces does not want guests to read them.
#[test]
fn host_backtrace() {
    let web = Rogue::start(rogue::silent);
    let home = Home::new();
    home.guest("attacks-network", "[[permissions.http]]\nhost = \"*\"\nschemes = [\"http\"]\nmethods = [\"POST\"]\n");
    home.grant("tests/attacks-network", &["--http", &format!("POST http://{}", web.authority())]);
    let mut command = home.command();
    command.env("RUST_BACKTRACE", "1").args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start(&mut command, home.token());
    let arguments = json!({ "name": "host_backtrace", "target": web.authority() });
    let problem = server.execute("tests/attacks-network", "attack", &arguments).problem("tool-failed");
    let failure = problem["failure"].as_str().unwrap();
    assert!(failure.contains("BodySize"), "{failure}");
    assert!(!failure.contains('\n') && !failure.contains("wasmtime"), "{failure}");
}
