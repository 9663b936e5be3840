//! Questions of a running skill to a person.

use serde_json::{Value, json};

use super::{driver, failure, run};
use crate::host::{Home, eventually};

fn home() -> Home {
    let home = driver("", &[], "");
    home.grant("tests/driver", &["--deadline", "30 s"]);
    home
}

fn question(summary: &str) -> Value {
    json!({ "summary": summary, "details": "{\"files\": 3}" })
}

/// The question that waits, as it is told.
fn waiting(home: &Home) -> Option<Value> {
    let listed = home.run(&["--json", "approvals", "list"]).expect(0).json();
    listed["approvals"].as_array().unwrap().first().cloned()
}

#[test]
fn a_running_skill_waits_for_the_answer_of_a_person() {
    let home = home();
    let server = home.serve();
    for (answer, expected) in
        [(vec!["approve"], "approved"), (vec!["deny", "--reason", "not today"], "denied: not today")]
    {
        let client = server.by(Some(home.token()));
        let body = json!({ "tool": "ask", "arguments": question("May I remove three files?") });
        let asking = std::thread::spawn(move || client.post("/v1/skills/tests/driver/execute", &body));
        let asked = eventually("somebody is asked", || waiting(&home));
        assert_eq!(asked["summary"], "May I remove three files?", "{asked}");
        assert_eq!((&asked["arguments"], &asked["tool"]), (&json!({ "files": 3 }), &json!("ask")));
        let id = asked["id"].as_str().unwrap();
        let listed = home.run(&["approvals", "list"]).expect(0).stdout;
        assert!(listed.contains("May I remove three files?"), "{listed}");
        let shown = home.run(&["approvals", "show", id]).expect(0).stdout;
        assert!(shown.contains("asks       May I remove three files?"), "{shown}");
        let edited = home.run(&["approvals", "approve", id, "--args", "{}"]);
        assert!(edited.stderr.contains("no arguments to edit"), "{edited:?}");
        home.run(&[&["approvals", answer[0], id][..], &answer[1..]].concat()).expect(0);
        let answered = asking.join().unwrap().ok();
        assert_eq!(answered["output"], expected, "{answered}");
    }
    server.stop();
    let log = home.run(&["audit", "export"]).expect(0).stdout;
    assert!(log.contains("May I remove three files?"), "the audit log says what was asked: {log}");
}

/// Nobody answers in time; the answer that comes later is for the same question, once.
#[test]
fn an_answer_that_comes_later_is_for_the_very_same_question_and_for_one_call() {
    let home = driver("", &[], "");
    home.grant("tests/driver", &["--deadline", "900 ms"]);
    let pending = failure(run(&home, "ask", &question("May I?")));
    let id = pending.split('"').nth(1).unwrap().to_owned();
    assert!(pending.starts_with("Error::Pending"), "{pending}");
    home.run(&["approvals", "approve", &id]).expect(0);
    for other in [question("May I??"), json!({ "summary": "May I?", "details": "{\"files\": 4}" })] {
        let said = failure(run(&home, "ask", &other));
        assert!(said.starts_with("Error::Pending") && !said.contains(&id), "{said}");
    }
    assert_eq!(run(&home, "ask", &question("May I?")).expect(0).json()["output"], "approved");
    let again = failure(run(&home, "ask", &question("May I?")));
    assert!(again.starts_with("Error::Pending") && !again.contains(&id), "{again}");
}

/// A yes to a question is no approval of a call with the same words.
#[test]
fn a_yes_to_a_question_approves_no_call() {
    let home = driver("", &[], "risk_tags = [\"destructive\"]\n");
    home.grant("tests/driver", &["--deadline", "900 ms", "--accept-risk", "destructive"]);
    let details = json!({ "summary": "x", "details": "{}" });
    let asked = json!({ "summary": "y", "details": details.to_string() });
    let pending = failure(run(&home, "ask", &asked));
    let id = pending.split('"').nth(1).unwrap().to_owned();
    home.run(&["approvals", "approve", &id]).expect(0);
    // The same tool, with the details as its arguments, which now needs an approval.
    home.grant("tests/driver", &["--deadline", "900 ms"]);
    let refused = run(&home, "ask", &details).expect(4);
    assert!(refused.stderr.contains("waits for approval") && !refused.stderr.contains(&id), "{refused:?}");
}
