//! The last words of a guest that ends badly: never a bare trap.

use serde_json::json;

use super::{driver, run};
use crate::host::Home;

fn home() -> Home {
    let home = driver("", &[], "");
    home.grant("tests/driver", &["--log", "8 MiB"]);
    home
}

#[test]
fn a_panic_is_told_with_its_message_and_place() {
    let ran = run(&home(), "panic", &json!({ "message": "the ladder is too short" })).expect(7);
    assert!(ran.stderr.contains("the ladder is too short"), "{ran:?}");
    assert!(ran.stderr.contains("src/lib.rs:") && ran.stderr.contains("before the end"), "{ran:?}");
}

#[test]
fn whoever_ends_a_guest_is_told_what_it_said() {
    let ran = run(&home(), "leave", &json!({ "message": "no paper left", "status": 3 })).expect(7);
    assert!(ran.stderr.contains("status 3") || ran.stderr.contains("status 1"), "{ran:?}");
    assert!(ran.stderr.contains("no paper left"), "{ran:?}");
}

/// The log is cut in its middle, and what comes last is still told.
#[test]
fn last_words_are_the_last_however_much_was_said() {
    let arguments = json!({ "lines": 20_000, "message": "the very end" });
    let server = home();
    let server = (server.serve(), server);
    let body = json!({ "tool": "babble", "arguments": arguments });
    let problem = server.0.post("/v1/skills/tests/driver/execute", &body).json();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("the very end") && detail.contains("line 19999"), "{detail}");
    assert!(detail.len() < 8000, "{} bytes", detail.len());
}
