//! What a call tells while it runs: progress and lines of its log.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{driver, run};
use crate::client::Client;
use crate::host::Home;

fn home() -> Home {
    let home = driver("", &[], "");
    home.grant("tests/driver", &[]);
    home
}

/// The events of a call, by name and data.
fn events(client: &Client, body: &Value) -> Vec<(String, Value)> {
    let accept = [("accept", "text/event-stream")];
    let answer = client.post_with("/v1/skills/tests/driver/execute", &accept, body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    let event = |block: &str| {
        let line = |key: &str| block.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        Some((line("event:")?.to_owned(), serde_json::from_str(line("data:")?).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[test]
fn a_followed_call_tells_how_far_it_is_and_then_its_answer() {
    let home = home();
    let server = home.serve();
    let body = json!({ "tool": "progress", "arguments": { "steps": 4, "pause-ms": 80 } });
    let events = events(&server, &body);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["progress", "progress", "progress", "progress", "result"]);
    assert_eq!(events[1].1, json!({ "done": 2, "total": 4, "message": "step 2 of 4" }), "one line, whatever it was");
    assert_eq!(events[4].1["output"], 4);
    assert_eq!(events[4].1["receipt"]["outcome"], "succeeded");
}

#[test]
fn reports_that_come_too_fast_are_dropped() {
    let home = home();
    let server = home.serve();
    let events = events(&server, &json!({ "tool": "progress", "arguments": { "steps": 1000, "pause-ms": 0 } }));
    assert!(events.len() < 200, "{} events", events.len());
    let last = &events[events.len() - 2].1;
    assert_eq!((&last["done"], &last["total"]), (&json!(1000), &json!(1000)), "the end is told in any case");
}

#[test]
fn lines_of_a_log_are_events_and_stand_in_the_log_of_the_call() {
    let home = home();
    let arguments = json!({ "context": "reader", "message": "three rows are empty" });
    let told = events(&home.serve(), &json!({ "tool": "log", "arguments": arguments }));
    let line = json!({ "level": "warn", "context": "reader", "message": "three rows are empty" });
    assert_eq!(told[0], ("log".to_owned(), line));
    let ran = run(&home, "log", &arguments).expect(0);
    assert!(ran.stderr.contains("warn reader: three rows are empty"), "{ran:?}");
}

#[test]
fn a_problem_is_the_last_event() {
    let home = home();
    let server = home.serve();
    let told = events(&server, &json!({ "tool": "panic", "arguments": { "message": "oh no" } }));
    let (name, problem) = told.last().unwrap();
    assert_eq!((name.as_str(), &problem["code"]), ("problem", &json!("guest-trapped")));
    let told = events(&server, &json!({ "tool": "nothing", "arguments": {} }));
    assert_eq!(told.last().unwrap().1["code"], "unknown-tool");
}

#[test]
fn no_secret_is_in_what_a_call_tells() {
    let home = Home::with("[secrets]\ntoken = { file = \"token.txt\" }\n");
    let file = home.write("token.txt", "a secret of the host");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.guest("driver", "");
    home.grant("tests/driver", &["--deadline", "900 ms"]);
    let server = home.serve();
    let secret = "it is: a secret of the host";
    let told = events(&server, &json!({ "tool": "log", "arguments": { "context": secret, "message": secret } }));
    assert_eq!(told[0].1["message"], "it is: [secret token]");
    assert!(!format!("{told:?}").contains("a secret of the host"), "{told:?}");
    let arguments = json!({ "summary": secret, "details": json!({ "text": secret }).to_string() });
    events(&server, &json!({ "tool": "ask", "arguments": arguments }));
    let listed = home.run(&["--json", "approvals", "list"]).expect(0).json();
    assert_eq!(listed["approvals"][0]["summary"], "it is: [secret token]", "{listed}");
    assert!(!listed["approvals"][0]["arguments"].to_string().contains("a secret of the host"), "{listed}");
}
