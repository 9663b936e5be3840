//! Calls with idempotency keys.

use std::sync::Arc;

use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::sandbox::{InvokeError, Output};
use serde_json::json;

use super::script::Act;
use super::support::{ALL, Host, Site, in_time, invocation, manifest, tool};
use crate::execute::{ExecuteError, Execution};

/// `demo/p` may not be called twice, `demo/twice` may.
fn host() -> Host {
    let site = Site::new().with("p");
    site.package(
        "twice",
        &manifest("demo/twice", "1.0.0", &format!("idempotent = true\n{ALL}")),
        &[tool("run"), tool("more")],
    );
    let host = site.open();
    host.grant("demo/p");
    host.grant("demo/twice");
    host
}

fn keyed(selector: &str) -> Invocation {
    Invocation { idempotency_key: Some("key-1".to_owned()), tool: Some("run".to_owned()), ..invocation(selector) }
}

async fn call(host: &Host, selector: &str) -> Result<Execution, ExecuteError> {
    host.execute(keyed(selector)).await
}

#[tokio::test]
async fn a_second_request_gets_the_first_answer() {
    let host = host();
    host.sandbox.answer(r#"{"n":1}"#);
    let first = call(&host, "demo/p").await.expect("it succeeds");
    host.sandbox.answer(r#"{"n":2}"#);
    let second = call(&host, "demo/p").await.expect("it is replayed");
    assert_eq!((first.replayed, second.replayed, host.sandbox.calls()), (false, true, 1));
    assert_eq!(second.output, Output::Success(r#"{"n":1}"#.to_owned()));
    assert_eq!(format!("{:?}", second.receipt), format!("{:?}", first.receipt), "the whole receipt is kept");
    // The tool's own failure is an answer like any other, and a restart forgets none.
    host.sandbox.act(Act::Answer(Ok(Output::Failure("\"no\"".to_owned()))));
    let mut other = keyed("demo/p");
    other.idempotency_key = Some("key-2".to_owned());
    host.execute(other.clone()).await.expect("it answers");
    let host = host.restart();
    let third = call(&host, "demo/p").await.expect("it is replayed");
    assert_eq!((third.replayed, format!("{:?}", third.receipt)), (true, format!("{:?}", first.receipt)));
    let fourth = host.execute(other).await.expect("it is replayed");
    assert_eq!((fourth.output, fourth.receipt.outcome), (Output::Failure("\"no\"".to_owned()), "failed"));
    assert_eq!(host.sandbox.calls(), 0);
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_principal() {
    let host = host();
    call(&host, "demo/p").await.expect("it succeeds");
    let others = [
        keyed("demo/twice"),
        keyed("demo/p@1.0.0"),
        Invocation { tool: None, ..keyed("demo/p") },
        Invocation { arguments: json!({ "text": "other" }), ..keyed("demo/p") },
    ];
    for other in others {
        let error = host.execute(other).await.expect_err("another request");
        assert_eq!(error.code(), "key-mismatch");
    }
    let stranger = Invocation { principal: Principal { name: "key:other".into() }, ..keyed("demo/p") };
    assert!(!host.execute(stranger).await.expect("a key of its own").replayed);
    assert_eq!(host.sandbox.calls(), 2);
}

#[tokio::test]
async fn a_replay_needs_a_grant_too() {
    let host = host();
    call(&host, "demo/p").await.expect("it succeeds");
    host.grants.revoke(&host.skill("demo/p").manifest.id, None, "ada").expect("revoke");
    assert_eq!(call(&host, "demo/p").await.expect_err("refused").code(), "no-grant");
}

#[tokio::test]
async fn a_second_request_meanwhile_is_told_so() {
    let host = host();
    host.sandbox.act(Act::Wait);
    let first = host.start(keyed("demo/p")).await;
    assert!(matches!(call(&host, "demo/p").await, Err(ExecuteError::KeyInProgress { .. })));
    host.sandbox.release();
    in_time(first).await.expect("no panic").expect("it succeeds");
    assert!(call(&host, "demo/p").await.expect("it is replayed").replayed);
}

#[tokio::test]
async fn a_call_that_was_cut_off_is_made_again_if_it_may_be() {
    let host = host();
    host.sandbox.act(Act::Wait);
    for skill in ["demo/p", "demo/twice"] {
        let call = host.start(keyed_for(skill)).await;
        call.abort();
        assert!(call.await.expect_err("it was ended").is_cancelled());
    }
    host.sandbox.answer("7");
    let error = host.execute(keyed_for("demo/p")).await.expect_err("nobody knows what it did");
    assert!(matches!(&error, ExecuteError::Interrupted { tool } if tool == "run"), "{error}");
    let again = host.execute(keyed_for("demo/twice")).await.expect("it is made again");
    assert_eq!((again.replayed, again.output), (false, Output::Success("7".to_owned())));
    assert!(host.execute(keyed_for("demo/twice")).await.expect("done").replayed);
}

/// A key for each skill.
fn keyed_for(skill: &str) -> Invocation {
    Invocation { idempotency_key: Some(skill.to_owned()), ..keyed(skill) }
}

#[tokio::test]
async fn what_a_crash_cut_off_is_interrupted() {
    let host = host();
    host.sandbox.act(Act::Wait);
    let calls = [host.start(keyed_for("demo/p")).await, host.start(keyed_for("demo/twice")).await];
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    for call in calls {
        assert!(call.await.is_err());
    }
    // The records of what was cut off are written by tasks of their own.
    let recorded = async {
        while Arc::strong_count(&host.audit) > 2 {
            tokio::task::yield_now().await;
        }
    };
    in_time(recorded).await;
    let host = host.restart();
    assert_eq!(host.execute(keyed_for("demo/p")).await.expect_err("interrupted").code(), "interrupted");
    assert!(!host.execute(keyed_for("demo/twice")).await.expect("it is made again").replayed);
}

#[tokio::test]
async fn a_call_of_which_nothing_ran_leaves_its_key_free() {
    let host = host();
    let nothing_ran = [
        InvokeError::Arguments { path: "/text".to_owned(), problem: "expected string".to_owned() },
        InvokeError::NotLoaded(String::new()),
        InvokeError::Full,
        InvokeError::Mount { root: "/work".to_owned(), reason: "gone".to_owned() },
    ];
    for error in nothing_ran {
        host.sandbox.fail(error.clone());
        assert_eq!(call(&host, "demo/p").await.expect_err("it fails").code(), error.code());
    }
    host.sandbox.answer("1");
    assert!(!call(&host, "demo/p").await.expect("the key is free").replayed);
}

#[tokio::test]
async fn a_failure_is_final_unless_the_tool_may_run_twice() {
    let host = host();
    host.sandbox.fail(InvokeError::Trap { message: "unreachable".to_owned(), backtrace: vec![], said: None });
    for skill in ["demo/p", "demo/twice"] {
        assert_eq!(host.execute(keyed_for(skill)).await.expect_err("it fails").code(), "guest-trapped");
    }
    host.sandbox.answer("1");
    let error = host.execute(keyed_for("demo/p")).await.expect_err("final");
    assert_eq!(
        error.to_string(),
        "the call with this idempotency key failed before (guest-trapped): the guest trapped: unreachable"
    );
    assert!(!host.execute(keyed_for("demo/twice")).await.expect("it is made again").replayed);
}

#[tokio::test]
async fn a_refusal_leaves_no_record() {
    let host = Site::new().with("p").open();
    assert_eq!(call(&host, "demo/p").await.expect_err("refused").code(), "no-grant");
    host.grant("demo/p");
    assert!(!call(&host, "demo/p").await.expect("the key is free").replayed);
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let host = host();
    let long = Invocation { idempotency_key: Some("k".repeat(5000)), ..keyed("demo/p") };
    assert!(matches!(host.execute(long).await, Err(ExecuteError::Journal(_))));
    assert_eq!(host.sandbox.calls(), 0);
}
