//! Calls without idempotency keys.

mod found;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bailiwick_domain::authority::{Access, FsMount};
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::invocation::{Invocation, RunStep};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::quota::Quota;
use bailiwick_domain::run::RunId;
use bailiwick_domain::sandbox::{InvokeError, Output};
use bailiwick_domain::workspace::WorkspaceKey;
use bailiwick_domain::{clock::Clock, digest::Digest};
use serde_json::json;
use tokio::task::JoinHandle;

use super::script::{Act, midnight};
use super::support::{Host, Site, everything, in_time, invocation, manifest, mount, tool};
use crate::execute::{BusyScope, ExecuteError, Execution};
use crate::grants::{Narrowing, NewGrant};

fn host() -> Host {
    let host = Site::new().with("p").open();
    host.grant("demo/p");
    host
}

#[tokio::test]
async fn a_call_is_answered_with_its_receipt() {
    let host = host();
    host.sandbox.answer("42");
    host.site.clock.advance(Duration::from_millis(1));
    let execution = host.call("demo/p").await.expect("it succeeds");
    assert_eq!(execution.output, Output::Success("42".to_owned()));
    assert_eq!((execution.tool.as_str(), execution.replayed), ("run", false));
    assert_eq!(execution.log, "hello\nfrom the guest\n");
    let receipt = &execution.receipt;
    assert_eq!(receipt.started_at, midnight() + Duration::from_millis(1));
    let micros = receipt.started_at.duration_since(UNIX_EPOCH).expect("after 1970").as_micros();
    assert_eq!(receipt.id[..16], format!("{micros:016x}"));
    assert_eq!((receipt.principal.as_str(), receipt.trace_id.as_str()), ("key:ci", "4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!((receipt.skill.as_str(), receipt.version.to_string().as_str()), ("demo/p", "1.0.0"));
    assert_eq!((receipt.digest, receipt.tool.as_str()), (execution.skill.digest, "run"));
    assert_eq!(receipt.arguments, Digest::of(br#"{"text":"secret words"}"#));
    assert_eq!((receipt.outcome, receipt.usage.host_calls), ("succeeded", 3));
    assert_eq!(receipt.denials[0].request, "/etc");
    let seen = host.sandbox.last();
    assert!(Arc::ptr_eq(&seen.terms, &receipt.terms), "the receipt names what the sandbox was given");
    let quota = Quota { max_bytes: 10 << 20, ..Quota::default() };
    assert_eq!(seen.terms.fs, [FsMount { quota, ..mount("/work", &host.site.data("work"), Access::ReadWrite) }]);
    assert_eq!((seen.tool, &seen.arguments), (0, &json!({ "text": "secret words" })));
    assert_eq!(seen.deadline - host.site.clock.instant(), Duration::from_secs(5));
}

#[tokio::test]
async fn the_tools_own_failure_is_an_answer() {
    let host = host();
    host.sandbox.act(Act::Answer(Ok(Output::Failure("\"no\"".to_owned()))));
    let execution = host.call("demo/p").await.expect("it answers");
    assert_eq!((execution.output, execution.receipt.outcome), (Output::Failure("\"no\"".to_owned()), "failed"));
}

#[tokio::test]
async fn an_error_of_the_guest_has_a_receipt_too() {
    let host = host();
    host.sandbox.fail(InvokeError::Deadline { millis: 5000 });
    let error = host.call("demo/p").await.expect_err("it fails");
    assert_eq!(error.code(), "deadline-exceeded");
    let receipt = error.receipt().expect("a receipt");
    assert_eq!((receipt.outcome, receipt.usage.host_calls), ("deadline-exceeded", 3));
    assert!(matches!(error, ExecuteError::Invoke { log, .. } if log.starts_with("hello")));
}

#[tokio::test]
async fn a_tool_is_named_unless_there_is_one() {
    let site = Site::new().with("one");
    site.package("two", &manifest("demo/two", "1.0.0", ""), &[tool("first"), tool("second")]);
    let host = site.open();
    host.grant("demo/one");
    host.grants
        .add(&host.skill("demo/two"), NewGrant { giver: "ada".to_owned(), ..NewGrant::default() })
        .expect("given");
    let call = async |name: Option<&str>| {
        let invocation =
            bailiwick_domain::invocation::Invocation { tool: name.map(str::to_owned), ..invocation("demo/two") };
        host.execute(invocation).await
    };
    let error = call(None).await.expect_err("which one?");
    assert_eq!(error.to_string(), "`demo/two` has several tools: name one of `first`, `second`");
    let error = call(Some("frist")).await.expect_err("unknown");
    assert_eq!(error.to_string(), "`demo/two` has no tool `frist`; did you mean `first`?; it has `first`, `second`");
    assert_eq!(call(Some("tools.second")).await.expect("the long name").tool, "second");
    assert_eq!(host.sandbox.last().tool, 1);
    assert_eq!(host.call("demo/one").await.expect("the only one").tool, "run");
}

#[tokio::test]
async fn the_authors_schemas_hold() {
    let site = Site::new();
    let rest = "[tools.run]\ninput_schema = \"in.json\"\noutput_schema = \"out.json\"";
    let folder = site.package("p", &manifest("demo/p", "1.0.0", rest), &[tool("run")]);
    std::fs::write(folder.join("in.json"), r#"{"properties":{"text":{"maxLength":12}}}"#).expect("write");
    std::fs::write(folder.join("out.json"), r#"{"maximum":9}"#).expect("write");
    let host = site.open();
    host.grants.add(&host.skill("demo/p"), NewGrant { giver: "ada".to_owned(), ..NewGrant::default() }).expect("given");
    host.sandbox.answer("9");
    host.call("demo/p").await.expect("both fit");
    let long = bailiwick_domain::invocation::Invocation {
        arguments: json!({ "text": "thirteen char" }),
        ..invocation("demo/p")
    };
    let error = host.execute(long).await.expect_err("too long");
    assert!(matches!(&error, ExecuteError::Arguments(violation) if violation.path == "/text"), "{error}");
    assert_eq!(host.sandbox.calls(), 1, "the guest never ran");
    host.sandbox.answer("10");
    let error = host.call("demo/p").await.expect_err("too large");
    assert_eq!((error.code(), error.receipt().expect("it ran").outcome), ("invalid-output", "invalid-output"));
    host.sandbox.answer("{");
    assert_eq!(host.call("demo/p").await.expect_err("no JSON").code(), "invalid-output");
    host.sandbox.act(Act::Answer(Ok(Output::Failure("\"its own words\"".to_owned()))));
    host.call("demo/p").await.expect("the schema is of successes");
}

#[tokio::test]
async fn nothing_runs_without_a_grant() {
    let host = Site::new().with("p").open();
    let error = host.call("demo/p").await.expect_err("refused");
    assert_eq!(error.code(), "no-grant");
    assert_eq!(host.call("demo/q").await.expect_err("unknown").code(), "skill-not-found");
    assert_eq!(host.call("demo/p@2").await.expect_err("unknown").code(), "version-not-found");
    assert_eq!((host.sandbox.calls(), host.executor.calls_under_way()), (0, 0));
}

#[tokio::test]
async fn a_prompt_is_not_called() {
    let site = Site::new();
    std::fs::create_dir(site.skills().join("advice")).expect("a folder");
    let text = "---\nname: advice\ndescription: Advice.\n---\nBe kind.\n";
    std::fs::write(site.skills().join("advice/SKILL.md"), text).expect("write");
    let host = site.open();
    for tool in [None, Some("run".to_owned())] {
        let invocation = bailiwick_domain::invocation::Invocation { tool, ..invocation("local/advice") };
        assert_eq!(host.execute(invocation).await.expect_err("refused").code(), "prompt");
    }
}

#[tokio::test]
async fn a_skill_has_its_number_of_calls() {
    let host = host();
    host.sandbox.act(Act::Wait);
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(host.start(invocation("demo/p")).await);
    }
    let error = host.call("demo/p").await.expect_err("the manifest asks for 4");
    assert!(matches!(&error, ExecuteError::Busy { scope: BusyScope::Skill(_), limit: 4, .. }), "{error}");
    assert_eq!((host.skill("demo/p").calls_under_way(), host.executor.calls_under_way()), (4, 4));
    // A caller that goes away makes room.
    calls.pop().expect("a call").abort();
    host.sandbox.until_under_way(3).await;
    calls.push(host.start(invocation("demo/p")).await);
    host.sandbox.release();
    for call in calls {
        in_time(call).await.expect("no panic").expect("it succeeds");
    }
    assert_eq!((host.skill("demo/p").calls_under_way(), host.executor.calls_under_way()), (0, 0));
}

#[tokio::test]
async fn a_grant_lowers_the_number_of_calls() {
    let host = host();
    let mut new = everything(&host.site.data("work"));
    new.limits.concurrency = Some(1);
    host.grants.add(&host.skill("demo/p"), new).expect("the grant is given");
    host.sandbox.act(Act::Wait);
    let call = host.start(invocation("demo/p")).await;
    let error = host.call("demo/p").await.expect_err("one at a time");
    assert!(matches!(error, ExecuteError::Busy { limit: 1, .. }));
    host.sandbox.release();
    in_time(call).await.expect("no panic").expect("it succeeds");
}

#[tokio::test]
async fn a_reload_does_not_forget_the_calls_under_way() {
    let host = host();
    host.sandbox.act(Act::Wait);
    let calls = [host.start(invocation("demo/p")).await, host.start(invocation("demo/p")).await];
    let rest = super::support::ALL.replace("concurrency = 4", "concurrency = 2");
    host.site.package("p", &manifest("demo/p", "1.0.0", &rest), &[tool("run")]);
    host.registry.reload();
    let error = host.call("demo/p").await.expect_err("both count");
    assert!(matches!(error, ExecuteError::Busy { limit: 2, .. }));
    host.sandbox.release();
    for call in calls {
        in_time(call).await.expect("no panic").expect("it succeeds");
    }
}

#[tokio::test]
async fn the_host_has_its_number_of_calls() {
    let mut site = Site::new().with("p").with("q");
    site.max_concurrent_calls = 2;
    let host = site.open();
    host.grant("demo/p");
    host.grant("demo/q");
    host.sandbox.act(Act::Wait);
    let calls = [host.start(invocation("demo/p")).await, host.start(invocation("demo/q")).await];
    let error = host.call("demo/q").await.expect_err("the host is full");
    let ExecuteError::Busy { scope: BusyScope::Host, limit: 2, retry_after } = error else { panic!("{error}") };
    assert!(retry_after > Duration::ZERO);
    host.sandbox.release();
    for call in calls {
        in_time(call).await.expect("no panic").expect("it succeeds");
    }
}

/// The call, as a task of a run makes it.
fn of_task(host: &Host, task: u32) -> Invocation {
    let (run, digest) = (RunId::from_bytes(&[1; 16]), host.skill("demo/p").digest);
    let workspace = Some(WorkspaceKey { run: run.clone(), task, agent: "ada".to_owned() });
    let step = RunStep { run, step: 3, digest, budget: LimitsRequest::default(), workspace };
    Invocation { run: Some(Box::new(step)), ..invocation("demo/p") }
}

#[tokio::test]
async fn whoever_waits_for_its_turn_in_a_workspace_takes_no_place() {
    let mut site = Site::new().with("p");
    site.max_concurrent_calls = 2;
    let host = site.open();
    host.grant("demo/p");
    host.sandbox.act(Act::Wait);
    let [first, second] = one_behind_the_other(&host).await;
    assert_eq!((host.executor.calls_under_way(), host.sandbox.calls()), (1, 1));
    let other = host.start(of_task(&host, 2)).await;
    // The turn comes with the place, which is given up before it.
    host.sandbox.release();
    for call in [first, other] {
        in_time(call).await.expect("no panic").expect("it succeeds");
    }
    host.sandbox.until_under_way(1).await;
    host.sandbox.release();
    in_time(second).await.expect("no panic").expect("its turn came");
    assert_eq!((host.executor.calls_under_way(), host.sandbox.calls()), (0, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_next_finds_the_place_of_the_one_before() {
    let mut site = Site::new().with("p");
    site.max_concurrent_calls = 1;
    let host = site.open();
    host.grant("demo/p");
    let calls: Vec<_> = (0..20).map(|_| (Arc::clone(&host.executor), of_task(&host, 1))).collect();
    let calls = calls.into_iter().map(|(executor, call)| tokio::spawn(async move { executor.execute(call).await }));
    for call in calls.collect::<Vec<_>>() {
        in_time(call).await.expect("no panic").expect("there is a place whenever its turn comes");
    }
}

#[tokio::test]
async fn a_revocation_ends_calls_under_way() {
    let host = host();
    host.sandbox.act(Act::Wait);
    let call = host.start(invocation("demo/p")).await;
    host.grants.revoke(&host.skill("demo/p").manifest.id, None, "ada").expect("revoke");
    let error = in_time(call).await.expect("no panic").expect_err("it is ended");
    assert_eq!((error.code(), error.receipt().expect("it ran").outcome), ("revoked", "revoked"));
    host.sandbox.until_under_way(0).await;
    assert_eq!(host.executor.calls_under_way(), 0);
}

/// Two calls of one task, of which the second waits for its turn.
async fn one_behind_the_other(host: &Host) -> [JoinHandle<Result<Execution, ExecuteError>>; 2] {
    let first = host.start(of_task(host, 1)).await;
    let (executor, same) = (Arc::clone(&host.executor), of_task(host, 1));
    let second = tokio::spawn(async move { executor.execute(same).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    [first, second]
}

#[tokio::test]
async fn a_revocation_ends_a_call_that_waits_for_its_turn_before_it_begins() {
    let host = host();
    host.sandbox.act(Act::Wait);
    let [first, second] = one_behind_the_other(&host).await;
    host.grants.revoke(&host.skill("demo/p").manifest.id, None, "ada").expect("revoke");
    for call in [first, second] {
        let error = in_time(call).await.expect("no panic").expect_err("it is ended");
        assert_eq!((error.code(), error.receipt().expect("a receipt").outcome), ("revoked", "revoked"));
    }
    assert_eq!((host.sandbox.calls(), host.executor.calls_under_way()), (1, 0), "the second never began");
}

#[tokio::test]
async fn a_narrower_grant_ends_calls_and_a_like_one_does_not() {
    let host = host();
    host.sandbox.act(Act::Wait);
    let call = host.start(invocation("demo/p")).await;
    // The same terms for another reason.
    let mut new = everything(&host.site.data("work"));
    new.reason = Some("for another reason".to_owned());
    host.grants.add(&host.skill("demo/p"), new).expect("the grant is given");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    host.sandbox.until_under_way(1).await;
    let new = NewGrant { giver: "ada".to_owned(), capabilities: Capabilities::default(), ..NewGrant::default() };
    host.grants.add(&host.skill("demo/p"), new).expect("the grant is given");
    assert_eq!(in_time(call).await.expect("no panic").expect_err("it is ended").code(), "revoked");
}

#[tokio::test]
async fn an_earlier_end_ends_calls_as_one_that_was_known_does() {
    let host = host();
    host.sandbox.act(Act::Wait);
    let [first, second] = one_behind_the_other(&host).await;
    let narrowing = Narrowing { expires_at: Some(midnight() + Duration::from_secs(1)), ..Narrowing::default() };
    host.grants.narrow(&host.skill("demo/p").manifest.id, None, &narrowing, "ada").expect("it is narrowed");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    host.sandbox.until_under_way(1).await;
    // No change wakes them then.
    host.site.clock.advance(Duration::from_secs(1));
    for call in [first, second] {
        let error = in_time(call).await.expect("no panic").expect_err("it is ended");
        let outcome = error.receipt().expect("a receipt").outcome;
        assert_eq!((error.code(), outcome), ("deadline-exceeded", "deadline-exceeded"));
    }
    assert_eq!((host.sandbox.calls(), host.executor.calls_under_way()), (1, 0), "the second never began");
    assert_eq!(host.call("demo/p").await.expect_err("it is over").code(), "grant-expired");
}

#[tokio::test]
async fn the_end_that_a_call_began_with_is_left_to_the_sandbox() {
    let host = Site::new().with("p").open();
    let end = Some(midnight() + Duration::from_secs(1));
    let give = |reason: &str| {
        let new = everything(&host.site.data("work"));
        let new = NewGrant { expires_at: end, reason: Some(reason.to_owned()), ..new };
        host.grants.add(&host.skill("demo/p"), new).expect("the grant is given");
    };
    give("for the test");
    host.sandbox.act(Act::Wait);
    let call = host.start(invocation("demo/p")).await;
    host.site.clock.advance(Duration::from_millis(980));
    // The same terms with the same end.
    give("for another reason");
    tokio::time::sleep(Duration::from_millis(10)).await;
    host.site.clock.advance(Duration::from_millis(20));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!call.is_finished(), "it ended without what it did and used");
    call.abort();
}

#[test]
fn each_call_leaves_one_line_without_its_data() {
    let host = host();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    // While there is one subscriber alone, a test on another thread, which has
    // none, would settle for the whole process that a line interests nobody.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            host.sandbox.answer("\"secret answer\"");
            host.call("demo/p").await.expect("it succeeds");
            host.call("demo/none").await.expect_err("unknown");
            host.sandbox.act(Act::Wait);
            let mut cancelled = Box::pin(host.call("demo/p"));
            let poll =
                std::future::poll_fn(|context| std::task::Poll::Ready(cancelled.as_mut().poll(context).is_pending()));
            assert!(poll.await);
        });
    });
    let lines: Vec<serde_json::Value> = lines.take();
    let (guest, calls): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line["target"] == "bailiwick::guest");
    assert_eq!(guest.len(), 2, "one for each line that the guest wrote");
    assert_eq!((&guest[0]["level"], &guest[0]["fields"]["message"]), (&json!("DEBUG"), &json!("hello")));
    let outcomes: Vec<_> = calls.iter().map(|line| &line["fields"]["outcome"]).collect();
    assert_eq!(outcomes, ["succeeded", "skill-not-found", "cancelled"]);
    let fields = &calls[0]["fields"];
    assert_eq!(calls[0]["level"], "DEBUG");
    assert_eq!(
        (&fields["skill"], &fields["version"], &fields["tool"]),
        (&json!("demo/p"), &json!("1.0.0"), &json!("run"))
    );
    assert_eq!(fields["digest"], host.skill("demo/p").digest.to_string());
    assert_eq!(
        (&fields["trace_id"], &fields["principal"]),
        (&json!("4bf92f3577b34da6a3ce929d0e0e4736"), &json!("key:ci"))
    );
    assert!(fields["wall_ms"].is_number());
    assert!(lines.iter().all(|line| !line.to_string().contains("secret")), "{lines:?}");
}

#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> Vec<serde_json::Value> {
        let bytes = std::mem::take(&mut *self.0.lock().expect("no panic under the lock"));
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic under the lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
