//! Every refusal as a problem document, and each says what to do.

use std::fmt::Write as _;
use std::thread;

use serde_json::{Value, json};

use crate::host::{Home, eventually};

fn home() -> Home {
    let home = Home::new();
    home.guest("hostile", "").guest("keeper", "").grant("tests/hostile", &[]);
    home
}

fn echo() -> Value {
    json!({ "tool": "echo", "arguments": { "text": "" } })
}

const EXECUTE: &str = "/v1/skills/tests/hostile/execute";
const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn without_a_good_key_nobody_is_let_in() {
    let home = home();
    let ended = home.run(&["--json", "key", "create", "short", "--expires", "1 ms"]).expect(0).json();
    let ended = ended["token"].as_str().unwrap();
    let revoked = home.key("gone", &["admin"]);
    home.run(&["key", "revoke", "gone"]).expect(0);
    let server = home.serve();
    for token in [None, Some("nonsense"), Some(ended), Some(&revoked)] {
        let client = server.by(token);
        for answer in [client.get("/v1/skills"), client.get("/v1/skills/tests/hostile"), client.post(EXECUTE, &echo())]
        {
            answer.problem("unauthenticated");
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{token:?}");
        }
    }
    server.by(None).get("/healthz").ok();
}

#[test]
fn a_key_is_good_for_its_scopes_alone_and_until_it_is_revoked() {
    let home = home();
    let (reader, executor) = (home.key("reader", &["skills:read"]), home.key("executor", &["skills:execute"]));
    let server = home.serve();
    let (reader, executor) = (server.by(Some(&reader)), server.by(Some(&executor)));
    reader.get("/v1/skills").ok();
    executor.post(EXECUTE, &echo()).ok();
    let problem = reader.post(EXECUTE, &echo()).problem("forbidden-scope");
    assert!(problem["detail"].as_str().unwrap().contains("skills:execute"), "{problem}");
    assert_eq!(executor.get("/v1/skills").problem("forbidden-scope")["status"], 403);
    home.run(&["key", "revoke", "executor"]).expect(0);
    eventually("the key is refused", || (executor.post(EXECUTE, &echo()).status == 401).then_some(()));
    reader.get("/v1/skills").ok();
}

#[test]
fn a_skill_without_a_grant_is_refused() {
    let home = home();
    let server = home.serve();
    let problem = server.execute("tests/keeper", "keys", &json!({})).problem("not-granted");
    assert_eq!(problem["status"], 403);
    // It says what a person can do.
    assert!(problem["detail"].as_str().unwrap().contains("bailiwick grant add tests/keeper"), "{problem}");
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let home = home();
    let server = home.serve();
    server.get("/v2/skills").problem("unknown-route");
    let problem = server.get("/v1/skills/tests/hostle").problem("unknown-skill");
    assert!(problem["detail"].as_str().unwrap().contains("tests/hostile"), "{problem}");
    let problem = server.execute("tests/hostile", "ecko", &json!({})).problem("unknown-tool");
    assert!(problem["detail"].as_str().unwrap().contains("`echo`"), "{problem}");
    let problem = server.post(EXECUTE, &json!({ "arguments": {} })).problem("tool-not-named");
    assert!(problem["detail"].as_str().unwrap().contains("`spin`"), "{problem}");
    server.get("/v1/skills/Tests/hostile").problem("invalid-path");
    server.get("/v1/skills/tests/%ff").problem("invalid-path");
    assert_eq!(server.get("/v1/skills/tests/nobody").status, 404);
}

#[test]
fn a_wrong_method_is_told_which_are_right() {
    let home = home();
    let server = home.serve();
    for (method, path, allowed) in
        [("POST", "/v1/skills", "GET"), ("DELETE", "/v1/skills/tests/hostile", "GET"), ("GET", EXECUTE, "POST")]
    {
        let body: Option<&[u8]> = (method == "POST").then_some(b"{}");
        let answer = server.send(method, path, &[JSON], body);
        answer.problem("method-not-allowed");
        assert_eq!(answer.status, 405);
        assert!(answer.header("allow").unwrap().contains(allowed), "{path}: {:?}", answer.header("allow"));
    }
}

#[test]
fn wrong_arguments_are_pointed_at() {
    let home = Home::new();
    home.guest("foreign", "").grant("tests/foreign", &[]);
    let server = home.serve();
    let arguments = json!({ "items": [{ "id": 1, "delta": "x" }], "factor": 1 });
    let problem = server.execute("tests/foreign", "weigh", &arguments).problem("invalid-arguments");
    assert_eq!(problem["status"], 422);
    let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
    assert!(pointer.starts_with("/arguments/items/0"), "{problem}");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("expected"), "{problem}");
    let problem = server.execute("tests/foreign", "weigh", &json!({ "items": [] })).problem("invalid-arguments");
    assert!(problem["detail"].as_str().unwrap().contains("factor"), "{problem}");
    let problem = server.execute("tests/foreign", "weigh", &json!({ "items": [], "factor": 1, "factr": 2 }));
    assert!(problem.problem("invalid-arguments").to_string().contains("factr"));
}

