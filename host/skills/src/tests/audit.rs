//! The audit chain: what is in it, and what an export of it gives away.

use std::sync::Arc;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use serde_json::Value;

use super::script::Act;
use super::support::{Host, Site, in_time, invocation};
use crate::audit::{Audit, AuditQuery, PublicKey, VerifyError, verify};

async fn host_with(calls: usize) -> Host {
    let host = Site::new().with("p").open();
    host.grant("demo/p");
    for _ in 0..calls {
        host.call("demo/p").await.expect("it succeeds");
    }
    host
}

fn records(host: &Host) -> Vec<Value> {
    let chain = host.audit.chain(0, 1000).expect("the chain");
    chain.iter().map(|entry| serde_json::from_str(&entry.record).expect("JSON")).collect()
}

fn kinds(host: &Host) -> Vec<String> {
    records(host).iter().map(|record| record["kind"].as_str().expect("a kind").to_owned()).collect()
}

fn export(host: &Host) -> String {
    host.audit.export().expect("an export").map(|piece| piece.expect("a piece")).collect()
}

fn check(text: &str, key: Option<PublicKey>) -> Result<u64, VerifyError> {
    verify(text.as_bytes(), key).map(|verified| verified.records)
}

#[tokio::test]
async fn a_call_and_the_reasons_of_its_permit_are_recorded() {
    let host = host_with(2).await;
    assert_eq!(kinds(&host), ["grant-given", "permit", "call", "call"]);
    let records = records(&host);
    let (grant, permit, call) = (&records[0], &records[1], &records[2]);
    assert_eq!(grant["principal"], "ada");
    assert_eq!(call["permit"], permit["permit"]);
    assert_eq!(call["principal"], "key:ci");
    assert_eq!(call["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(call["outcome"], "succeeded");
    assert_eq!(call["digest"], host.skill("demo/p").digest.to_string());
    assert_eq!(call["denials"][0]["capability"], "fs");
    assert_eq!(call["used"][0], "fs /work (read)");
    assert_eq!(call["usage"]["wall_us"], 7);
    let arguments = invocation("demo/p").arguments;
    assert_eq!(call["arguments"], crate::execute::arguments_digest(&arguments).to_string());
    assert_eq!(permit["content"]["grant"]["fingerprint"], grant["grant"]);
    let terms = permit["content"]["terms"].as_array().expect("terms");
    let because = |kind: &str| {
        let term = terms.iter().find(|term| term["kind"] == kind).expect("a term");
        term["because"].as_str().expect("a reason").to_owned()
    };
    assert!(because("fs").contains("the manifest asks for /work (read-write)"), "{}", because("fs"));
    assert!(because("fs").contains("ada grants"), "{}", because("fs"));
    assert!(because("http").contains("ada grants it"));
    assert!(!because("state").is_empty() && !because("config").is_empty() && !because("limit").is_empty());
    let whole = export(&host);
    assert!(!whole.contains("secret words"), "arguments are in it as a digest alone");
}

#[tokio::test]
async fn refusals_and_calls_that_are_cut_off_are_recorded() {
    let host = Site::new().with("p").open();
    host.call("demo/p").await.expect_err("nothing is granted");
    host.grant("demo/p");
    host.sandbox.act(Act::Wait);
    let revoked = host.start(invocation("demo/p")).await;
    host.grants.revoke(&host.skill("demo/p").manifest.id, None, "bob").expect("revoke");
    in_time(revoked).await.expect("no panic").expect_err("it is ended");
    host.grant("demo/p");
    let cancelled = host.start(invocation("demo/p")).await;
    cancelled.abort();
    let recorded = async {
        while kinds(&host).last().expect("a record") != "call" {
            tokio::task::yield_now().await;
        }
    };
    in_time(recorded).await;
    let records = records(&host);
    assert_eq!((&records[0]["kind"], &records[0]["outcome"]), (&"refusal".into(), &"no-grant".into()));
    let outcomes: Vec<_> = records.iter().filter(|it| it["kind"] == "call").map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["revoked", "cancelled"]);
    let revocation = records.iter().find(|it| it["kind"] == "grant-revoked").expect("a record");
    assert_eq!(revocation["principal"], "bob");
}

#[tokio::test]
async fn an_export_is_verified_by_itself() {
    let host = host_with(5).await;
    host.audit.checkpoint().await.expect("signed").expect("something is new");
    assert!(host.audit.checkpoint().await.expect("signed").is_none(), "nothing is new");
    host.call("demo/p").await.expect("it succeeds");
    let (text, key) = (export(&host), host.audit.public_key());
    let verified = verify(text.as_bytes(), Some(key)).expect("whole");
    assert_eq!((verified.records, verified.checkpoints), (8, 2));
    assert_eq!(verified.kinds["call"], 6);
    assert_eq!(verified.key, key.to_string());
    assert_eq!(check(&text, None).expect("whole"), 8, "the export names its key");
    let empty = Site::new().open();
    assert_eq!(check(&export(&empty), None).expect("whole"), 0);
}

#[tokio::test]
async fn every_change_of_an_export_is_found() {
    let host = host_with(4).await;
    host.audit.checkpoint().await.expect("signed");
    host.call("demo/p").await.expect("it succeeds");
    let (text, key) = (export(&host), Some(host.audit.public_key()));
    check(&text, key).expect("whole");
    // Every byte, changed in its lowest bit.
    for place in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[place] ^= 1;
        assert!(verify(bytes.as_slice(), key).is_err(), "byte {place}");
    }
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + if lines.is_empty() { "" } else { "\n" };
    for place in 0..lines.len() {
        let mut without = lines.clone();
        let gone = without.remove(place);
        let found = check(&joined(&without), key);
        // A checkpoint amid the records may be missing: the next one covers the same.
        let harmless = gone.starts_with("{\"checkpoint\"") && place + 1 < lines.len();
        assert_eq!(found.is_err(), !harmless, "line {place}: {found:?}");
        for other in 0..place {
            let mut swapped = lines.clone();
            swapped.swap(place, other);
            assert!(check(&joined(&swapped), key).is_err(), "lines {other} and {place}");
        }
        // The tail cut off, right behind a checkpoint too.
        assert!(matches!(check(&joined(&lines[..place]), key), Err(VerifyError::NoEnd { .. })), "{place}");
    }
    let mut twice = lines.clone();
    twice.insert(2, lines[1]);
    assert!(matches!(check(&joined(&twice), key), Err(VerifyError::OutOfOrder { .. })));
    assert!(matches!(check(&format!("{text}{}", lines[0]), key), Err(VerifyError::AfterEnd { .. })));
    assert!(check(&text.replace("{\"hash\"", "{ \"hash\""), key).is_err(), "the form is part of it");
    let cut = &text[..text.len() - 7];
    assert!(matches!(check(cut, key), Err(VerifyError::Malformed { .. })));
}

