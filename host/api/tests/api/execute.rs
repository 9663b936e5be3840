//! Running tools: what goes in, what comes out, and every way to fail.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bailiwick_api::problem::Kind;
use bailiwick_journal::{Shelf, Undone};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::host::{Package, TestHost, faults, write};

fn say(text: &str) -> String {
    json!({ "tool": "say", "arguments": { "text": text } }).to_string()
}

#[tokio::test]
async fn a_tool_runs_and_its_answer_is_passed_on() {
    let host = TestHost::new();
    let answer = host.execute("acme/echo", &say("hi")).await.json();
    assert_eq!(faults("ExecuteResponse", &answer), Vec::<String>::new());
    let skill = host.get("/v1/skills/acme/echo").await.json();
    for key in ["version", "digest"] {
        assert_eq!(answer[key], skill[key]);
    }
    assert_eq!(
        (&answer["skill"], &answer["tool"], &answer["output"]),
        (&json!("acme/echo"), &json!("say"), &json!("hi"))
    );
    assert_eq!((&answer["usage"]["wall_us"], &answer["usage"]["memory_bytes"]), (&json!(1500), &json!(65536)));
    assert_eq!(answer["usage"].get("fuel"), None);
    assert_eq!(answer["receipt"]["outcome"], "succeeded");
    assert_eq!(answer["receipt"]["started_at"], "2026-11-20T11:00:00.000Z");
    assert_eq!(answer["receipt"]["denials"][0]["request"], "GET https://example.com");
    assert_eq!(answer["replayed"], false);
    assert_eq!(host.sandbox.seen.lock().expect("unpoisoned").as_slice(), [json!({ "text": "hi" })]);
}

