//! No way out of a call has a secret, by whichever way it came in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{SECRET, assert_clean, home};
use crate::host::{Ran, Server, eventually};

#[test]
fn what_a_call_answers_fails_with_logs_or_dies_of_has_no_secret() {
    let home = home();
    home.grant("tests/courier", &[]);
    let server =
        Server::start(home.command().args(["serve", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "debug"), home.token());
    for text in [SECRET.to_owned(), STANDARD.encode(SECRET), format!("before {SECRET} and after {SECRET}")] {
        let arguments = json!({ "text": text });
        let call = |tool| server.execute("tests/courier", tool, &arguments);
        let echoed = call("echo");
        assert!(echoed.output().as_str().unwrap().contains("[secret token]"), "{}", echoed.text());
        let failed = call("fail");
        assert!(failed.problem("tool-failed").to_string().contains("[secret token]"), "{}", failed.text());
        let panicked = call("panic");
        assert!(panicked.status >= 400, "{}", panicked.text());
        for answer in [echoed, failed, panicked, call("say")] {
            assert_clean(&answer.text());
        }
    }
    // What guests say is logged for those who ask.
    eventually("the guest's words are logged", || server.log().contains("after [secret token]").then_some(()));
    assert_clean(&server.log());
}

#[test]
fn what_a_command_prints_has_no_secret() {
    let home = home();
    home.grant("tests/courier", &[]);
    home.write("arguments.json", json!({ "text": SECRET }).to_string());
    for (tool, code) in [("echo", 0), ("fail", 5), ("say", 0), ("panic", 7)] {
        for json in [&[][..], &["--json"]] {
            let run = ["skills", "run", "tests/courier", tool, "--args", "@arguments.json", "--receipt"];
            let Ran { stdout, stderr, .. } = home.run(&[json, &run].concat()).expect(code);
            let said = format!("{stdout}{stderr}");
            assert_clean(&said);
            // A panic's own words are in the log of the guest, which is not printed for it.
            assert!(said.contains("[secret token]") || tool == "panic", "{tool}: {said}");
        }
    }
}

#[test]
fn a_replayed_answer_has_no_secret_either() {
    let home = home();
    home.grant("tests/courier", &[]);
    let server = home.serve();
    let body = json!({ "tool": "echo", "arguments": { "text": SECRET } });
    for replayed in [false, true] {
        let answer = server.execute_with("tests/courier", &[("idempotency-key", "one")], &body);
        assert_eq!(answer.ok()["replayed"], replayed, "{}", answer.text());
        assert_clean(&answer.text());
    }
    // The log has what the engine has not written yet, and is empty when the journal is closed.
    let log = std::fs::read(home.path("data/journal.wal")).unwrap();
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("tests/courier"), "the call is not in the log");
    assert_clean(&log);
    server.stop();
    let journal = std::fs::read(home.path("data/journal.redb")).unwrap();
    assert_clean(&String::from_utf8_lossy(&journal));
}

/// The log is cut at 64 KiB: a half of a secret is no less told than a whole one.
#[test]
fn a_log_that_is_cut_amid_a_secret_ends_before_it() {
    let home = home();
    home.grant("tests/courier", &[]);
    let text = format!("{}{SECRET}{}", "x".repeat((64 << 10) - SECRET.len() / 2), "y".repeat(1000));
    home.write("arguments.json", json!({ "text": text }).to_string());
    let run = ["skills", "run", "tests/courier", "say", "--args", "@arguments.json"];
    let Ran { stdout, stderr, .. } = home.run(&run).expect(0);
    let said = format!("{stdout}{stderr}");
    assert!(said.contains("more bytes were dropped"), "{}", said.len());
    let half = &SECRET[..SECRET.len() / 2];
    assert!(!said.contains(half), "half of the secret is told");
}