#[tokio::test]
async fn a_chain_that_was_written_anew_has_another_key() {
    let (host, forger) = (host_with(3).await, host_with(3).await);
    let other = export(&forger);
    check(&other, None).expect("it holds together");
    assert!(matches!(check(&other, Some(host.audit.public_key())), Err(VerifyError::Forged { .. })));
}

#[tokio::test]
async fn the_chain_is_searched_page_by_page() {
    let host = host_with(7).await;
    let query = AuditQuery { kind: Some("call".to_owned()), ..AuditQuery::default() };
    let (mut found, mut after) = (Vec::new(), Some(0));
    while let Some(place) = after {
        let page = host.audit.query(&query, place, 3).expect("a page");
        found.extend(page.entries.iter().map(|entry| entry.link.seq));
        after = page.next;
    }
    assert_eq!(found, [3, 4, 5, 6, 7, 8, 9]);
    let none = |query: AuditQuery| host.audit.query(&query, 0, 100).expect("a page").entries.is_empty();
    let of = |text: &str| Some(text.to_owned());
    assert!(none(AuditQuery { skill: of("demo/q"), ..AuditQuery::default() }));
    assert!(none(AuditQuery { principal: of("key:other"), ..AuditQuery::default() }));
    assert!(none(AuditQuery { trace_id: of("00"), ..AuditQuery::default() }));
    assert!(none(AuditQuery { outcome: of("failed"), ..AuditQuery::default() }));
    assert!(none(AuditQuery { since: of("2999-01-01T00:00:00.000000Z"), ..AuditQuery::default() }));
    assert!(none(AuditQuery { until: of("2000-01-01T00:00:00.000000Z"), ..AuditQuery::default() }));
    assert!(!none(AuditQuery { since: of("2000-01-01T00:00:00.000000Z"), ..AuditQuery::default() }));
}

#[tokio::test]
async fn the_key_is_kept_and_must_be_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = host_with(1).await;
    let path = host.site.home().join("audit.key");
    let open = || {
        let clock = Arc::clone(&host.site.clock) as Arc<dyn Clock>;
        Audit::open(Arc::clone(&host.journal), &path, clock)
    };
    assert_eq!(open().expect("it opens").public_key(), host.audit.public_key());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    assert!(open().map(drop).expect_err("refused").to_string().contains("mode 644"));
    std::fs::remove_file(&path).expect("remove");
    std::fs::write(&path, "not a key").expect("write");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    assert!(open().map(drop).expect_err("refused").to_string().contains("PKCS#8"));
    let text = host.audit.public_key().to_string();
    assert_eq!(text.parse::<PublicKey>().expect("a key"), host.audit.public_key());
    assert!("ed25519:xyz".parse::<PublicKey>().is_err());
    assert_ne!(Digest::of(text.as_bytes()), Digest::of(b""));
}
