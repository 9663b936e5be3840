//! Observations: what is on record of them, however they end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::invocation::Invocation;
use serde_json::{Value, json};

use super::script::Act;
use super::support::{Host, Site, in_time, invocation};
use crate::execute::arguments_digest;
use crate::grants::NewGrant;
use crate::observe::{ObserveCall, ObserveError, ObserveRequest, Observed};

/// Two calls that differ in their arguments, within no bounds but these.
fn request(host: &Host, within: NewGrant) -> ObserveRequest {
    let Invocation { skill, principal, trace, .. } = invocation("demo/p");
    let call = |text: &str| ObserveCall { tool: None, arguments: json!({ "text": text }) };
    let digest = host.skill("demo/p").digest;
    ObserveRequest { skill, digest, calls: vec![call("one"), call("two")], within, principal, trace }
}

fn bounds() -> NewGrant {
    NewGrant { giver: "key:ci".to_owned(), ..NewGrant::default() }
}

async fn observe(host: &Host, within: NewGrant) -> Result<Observed, ObserveError> {
    in_time(host.executor.observe(request(host, within))).await
}

fn records(host: &Host) -> Vec<Value> {
    let chain = host.audit.chain(0, 1000).expect("the chain");
    chain.iter().map(|entry| serde_json::from_str(&entry.record).expect("JSON")).collect()
}

#[tokio::test]
async fn what_is_planned_is_on_record_before_what_was_done() {
    let host = Site::new().with("p").open();
    observe(&host, bounds()).await.expect("it is observed");
    let records = records(&host);
    let [begun, ended] = &records[..] else { panic!("{records:?}") };
    let arguments = |text: &str| arguments_digest(&json!({ "text": text })).to_string();
    let planned = |text: &str| json!({ "tool": "run", "arguments": arguments(text) });
    assert_eq!((&begun["kind"], &begun["calls"]), (&json!("observation-begun"), &json!(2)));
    assert_eq!(begun["planned"], json!([planned("one"), planned("two")]));
    assert_eq!((begun.get("outcome"), begun.get("observed")), (None, None));
    assert_eq!((&ended["kind"], &ended["outcome"]), (&json!("observation-ended"), &json!("completed")));
    assert_eq!(ended["observed"][1]["arguments"], arguments("two"));
    assert_eq!(ended["observed"].as_array().expect("calls").len(), 2);
}

#[tokio::test]
async fn an_observation_that_nobody_waits_for_is_on_record() {
    let host = Site::new().with("p").open();
    host.sandbox.act(Act::Wait);
    let (executor, request) = (Arc::clone(&host.executor), request(&host, bounds()));
    let observing = tokio::spawn(async move { executor.observe(request).await });
    host.sandbox.until_under_way(1).await;
    host.sandbox.release();
    let second = async {
        while host.sandbox.calls() < 2 {
            tokio::task::yield_now().await;
        }
    };
    in_time(second).await;
    observing.abort();
    let recorded = async {
        while records(&host).len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    in_time(recorded).await;
    let records = records(&host);
    let ended = &records[1];
    assert_eq!((&ended["kind"], &ended["outcome"]), (&json!("observation-ended"), &json!("cancelled")));
    let outcomes: Vec<_> = ended["observed"].as_array().expect("calls").iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["succeeded", "cancelled"]);
    assert_eq!(ended["observed"][0]["used"], json!(["fs /work (read)"]));
    assert_eq!(ended["observed"][1]["arguments"], arguments_digest(&json!({ "text": "two" })).to_string());
}

#[tokio::test]
async fn a_call_that_finds_no_place_is_told_and_on_record() {
    let host = Site { max_concurrent_calls: 1, ..Site::new() }.with("p").open();
    host.grant("demo/p");
    host.sandbox.act(Act::Wait);
    let other = host.start(invocation("demo/p")).await;
    let observed = observe(&host, bounds()).await.expect("it is observed");
    let outcomes: Vec<_> = observed.calls.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["busy", "busy"]);
    assert!(observed.calls[0].result.as_ref().is_err_and(|problem| !problem.is_empty()));
    let records = records(&host);
    let ended = records.last().expect("a record");
    assert_eq!((&ended["outcome"], &ended["observed"][0]["outcome"]), (&json!("completed"), &json!("busy")));
    host.sandbox.release();
    in_time(other).await.expect("no panic").expect("it succeeds");
}

#[tokio::test]
async fn a_call_ends_with_the_bounds() {
    let host = Site::new().with("p").open();
    let (clock, end) = (Arc::clone(&host.site.clock), Duration::from_secs(1));
    let expires = |end: SystemTime| NewGrant { expires_at: Some(end), ..bounds() };
    observe(&host, expires(clock.now() + end)).await.expect("it is observed");
    assert_eq!(host.sandbox.last().deadline, clock.instant() + end);
    observe(&host, bounds()).await.expect("it is observed");
    assert!(host.sandbox.last().deadline > clock.instant() + end, "without an end it has its own deadline");
}
