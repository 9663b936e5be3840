//! Calls: deadlines, traces, receipts, secrets.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::host::{Home, Server, eventually};

/// Far above every deadline of these tests, and far below what the guest would take.
const ENDED_EARLY: Duration = Duration::from_secs(20);

fn hostile(more: &str) -> Home {
    let home = Home::new();
    home.guest("hostile", more).grant("tests/hostile", &[]);
    home
}

#[test]
fn a_call_is_answered_with_what_it_was() {
    let home = hostile("");
    let server = home.serve();
    let answer = server.execute("tests/hostile", "echo", &json!({ "text": "grüße" })).ok();
    let detail = server.get("/v1/skills/tests/hostile").ok();
    for (key, expected) in [("skill", json!("tests/hostile")), ("tool", json!("echo")), ("output", json!("grüße"))] {
        assert_eq!(answer[key], expected, "{answer}");
    }
    assert_eq!((&answer["digest"], &answer["version"]), (&detail["digest"], &json!("1.0.0")));
    assert_eq!((&answer["replayed"], &answer["receipt"]["outcome"]), (&json!(false), &json!("succeeded")));
    assert_eq!(answer["receipt"]["denials"], json!([]));
    let usage = &answer["usage"];
    assert!(usage["wall_us"].as_u64().unwrap() > 0 && usage["memory_bytes"].as_u64().unwrap() > 0, "{usage}");
    assert_eq!(usage.get("fuel"), None, "fuel is counted only where a limit asks for it");
    let again = server.execute("tests/hostile", "echo", &json!({ "text": "grüße" })).ok();
    assert_ne!(again["receipt"]["id"], answer["receipt"]["id"]);
    assert_eq!(again["receipt"]["arguments"], answer["receipt"]["arguments"]);
}

#[test]
fn a_failure_of_the_tool_is_told_whole() {
    let home = Home::new();
    home.guest("keeper", "").grant("tests/keeper", &[]);
    let server = home.serve();
    let problem = server.execute("tests/keeper", "put", &json!({ "key": "k", "value": "v" })).problem("tool-failed");
    assert!(problem["failure"].is_string(), "{problem}");
    assert_eq!(problem["receipt"]["outcome"], "failed");
    assert_eq!(problem["receipt"]["denials"][0]["capability"], "state");
    assert_eq!((&problem["skill"], &problem["tool"]), (&json!("tests/keeper"), &json!("put")));
    assert!(problem["usage"]["host_calls"].is_u64(), "{problem}");
}

#[test]
fn a_client_can_shorten_the_deadline() {
    let home = hostile("[limits]\ndeadline = \"60 s\"\n");
    let server = home.serve();
    let start = Instant::now();
    for (tool, arguments) in [("spin", json!({})), ("sleep", json!({ "millis": 55_000 }))] {
        let body = json!({ "tool": tool, "arguments": arguments, "deadline_ms": 300 });
        let problem = server.execute_with("tests/hostile", &[], &body).problem("deadline-exceeded");
        assert!(problem["usage"]["wall_us"].as_u64().unwrap() >= 250_000, "{problem}");
        assert_eq!(problem["receipt"]["outcome"], "deadline-exceeded");
    }
    assert!(start.elapsed() < ENDED_EARLY, "the calls outlived their deadlines: {:?}", start.elapsed());
}

#[test]
fn a_client_can_not_lengthen_the_deadline() {
    let home = hostile("[limits]\ndeadline = \"300 ms\"\n");
    let server = home.serve();
    let start = Instant::now();
    let body = json!({ "tool": "sleep", "arguments": { "millis": 55_000 }, "deadline_ms": 60_000 });
    server.execute_with("tests/hostile", &[], &body).problem("deadline-exceeded");
    assert!(start.elapsed() < ENDED_EARLY, "{:?}", start.elapsed());
}