#[test]
fn a_wrong_request_is_pointed_at() {
    let home = home();
    let server = home.serve();
    for (body, pointer) in [
        (json!({ "tool": 7 }), "/tool"),
        (json!({ "tool": "echo", "deadline_ms": "soon" }), "/deadline_ms"),
        (json!({ "tool": "echo", "deadline_ms": 0 }), "/deadline_ms"),
        (json!({ "tool": "echo", "deadline_ms": -5 }), "/deadline_ms"),
        (json!({ "tool": "echo", "arguments": ["x"] }), "/arguments"),
        (json!(["echo"]), ""),
    ] {
        let problem = server.post(EXECUTE, &body).problem("invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let problem = server.post(EXECUTE, &json!({ "tol": "echo" })).problem("invalid-request");
    assert!(problem["detail"].as_str().unwrap().contains("tol"), "{problem}");
    let deep = format!("{{\"arguments\": {{\"a\": {}", "[".repeat(10_000));
    for body in ["", "{", "{\"tool\": \"echo\",}", "\u{feff}{}", &deep] {
        let problem = server.send("POST", EXECUTE, &[JSON], Some(body.as_bytes())).problem("invalid-json");
        assert!(problem["detail"].as_str().unwrap().contains("line 1"), "{problem}");
    }
    server.send("POST", EXECUTE, &[JSON], Some(b"{\"tool\": \"\xff\"}")).problem("invalid-json");
    server.send("POST", &format!("{EXECUTE}?tool=echo"), &[JSON], Some(b"{}")).problem("invalid-query");
}

#[test]
fn only_json_is_taken() {
    let home = home();
    let server = home.serve();
    let body = echo().to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"] {
        let answer = server.send("POST", EXECUTE, &[("content-type", kind)], Some(body.as_bytes()));
        answer.problem("unsupported-media-type");
        assert_eq!(answer.status, 415);
    }
    let coded = [JSON, ("content-encoding", "gzip")];
    server.send("POST", EXECUTE, &coded, Some(body.as_bytes())).problem("unsupported-media-type");
    let utf8 = [("content-type", "application/json; charset=UTF-8")];
    server.send("POST", EXECUTE, &utf8, Some(body.as_bytes())).ok();
}

#[test]
fn a_body_that_is_too_large_is_refused_announced_or_not() {
    let home = home();
    let server = home.serve();
    let large = json!({ "tool": "echo", "arguments": { "text": "x".repeat(5 << 20) } }).to_string();
    // The server may answer and close before all was sent, so this one goes as bytes.
    let head = |more: &str| {
        let token = home.token();
        let address = server.address();
        format!(
            "POST {EXECUTE} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\nconnection: close\r\n{more}\r\n"
        )
    };
    let answer = server.raw(&head(&format!("content-length: {}\r\n", large.len())));
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body-too-large"), "{answer}");
    let mut chunked = head("transfer-encoding: chunked\r\n");
    for chunk in large.as_bytes().chunks(1 << 16).take(66) {
        write!(chunked, "{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap()).unwrap();
    }
    let answer = server.raw(&chunked);
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body-too-large"), "{answer}");
    server.post(EXECUTE, &echo()).ok();
}

#[test]
fn a_request_for_another_host_or_from_another_page_is_refused() {
    let home = home();
    let server = home.serve();
    let ask = |host: &str, more: &str| {
        let token = home.token();
        server.raw(&format!("GET /v1/skills HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n{more}\r\n"))
    };
    let own = server.address().to_owned();
    assert!(ask(&own, "").starts_with("HTTP/1.1 200 "));
    assert!(ask("evil.example", "").starts_with("HTTP/1.1 421 "));
    assert!(ask(&own, "origin: http://evil.example\r\n").starts_with("HTTP/1.1 403 "));
    assert!(ask(&own, &format!("origin: http://{own}\r\n")).starts_with("HTTP/1.1 200 "));
}

#[test]
fn too_many_calls_are_told_when_to_come_back() {
    let home = Home::new();
    home.guest("hostile", "[limits]\ndeadline = \"60 s\"\nconcurrency = 1\n").grant("tests/hostile", &[]);
    let server = home.serve();
    thread::scope(|scope| {
        let long = scope.spawn(|| server.execute_when_free("tests/hostile", "sleep", &json!({ "millis": 4_000 })));
        let answer = server.wait_until_busy();
        let problem = answer.problem("busy");
        assert!(problem["retry_after_ms"].as_u64().unwrap() > 0, "{problem}");
        assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
        long.join().unwrap().ok();
    });
    server.post(EXECUTE, &echo()).ok();
}

#[test]
fn too_many_bad_keys_are_told_when_to_come_back() {
    let home = home();
    let server = home.serve();
    let stranger = server.by(Some("nonsense"));
    let answers: Vec<_> = (0..12).map(|_| stranger.get("/v1/skills")).collect();
    answers[0].problem("unauthenticated");
    let last = answers.last().unwrap();
    last.problem("too-many-attempts");
    let wait: u64 = last.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    server.get("/v1/skills").ok();
}
