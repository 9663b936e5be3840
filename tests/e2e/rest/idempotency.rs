//! Requests that are sent again: one call, one answer, also over restarts and crashes.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::host::{Home, eventually};

/// A counter that shows how often a call was made.
fn counting() -> Home {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\n").grant("tests/keeper", &["--state"]);
    home
}

fn add(client: &Client, key: &str, delta: u64) -> Answer {
    let body = json!({ "tool": "add", "arguments": { "key": "n", "delta": delta } });
    client.execute_with("tests/keeper", &[("idempotency-key", key)], &body)
}

fn total(client: &Client) -> Value {
    client.execute("tests/keeper", "add", &json!({ "key": "n", "delta": 0 })).output()
}

#[test]
fn a_request_that_is_sent_again_gets_the_first_answer_also_after_a_restart() {
    let home = counting();
    let server = home.serve();
    let first = add(&server, "order-17", 5).ok();
    assert_eq!((&first["output"], &first["replayed"]), (&json!(5), &json!(false)));
    let again = add(&server, "order-17", 5).ok();
    assert_eq!((&again["output"], &again["replayed"]), (&json!(5), &json!(true)));
    assert_eq!((&again["receipt"], &again["usage"]), (&first["receipt"], &first["usage"]));
    server.stop();
    let server = home.serve();
    let later = add(&server, "order-17", 5).ok();
    assert_eq!((&later["receipt"], &later["replayed"]), (&first["receipt"], &json!(true)));
    assert_eq!(total(&server), 5, "the call was made once");
    assert_eq!(add(&server, "order-18", 5).output(), 10);
}

#[test]
fn an_answer_outlives_a_crash() {
    let home = counting();
    let server = home.serve();
    let first = add(&server, "order-17", 5).ok();
    server.kill();
    let server = home.serve();
    let later = add(&server, "order-17", 5).ok();
    assert_eq!((&later["receipt"], &later["replayed"]), (&first["receipt"], &json!(true)));
    assert_eq!(total(&server), 5);
}

#[test]
fn a_key_belongs_to_one_request_of_one_caller() {
    let home = counting();
    let other = home.key("other", &["skills:execute"]);
    let server = home.serve();
    add(&server, "order-17", 5).ok();
    add(&server, "order-17", 6).problem("idempotency-mismatch");
    let answer = add(&server.by(Some(&other)), "order-17", 6).ok();
    assert_eq!((&answer["output"], &answer["replayed"]), (&json!(11), &json!(false)));
    for bad in ["", "two words", "ümlaut", &"x".repeat(256)] {
        add(&server, bad, 1).problem("invalid-header");
    }
    assert_eq!(total(&server), 11);
}

#[test]
fn a_failure_of_the_tool_is_kept_like_an_output() {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\n").grant("tests/keeper", &[]);
    let server = home.serve();
    let first = add(&server, "order-17", 5).problem("tool-failed");
    server.regrant(&home, "tests/keeper", &["--state"]);
    let again = add(&server, "order-17", 5).problem("tool-failed");
    assert_eq!((&again["failure"], &again["replayed"]), (&first["failure"], &json!(true)));
    assert_eq!(again["receipt"]["id"], first["receipt"]["id"]);
    assert_eq!(total(&server), 0);
}

fn sleepy(more: &str) -> Home {
    let home = Home::new();
    home.guest("hostile", &format!("{more}\n[limits]\ndeadline = \"110 s\"\nconcurrency = 3\n"));
    home.grant("tests/hostile", &[]);
    home
}

fn sleep(client: &Client, millis: u64) -> Answer {
    let body = json!({ "tool": "sleep", "arguments": { "millis": millis } });
    client.execute_with("tests/hostile", &[("idempotency-key", "nap")], &body)
}

#[test]
fn a_request_that_is_sent_again_too_early_is_told_when_to_come_back() {
    let home = sleepy("");
    let server = home.serve();
    let answers = thread::scope(|scope| {
        let calls = [(); 3].map(|()| scope.spawn(|| sleep(&server, 5_000)));
        calls.map(|call| call.join().unwrap())
    });
    let (made, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(made.iter().filter(|answer| answer.ok()["replayed"] == false).count(), 1, "one of them makes the call");
    let first = waiting.first().expect("the others come while it is made");
    let problem = first.problem("idempotency-in-progress");
    assert!(problem["retry_after_ms"].as_u64().unwrap() > 0);
    assert!(first.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(sleep(&server, 5_000).ok()["replayed"], true);
}

/// Begins a call and kills the server in the midst of it.
fn cut_off(home: &Home) {
    let server = home.serve();
    let client = Client::clone(&server);
    let call = thread::spawn(move || {
        eventually("there is a place for the call", || Some(sleep(&client, 100_000)).filter(|it| it.status != 429))
    });
    // Until a call is counted nothing of it is written down; after that, it soon is.
    let others = [(); 2].map(|()| {
        let client = Client::clone(&server);
        thread::spawn(move || client.execute_when_free("tests/hostile", "sleep", &json!({ "millis": 90_000 })))
    });
    server.wait_until_busy();
    thread::sleep(Duration::from_secs(2));
    server.kill();
    // Their connections broke with the server.
    assert!(call.join().is_err() && others.into_iter().all(|other| other.join().is_err()));
}

#[test]
fn a_call_that_a_crash_cut_off_is_not_made_again() {
    let home = sleepy("");
    cut_off(&home);
    let server = home.serve();
    let problem = sleep(&server, 100_000).problem("idempotency-interrupted");
    assert!(problem["detail"].as_str().unwrap().contains("sleep"), "{problem}");
}

#[test]
fn a_call_that_a_crash_cut_off_is_made_again_where_it_may_be() {
    let home = sleepy("idempotent = true");
    cut_off(&home);
    let server = home.serve();
    // That it runs shows in that it ends at a deadline, which is no part of the request.
    let body = json!({ "tool": "sleep", "arguments": { "millis": 100_000 }, "deadline_ms": 200 });
    server.execute_with("tests/hostile", &[("idempotency-key", "nap")], &body).problem("deadline-exceeded");
}