#[test]
fn a_trace_goes_in_and_comes_out() {
    let home = hostile("");
    let server = home.serve();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let given = format!("00-{trace}-00f067aa0ba902b7-01");
    let body = json!({ "tool": "echo", "arguments": { "text": "" } });
    let answer = server.execute_with("tests/hostile", &[("traceparent", &given)], &body);
    assert_eq!(answer.header("traceparent").unwrap().split('-').nth(1), Some(trace));
    assert_eq!(answer.ok()["receipt"]["trace_id"], trace);
    server
        .execute_with("tests/hostile", &[("traceparent", &given)], &json!({ "tool": "trap" }))
        .problem("guest-trapped");
    eventually("the failed call is logged", || server.log().contains(trace).then_some(()));
    // Without one, or with one that is none, each request gets its own; problems too.
    let mut seen = BTreeSet::new();
    for bad in ["", "nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
        let answer = server.execute_with("tests/hostile", &[("traceparent", bad)], &body);
        let fresh = answer.header("traceparent").unwrap().to_owned();
        let parts: Vec<_> = fresh.split('-').collect();
        assert_eq!((parts.len(), parts[0], parts[1].len(), parts[2].len()), (4, "00", 32, 16), "{fresh}");
        assert_eq!(answer.ok()["receipt"]["trace_id"], parts[1]);
        assert!(seen.insert(fresh));
    }
    let missing = server.get("/nowhere");
    missing.problem("unknown-route");
    assert!(seen.insert(missing.header("traceparent").unwrap().to_owned()));
}

#[test]
fn every_answer_forbids_to_be_kept_or_guessed_at() {
    let home = hostile("");
    let server = home.serve();
    for path in ["/v1/skills", "/v1/skills/tests/nobody", "/nowhere", "/healthz", "/openapi.json"] {
        let answer = server.get(path);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[test]
fn no_call_sees_what_an_earlier_one_left() {
    let home = hostile("");
    let server = home.serve();
    for _ in 0..3 {
        assert_eq!(server.execute("tests/hostile", "count", &json!({})).output(), 1);
    }
}

/// With everything logged that can be: keys, arguments, outputs and settings are still not in it.
#[test]
fn no_secret_is_logged() {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\nconfig = [\"password\"]\n").guest("hostile", "");
    home.grant("tests/keeper", &["--state", "--setting", "password=swordfish-setting"]);
    home.grant("tests/hostile", &[]);
    let token = home.token().to_owned();
    // After the prefix and the id, which are no secrets.
    let secret_part = token.splitn(3, '_').nth(2).unwrap().to_owned();
    let mut command = home.command();
    command.env("RUST_LOG", "trace").args(["serve", "--listen", "127.0.0.1:0"]);
    let mut server = Server::start(&mut command, &token);
    let put = json!({ "key": "colour", "value": "mauve-argument" });
    server.execute("tests/keeper", "put", &put).ok();
    assert_eq!(server.execute("tests/keeper", "get", &json!({ "key": "colour" })).output(), "mauve-argument");
    assert_eq!(server.execute("tests/keeper", "setting", &json!({ "key": "password" })).output(), "swordfish-setting");
    server.execute("tests/hostile", "echo", &json!({ "text": 7 })).problem("invalid-arguments");
    server.by(Some("bw_not-a-good-token")).get("/v1/skills").problem("unauthenticated");
    let body = json!({ "tool": "count", "arguments": {} });
    server.execute_with("tests/hostile", &[("idempotency-key", "idem-secret-1")], &body).ok();
    server.terminate();
    server.wait();
    let log = server.log();
    assert!(log.contains("tests/keeper"), "calls are logged: {log}");
    let secrets: [&str; 6] =
        [&token, &secret_part, "mauve-argument", "swordfish-setting", "bw_not-a-good-token", "idem-secret-1"];
    for secret in secrets {
        assert!(!log.contains(secret), "`{secret}` is in the log: {log}");
    }
    // Nor is a key shown twice.
    assert!(!home.run(&["--json", "key", "list"]).expect(0).stdout.contains(&secret_part));
}