#[tokio::test]
async fn the_path_or_the_body_picks_the_release() {
    let host = TestHost::new();
    for (skill, body, version) in [
        ("acme/echo", r#"{"tool":"say"}"#, "0.2.0"),
        ("acme/echo@0.1.0", "{}", "0.1.0"),
        ("acme/echo", r#"{"version":"^0.1"}"#, "0.1.0"),
    ] {
        assert_eq!(host.execute(skill, body).await.json()["version"], version, "{skill} {body}");
    }
    host.execute("acme/echo@0.1.0", r#"{"version":"0.1.0"}"#).await.problem(Kind::INVALID_VERSION);
    host.execute("acme/echo", r#"{"version":"newest"}"#).await.problem(Kind::INVALID_VERSION);
    host.execute("acme/echo", r#"{"version":"7"}"#).await.problem(Kind::UNKNOWN_VERSION);
    host.execute("acme/nothing", "{}").await.problem(Kind::UNKNOWN_SKILL);
    host.execute("acme/broken", "{}").await.problem(Kind::BROKEN_SKILL);
    host.execute("local/advice", "{}").await.problem(Kind::NO_TOOLS);
    let problem = host.execute("acme/echo", r#"{"tool":"sya"}"#).await.problem(Kind::UNKNOWN_TOOL);
    assert!(problem.detail.contains("`say`"), "{}", problem.detail);
    let problem = host.execute("acme/echo", "{}").await.problem(Kind::TOOL_NOT_NAMED);
    assert!(problem.detail.contains("`say`") && problem.detail.contains("`shout`"), "{}", problem.detail);
}

#[tokio::test]
async fn every_failure_has_its_kind() {
    let host = TestHost::new();
    for (text, kind) in [
        ("arguments", Kind::INVALID_ARGUMENTS),
        ("no-permit", Kind::HOST_FAILURE),
        ("not-loaded", Kind::HOST_FAILURE),
        ("full", Kind::SANDBOX_FULL),
        ("mount", Kind::MOUNT_FAILED),
        ("deadline", Kind::DEADLINE_EXCEEDED),
        ("fuel", Kind::FUEL_EXHAUSTED),
        ("memory", Kind::MEMORY_EXHAUSTED),
        ("large", Kind::OUTPUT_TOO_LARGE),
        ("exit", Kind::GUEST_EXITED),
        ("trap", Kind::GUEST_TRAPPED),
        ("invalid", Kind::INVALID_OUTPUT),
        ("host", Kind::HOST_FAILURE),
    ] {
        let answer = host.execute("acme/echo", &say(text)).await;
        let problem = answer.problem(kind);
        let receipt = problem.receipt.expect("a receipt");
        assert_eq!(problem.version.as_deref(), Some("0.2.0"));
        assert_eq!(problem.tool.as_deref(), Some("say"));
        assert_eq!(problem.retry_after_ms.is_some(), text == "full");
        // The host's own failure can be found in its log by what the client is told.
        let instance = format!("urn:bailiwick:trace:{}", receipt.trace_id);
        assert_eq!(problem.instance, (kind == Kind::HOST_FAILURE).then_some(instance), "{text}");
    }
}

#[tokio::test]
async fn a_tools_own_failure_is_a_problem_with_its_value() {
    let host = TestHost::new();
    let problem = host.execute("acme/echo", &say("fail")).await.problem(Kind::TOOL_FAILED);
    assert_eq!(problem.failure.expect("a failure").get(), r#"{"denied":"asked to fail"}"#);
    assert_eq!(problem.receipt.expect("a receipt").outcome, "failed");
    assert_eq!(problem.usage.expect("usage").memory_bytes, 65536);
    assert_eq!(problem.skill.as_deref(), Some("acme/echo"));
    assert!(problem.digest.is_some_and(|digest| digest.starts_with("sha256:")));
}

#[tokio::test]
async fn wrong_arguments_are_named_by_their_place_in_the_body() {
    let host = TestHost::new();
    let problem = host.execute("acme/echo@0.1.0", r#"{"arguments":{"text":5}}"#).await.problem(Kind::INVALID_ARGUMENTS);
    assert_eq!(problem.errors[0].pointer, "/arguments/text");
    assert_eq!(problem.errors[0].detail, "expected string, found 5");
    assert_eq!(problem.detail, "/arguments/text: expected string, found 5");
}

#[tokio::test]
async fn nothing_runs_without_a_grant() {
    let host = TestHost::new();
    host.execute("zeta/wants", "{}").await.problem(Kind::NOT_GRANTED);
    host.execute("acme/danger", "{}").await.problem(Kind::APPROVAL_REQUIRED);
    let end = bailiwick_domain::clock::Clock::now(&*host.clock) + Duration::from_mins(1);
    host.grant("zeta/wants", Some(end));
    host.execute("zeta/wants", "{}").await.json();
    host.clock.advance(Duration::from_mins(1));
    host.execute("zeta/wants", "{}").await.problem(Kind::GRANT_EXPIRED);
    let skills = host.folder.path().join("skills");
    write(&skills, &Package { folder: "echo-2", id: "acme/echo", version: "0.2.0", manifest: "", tools: "say\nnew" });
    host.registry.reload();
    host.execute("acme/echo", r#"{"tool":"say"}"#).await.problem(Kind::GRANT_SUSPENDED);
    assert_eq!(host.sandbox.seen.lock().expect("unpoisoned").len(), 1);
}

#[tokio::test]
async fn a_grant_that_can_not_be_read_allows_nothing_and_tells_nothing() {
    let host = TestHost::new();
    let written = host.journal.update(|batch| {
        batch.put(Shelf::Grants, "acme/other", b"garbage".to_vec());
        Ok::<_, Undone>(Ok::<(), ()>(()))
    });
    written.await.expect("the journal writes").expect("no refusal");
    let grants = std::sync::Arc::clone(&host.grants);
    let other = "acme/echo".parse().expect("an id");
    // After a change all grants are read again.
    tokio::task::spawn_blocking(move || grants.revoke(&other, None, "ada")).await.expect("no panic").expect("revoked");
    let answer = host.execute("acme/echo", &say("hi")).await;
    answer.problem(Kind::GRANTS_UNAVAILABLE);
    assert!(!answer.text().contains("acme/other"), "{}", answer.text());
}

#[tokio::test]
async fn revoking_a_grant_ends_the_call() {
    let host = TestHost::new();
    let request = host.execute_request("acme/echo", &say("wait"));
    let revoke = async {
        while host.sandbox.seen.lock().expect("unpoisoned").is_empty() {
            tokio::task::yield_now().await;
        }
        host.grants.revoke(&"acme/echo".parse().expect("id"), None, "ada").expect("revoked");
    };
    let (answer, ()) = tokio::join!(host.send(request), revoke);
    assert!(answer.problem(Kind::GRANT_REVOKED).receipt.is_some());
}

#[tokio::test]
async fn more_calls_than_allowed_are_told_to_wait() {
    let host = TestHost::new();
    let send = || host.send(host.execute_request("acme/echo", &say("wait")));
    let third = async {
        while host.sandbox.seen.lock().expect("unpoisoned").len() < 2 {
            tokio::task::yield_now().await;
        }
        let problem = send().await.problem(Kind::BUSY);
        assert_eq!(problem.retry_after_ms, Some(1000));
        host.sandbox.go.notify_one();
        host.sandbox.go.notify_one();
    };
    let (first, second, ()) = tokio::join!(send(), send(), third);
    assert_eq!((&first.json()["output"], &second.json()["output"]), (&json!("waited"), &json!("waited")));
}

#[tokio::test]
async fn a_repeated_request_runs_once() {
    let host = TestHost::new();
    let ask = |key: &str, body: String| {
        let mut request = host.execute_request("acme/echo", &body);
        request.headers_mut().insert("idempotency-key", HeaderValue::from_str(key).expect("header"));
        host.send(request)
    };
    let (first, second) = (ask("k1", say("hi")).await.json(), ask("k1", say("hi")).await.json());
    assert_eq!((&first["replayed"], &second["replayed"]), (&json!(false), &json!(true)));
    assert_eq!(
        (&first["output"], &first["receipt"], &first["usage"]),
        (&second["output"], &second["receipt"], &second["usage"])
    );
    ask("k1", say("ho")).await.problem(Kind::IDEMPOTENCY_MISMATCH);
    assert_eq!(ask("k2", say("fail")).await.problem(Kind::TOOL_FAILED).replayed, Some(false));
    let again = ask("k2", say("fail")).await.problem(Kind::TOOL_FAILED);
    assert_eq!((again.replayed, again.failure.is_some()), (Some(true), true));
    ask("k3", say("trap")).await.problem(Kind::GUEST_TRAPPED);
    let again = ask("k3", say("trap")).await.problem(Kind::GUEST_TRAPPED);
    assert_eq!((again.replayed, again.detail.as_str()), (Some(true), "the guest trapped: unreachable"));
    ask("k4", say("host")).await.problem(Kind::HOST_FAILURE);
    assert_eq!(ask("k4", say("host")).await.problem(Kind::HOST_FAILURE).replayed, Some(true));
    assert_eq!(host.sandbox.seen.lock().expect("unpoisoned").len(), 4);
    // A call whose client went away was cut off, and this tool may not simply run again.
    let gone = tokio::time::timeout(Duration::from_millis(200), ask("k5", say("wait"))).await;
    assert!(gone.is_err());
    ask("k5", say("wait")).await.problem(Kind::IDEMPOTENCY_INTERRUPTED);
}

#[tokio::test]
async fn a_repeated_request_that_still_runs_is_told_so() {
    let host = TestHost::new();
    let ask = || {
        let mut request = host.execute_request("acme/echo", &say("wait"));
        request.headers_mut().insert("idempotency-key", HeaderValue::from_static("k"));
        host.send(request)
    };
    let second = async {
        while host.sandbox.seen.lock().expect("unpoisoned").is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(ask().await.problem(Kind::IDEMPOTENCY_IN_PROGRESS).retry_after_ms.is_some());
        host.sandbox.go.notify_one();
    };
    let (first, ()) = tokio::join!(ask(), second);
    first.json();
}

#[tokio::test]
async fn idempotency_keys_are_visible_text_of_some_length() {
    let host = TestHost::new();
    let long = "k".repeat(255);
    for (key, good) in [("k", true), (long.as_str(), true), ("", false), ("a b", false), ("ä", false)] {
        let mut request = host.execute_request("acme/echo", &say("hi"));
        request.headers_mut().insert("idempotency-key", HeaderValue::from_bytes(key.as_bytes()).expect("header"));
        let answer = host.send(request).await;
        if good { drop(answer.json()) } else { drop(answer.problem(Kind::INVALID_HEADER)) }
    }
    let mut request = host.execute_request("acme/echo", &say("hi"));
    request.headers_mut().insert("idempotency-key", "k".repeat(256).parse().expect("header"));
    host.send(request).await.problem(Kind::INVALID_HEADER);
    let mut request = host.execute_request("acme/echo", &say("hi"));
    for key in ["a", "b"] {
        request.headers_mut().append("idempotency-key", HeaderValue::from_static(key));
    }
    host.send(request).await.problem(Kind::INVALID_HEADER);
}

#[tokio::test]
async fn the_trace_is_the_callers_or_a_new_one() {
    let host = TestHost::new();
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut request = host.execute_request("acme/echo", &say("hi"));
    request.headers_mut().insert("traceparent", HeaderValue::from_static(given));
    let answer = host.send(request).await;
    assert_eq!(answer.headers["traceparent"], given);
    assert_eq!(answer.json()["receipt"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    let mut request = host.execute_request("acme/echo", &say("hi"));
    request.headers_mut().insert("traceparent", HeaderValue::from_static("00-nonsense"));
    let (one, two) = (host.send(request).await, host.execute("acme/echo", &say("hi")).await);
    let ids: Vec<Value> = [&one, &two].map(|answer| answer.json()["receipt"]["trace_id"].clone()).into();
    assert_ne!(ids[0], ids[1]);
    for (answer, id) in [one, two].iter().zip(&ids) {
        let trace: bailiwick_domain::trace::TraceContext =
            answer.headers["traceparent"].to_str().expect("text").parse().expect("a trace");
        assert_eq!(*id, trace.trace_id_hex());
    }
}

#[tokio::test]
async fn what_is_not_json_is_said_to_be_so() {
    let host = TestHost::new();
    let problem = host.execute("acme/echo", "{\n  \"tool\": sya\n}").await.problem(Kind::INVALID_JSON);
    assert!(problem.detail.contains("line 2 column 11"), "{}", problem.detail);
    let deep = format!("{{\"arguments\":{{\"text\":{}{}}}}}", "[".repeat(200), "]".repeat(200));
    let problem = host.execute("acme/echo", &deep).await.problem(Kind::INVALID_JSON);
    assert!(problem.detail.contains("nested too deeply"), "{}", problem.detail);
    for body in ["", "{", "{} {}", "{\"arguments\":{\"text\":\"\u{0}\"}}", "nul", "{\"arguments\":{\"n\":1e999}}"] {
        host.execute("acme/echo", body).await.problem(Kind::INVALID_JSON);
    }
    let mut request = host.execute_request("acme/echo", "");
    *request.body_mut() = Body::from(&b"{\"tool\":\"\xff\"}"[..]);
    host.send(request).await.problem(Kind::INVALID_JSON);
}

#[tokio::test]
async fn members_that_are_unknown_or_wrong_are_named() {
    let host = TestHost::new();
    for (body, pointer, detail) in [
        (r#"{"args":{}}"#, "", "unknown field `args`"),
        (r#"{"arguments":[]}"#, "/arguments", "expected a map"),
        (r#"{"arguments":null}"#, "/arguments", "expected a map"),
        (r#"{"tool":7}"#, "/tool", "expected a string"),
        (r#"{"deadline_ms":-1}"#, "/deadline_ms", "expected u64"),
        (r#"{"deadline_ms":0}"#, "/deadline_ms", "expected at least 1"),
        (r#"{"tool":"say","tool":"say"}"#, "", "duplicate field `tool`"),
        ("[]", "", "invalid"),
        ("null", "", "invalid type"),
    ] {
        let problem = host.execute("acme/echo", body).await.problem(Kind::INVALID_REQUEST);
        assert!(problem.errors[0].pointer.starts_with(pointer), "{body}: {:?}", problem.errors);
        assert!(problem.detail.contains(detail), "{body}: {}", problem.detail);
    }
    let mut request = host.execute_request("acme/echo", &say("hi"));
    *request.uri_mut() = "/v1/skills/acme/echo/execute?version=1".parse().expect("path");
    host.send(request).await.problem(Kind::INVALID_QUERY);
}

#[tokio::test]
async fn bodies_have_to_be_announced_as_json() {
    let host = TestHost::new();
    for (name, value) in [
        (CONTENT_TYPE, "text/plain"),
        (CONTENT_TYPE, "application/x-www-form-urlencoded"),
        (CONTENT_TYPE, "application/json; charset=latin1"),
        (CONTENT_ENCODING, "gzip"),
    ] {
        let mut request = host.execute_request("acme/echo", &say("hi"));
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        host.send(request).await.problem(Kind::UNSUPPORTED_MEDIA_TYPE);
    }
    let mut request = host.execute_request("acme/echo", &say("hi"));
    request.headers_mut().remove(CONTENT_TYPE);
    host.send(request).await.problem(Kind::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn bodies_have_a_limit_announced_or_not() {
    let host = TestHost::with(|options| options.body_limit = 1000);
    let body = |length: usize| {
        let frame = say("");
        say(&"x".repeat(length - frame.len()))
    };
    host.execute("acme/echo", &body(1000)).await.json();
    host.execute("acme/echo", &body(1001)).await.problem(Kind::BODY_TOO_LARGE);
    let mut announced = host.execute_request("acme/echo", "{}");
    announced.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("1001"));
    host.send(announced).await.problem(Kind::BODY_TOO_LARGE);
    for (length, good) in [(1000, true), (1001, false)] {
        let mut pieces = host.execute_request("acme/echo", "");
        let whole = Bytes::from(body(length));
        let pieces_of_it = (0..length).step_by(7).map(move |at| whole.slice(at..length.min(at + 7)));
        *pieces.body_mut() = Body::new(Pieces(pieces_of_it.collect()));
        let answer = host.send(pieces).await;
        if good { drop(answer.json()) } else { drop(answer.problem(Kind::BODY_TOO_LARGE)) }
    }
}

#[tokio::test]
async fn all_bodies_together_have_a_limit() {
    let host = TestHost::with(|options| (options.body_limit, options.bodies_limit) = (4096, 4096));
    let wait = host.send(host.execute_request("acme/echo", &say("wait")));
    let second = async {
        while host.sandbox.seen.lock().expect("unpoisoned").is_empty() {
            tokio::task::yield_now().await;
        }
        let large = say(&"x".repeat(3500));
        let problem = host.execute("acme/echo", &large).await.problem(Kind::BUSY);
        assert!(problem.detail.contains("body"), "{}", problem.detail);
        host.sandbox.go.notify_one();
    };
    let (first, ()) = tokio::join!(wait, second);
    first.json();
    host.execute("acme/echo", &say(&"x".repeat(3500))).await.json();
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let host = TestHost::with(|options| options.body_timeout = Duration::from_millis(100));
    let mut request = host.execute_request("acme/echo", "");
    *request.body_mut() = Body::new(Never);
    host.send(request).await.problem(Kind::BODY_TIMEOUT);
    let mut request = host.execute_request("acme/echo", "");
    *request.body_mut() = Body::new(CutOff);
    host.send(request).await.problem(Kind::INCOMPLETE_BODY);
}

mod bodies {
    use std::collections::VecDeque;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use hyper::body::{Body, Frame};

    type Next = Poll<Option<Result<Frame<Bytes>, std::io::Error>>>;

    /// Comes piece by piece, and doesn't say how much there is.
    pub(crate) struct Pieces(pub(crate) VecDeque<Bytes>);

    /// Never comes.
    pub(crate) struct Never;

    /// Ends before its end.
    pub(crate) struct CutOff;

    impl Body for Pieces {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Next {
            Poll::Ready(self.get_mut().0.pop_front().map(|piece| Ok(Frame::data(piece))))
        }
    }

    impl Body for Never {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Next {
            Poll::Pending
        }
    }

    impl Body for CutOff {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Next {
            Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into())))
        }
    }
}

use bodies::{CutOff, Never, Pieces};
