//! Calls that a person has to approve, over REST and on the command line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::host::{Home, PATIENCE, Server, eventually};

const RISKY: &str = "risk_tags = [\"destructive\"]\n";

fn home() -> Home {
    let home = Home::new();
    home.guest("hostile", RISKY).grant("tests/hostile", &[]);
    home
}

fn echo(client: &Client, text: &str) -> Answer {
    client.execute("tests/hostile", "echo", &json!({ "text": text }))
}

/// Somebody who may answer, and nothing else.
fn person(home: &Home, server: &Server) -> Client {
    let token = home.key("person", &["approvals:answer"]);
    let person = server.by(Some(&token));
    eventually("the key is known", || (person.get("/v1/approvals").status == 200).then_some(()));
    person
}

fn pending(person: &Client) -> Vec<Value> {
    person.get("/v1/approvals?state=pending").ok()["approvals"].as_array().unwrap().clone()
}

#[test]
fn a_call_waits_for_a_person_and_is_made_once() {
    let home = home();
    let server = home.serve();
    let person = person(&home, &server);
    let problem = echo(&server, "hello").problem("approval-required");
    let id = problem["approval"].as_str().unwrap();
    let shown = person.get(&format!("/v1/approvals/{id}")).ok();
    assert_eq!((&shown["state"], &shown["arguments"]["text"]), (&json!("pending"), &json!("hello")));
    assert_eq!((&shown["principal"], &shown["tags"]), (&json!("key:e2e"), &json!(["destructive"])));
    // Who asks can't answer.
    let own = server.post(&format!("/v1/approvals/{id}/answer"), &json!({ "decision": "approve" }));
    own.problem("forbidden-scope");
    let approved = person.post(&format!("/v1/approvals/{id}/answer"), &json!({ "decision": "approve" })).ok();
    assert_eq!((&approved["state"], &approved["decided_by"]), (&json!("approved"), &json!("key:person")));
    assert_eq!(echo(&server, "hello").output(), json!("hello"));
    echo(&server, "hello").problem("approval-required");
    echo(&server, "other").problem("approval-required");
    let again = person.post(&format!("/v1/approvals/{id}/answer"), &json!({ "decision": "deny" }));
    again.problem("approval-settled");
    person.get("/v1/approvals/apr_none").problem("unknown-approval");
    let wrong = json!({ "decision": "deny", "arguments": {} });
    person.post(&format!("/v1/approvals/{id}/answer"), &wrong).problem("invalid-request");
}

#[test]
fn approvals_outlive_the_host() {
    let home = home();
    let server = home.serve();
    let id = echo(&server, "hello").problem("approval-required")["approval"].as_str().unwrap().to_owned();
    server.kill();
    home.run(&["approvals", "approve", &id, "--reason", "fine"]).expect(0);
    let server = home.serve();
    assert_eq!(echo(&server, "hello").output(), json!("hello"));
    server.kill();
    let server = home.serve();
    let other = echo(&server, "hello").problem("approval-required")["approval"].as_str().unwrap().to_owned();
    assert_ne!(id, other, "it was used");
}

#[test]
fn a_caller_waits_and_the_command_line_answers_a_running_server() {
    let home = home();
    let server = home.serve();
    let person = person(&home, &server);
    let client = Client::clone(&server);
    let waiting = thread::spawn(move || {
        let body = json!({ "tool": "echo", "arguments": { "text": "hello" } });
        client.execute_with("tests/hostile", &[("prefer", "respond-async, wait=30")], &body)
    });
    let asked = eventually("the question is there", || pending(&person).pop());
    let id = asked["id"].as_str().unwrap();
    let list = home.run(&["approvals", "list"]).expect(0).stdout;
    assert!(list.contains(id) && list.contains("tests/hostile echo"), "{list}");
    let shown = home.run(&["approvals", "show", id]).expect(0).stdout;
    assert!(shown.contains("\"text\": \"hello\"") && shown.contains("key:e2e"), "{shown}");
    let edited = ["approvals", "approve", id, "--args", "{\"text\": \"edited\"}"];
    assert!(home.run(&edited).expect(0).stdout.contains("approved"));
    assert_eq!(waiting.join().unwrap().output(), json!("edited"));
    let refused = echo(&server, "no").problem("approval-required");
    home.run(&["approvals", "deny", refused["approval"].as_str().unwrap(), "--reason", "not today"]).expect(0);
    let denied = echo(&server, "no").problem("approval-denied");
    assert!(denied["detail"].as_str().unwrap().contains("not today"), "{denied}");
    home.run(&["approvals", "approve", "apr_none"]).expect(3);
}

#[test]
fn a_person_reads_long_texts_line_by_line() {
    let home = home();
    let server = home.serve();
    let asked = echo(&server, "one\n\"two\"").problem("approval-required");
    let shown = home.run(&["approvals", "show", asked["approval"].as_str().unwrap()]).expect(0).stdout;
    let expected = "\n    {\n      \"text\": text of 2 lines\n        | one\n        | \"two\"\n    }\n";
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn a_run_on_the_command_line_says_what_it_waits_for() {
    let home = home();
    let run = ["skills", "run", "tests/hostile", "echo", "--arg", "text=hello"];
    let refused = home.run(&run).expect(4);
    let id = refused.stderr.split_whitespace().find(|word| word.starts_with("apr_")).unwrap();
    let id = id.trim_end_matches(':');
    home.run(&["approvals", "approve", id]).expect(0);
    assert_eq!(home.run(&run).expect(0).stdout, "hello\n");
    home.run(&run).expect(4);
}

#[test]
fn whoever_listens_is_told_of_each_change() {
    let home = home();
    let server = home.serve();
    let person = person(&home, &server);
    let token = home.key("listener", &["approvals:answer"]);
    eventually("the key is known", || (server.by(Some(&token)).get("/v1/approvals").status == 200).then_some(()));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let host = server.address();
    write!(stream, "GET /v1/approvals/events HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n")
        .unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut event = || lines.find_map(|line| line.unwrap().strip_prefix("event: ").map(str::to_owned)).unwrap();
    // The stream is open once its head is there.
    let opened = thread::spawn({
        let client = Client::clone(&server);
        move || {
            thread::sleep(std::time::Duration::from_millis(300));
            echo(&client, "hello").problem("approval-required")
        }
    });
    assert_eq!(event(), "approval-pending");
    let id = opened.join().unwrap()["approval"].as_str().unwrap().to_owned();
    person.post(&format!("/v1/approvals/{id}/answer"), &json!({ "decision": "approve" })).ok();
    assert_eq!(event(), "approval-approved");
    echo(&server, "hello").ok();
    assert_eq!(event(), "approval-used");
}
