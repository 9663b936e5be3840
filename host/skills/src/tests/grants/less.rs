//! What is taken away from a grant, and what of it new bytes get.

use std::path::Path;
use std::time::{Duration, SystemTime};

use bailiwick_domain::authority::Access;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::quota::Quota;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_journal::{Shelf, Undone};
use serde_json::{Value, json};

use super::super::script::midnight;
use super::super::support::{ALL, Host, Site, everything, manifest, mount, tool};
use super::{add, host};
use crate::grants::{GrantError, MountError, Narrowing, NewGrant};

/// A file with a grant of everything; `HOST` stands for a folder, `DIGEST` for bytes.
const EVERYTHING: &str = r#"
version = 1

[[grant]]
skill = "demo/p"
digest = "DIGEST"
giver = "ada"
given_at = 2026-11-20T11:00:00Z
expires_at = 2126-12-31T23:59:59Z
accept_risks = ["writes"]
shell = [["git", "log", "..."]]
skills = ["demo/q@^1"]
models = ["small"]
workspace = true
state = true

[[grant.fs]]
root = "/work"
host = "HOST"
access = "read-write"

[[grant.http]]
host = "api.example.com"
methods = ["GET"]

[grant.config]
mode = "fast"

[grant.secrets]
token = ["api.example.com"]
"#;

/// A key, what it takes away of [`EVERYTHING`], and whether a grant has that.
type Taking = (&'static str, Value, fn(&Grant) -> bool);

/// 2100-01-01T00:00:00Z.
fn year_2100() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(1_139_568)
}

/// One for each key but `limits`.
fn takings() -> [Taking; 12] {
    [
        ("fs", json!(["/work"]), |grant: &Grant| !grant.capabilities.fs.is_empty()),
        ("read_only", json!(["/work"]), |grant: &Grant| {
            grant.capabilities.fs.iter().any(|mount| mount.access == Access::ReadWrite)
        }),
        ("http", json!(["api.example.com"]), |grant: &Grant| !grant.capabilities.http.is_empty()),
        ("state", json!(true), |grant: &Grant| grant.capabilities.state.is_some()),
        ("workspace", json!(true), |grant: &Grant| grant.capabilities.workspace.is_some()),
        ("config", json!(["mode"]), |grant: &Grant| !grant.capabilities.config.is_empty()),
        ("secrets", json!(["token"]), |grant: &Grant| !grant.capabilities.secrets.is_empty()),
        ("shell", json!(["git log ..."]), |grant: &Grant| !grant.capabilities.shell.is_empty()),
        ("skills", json!(["demo/q"]), |grant: &Grant| !grant.capabilities.skills.is_empty()),
        ("models", json!(["small"]), |grant: &Grant| !grant.capabilities.models.is_empty()),
        ("risks", json!(["writes"]), |grant: &Grant| !grant.accepted_risks.is_empty()),
        ("expires_at", json!("2100-01-01T00:00:00Z"), |grant: &Grant| {
            grant.expires_at.is_none_or(|end| end > year_2100())
        }),
    ]
}

/// The keys that there are, as whoever writes another one is told.
fn known_keys(slip: &Value) -> Vec<String> {
    let told = Narrowing::from_json(slip).expect_err("there is no such key");
    let (_, known) = told.split_once("expected one of ").expect("it lists those that there are");
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn narrow(host: &Host, what: &Value) -> Result<Grant, GrantError> {
    let id: SkillId = "demo/p".parse().expect("an id");
    let narrowing = Narrowing::from_json(what).expect("it is understood");
    host.grants.narrow(&id, None, &narrowing, "ada").map(|entry| entry.grant.clone())
}

/// The only grant that there is.
fn given(host: &Host) -> Grant {
    let [entry] = host.grants.list().try_into().expect("one grant");
    assert_eq!(entry.problem, None);
    entry.grant.clone()
}

fn give_everything(host: &Host) {
    let folder = host.site.data("work").display().to_string();
    let text = EVERYTHING.replace("HOST", &folder).replace("DIGEST", &Digest::of(b"bytes").to_string());
    host.grants.import(Path::new("grants.toml"), &text, "ada").expect("it is given");
}

#[test]
fn each_thing_can_be_taken_away() {
    let host = Site::new().open();
    let takings = takings();
    let keys = known_keys(&json!({ "none": true }));
    assert_eq!(keys.len(), takings.len() + 1, "{keys:?}");
    for key in keys.iter().filter(|key| *key != "limits") {
        let (_, what, has) = takings.iter().find(|(name, ..)| name == key).expect("what the key takes away");
        give_everything(&host);
        assert!(has(&given(&host)), "{key}");
        let what = json!({ key: what });
        let narrowed = narrow(&host, &what).expect("it is there to be taken");
        assert!(!has(&narrowed), "{key}");
        assert_eq!(given(&host), narrowed, "{key}");
        let again = narrow(&host, &what);
        if key == "expires_at" {
            assert_eq!(again.expect("it ends no later"), narrowed);
        } else {
            assert!(matches!(again, Err(GrantError::NothingToNarrow { .. })), "{key}: {again:?}");
        }
        assert_eq!(given(&host), narrowed, "{key}");
    }
}

#[test]
fn each_limit_can_be_lowered() {
    let host = Site::new().open();
    give_everything(&host);
    let keys = known_keys(&json!({ "limits": { "none": 1 } }));
    assert_eq!(keys.len(), 17, "{keys:?}");
    for (index, key) in keys.iter().enumerate() {
        let lower = [json!(1), json!("1 KiB"), json!("1 s")].map(|value| json!({ "limits": { key: value } }));
        let understood = |what: &&Value| Narrowing::from_json(what).is_ok();
        let lower = lower.iter().find(understood).expect("it is a number, a size or a time");
        assert_eq!(given(&host).limits.named().len(), index, "{key}");
        let narrowed = narrow(&host, lower).expect("it is lowered");
        assert_eq!(narrowed.limits.named().len(), index + 1, "{key}");
        assert_eq!(host.grants.list()[0].to_json()["limits"][key], lower["limits"][key]);
        let higher = [json!(2), json!("2 KiB"), json!("2 s")].map(|value| json!({ "limits": { key: value } }));
        let higher = higher.iter().find(understood).expect("as before");
        assert_eq!(narrow(&host, higher).expect("nothing changes"), narrowed, "{key}");
    }
}

#[test]
fn a_folder_with_a_quota_can_be_made_read_only() {
    let host = host();
    let mut new = everything(&host.site.data("work"));
    new.capabilities.fs[0].quota = Quota { max_bytes: 13, max_files: 14 };
    host.grants.add(&host.skill("demo/p"), new).expect("the grant is given");
    narrow(&host, &json!({ "read_only": ["/work"] })).expect("it is narrowed");
    assert_eq!(given(&host).capabilities.fs, [mount("/work", &host.site.data("work"), Access::Read)]);
}

#[test]
fn what_would_leave_a_grant_without_effect_is_not_taken_away() {
    let host = host();
    let (outer, inner) = (host.site.data("work"), host.site.data("work/sub"));
    let fs = vec![mount("/work/a", &outer, Access::ReadWrite), mount("/work/b", &inner, Access::ReadWrite)];
    add(&host, Capabilities { fs, ..Capabilities::default() }).expect("both may be written");
    let before = given(&host);
    for root in ["/work/a", "/work/b"] {
        let refused = narrow(&host, &json!({ "read_only": [root] })).expect_err("the other one may still be written");
        assert!(matches!(refused, GrantError::Mount(MountError::HostOverlap { .. })), "{refused}");
        assert_eq!(given(&host), before);
    }
    narrow(&host, &json!({ "read_only": ["/work/a", "/work/b"] })).expect("nothing may be written");
    assert!(given(&host).capabilities.fs.iter().all(|mount| mount.access == Access::Read));
    add(&host, before.capabilities).expect("once more");
    narrow(&host, &json!({ "read_only": ["/work/a"], "fs": ["/work/b"] })).expect("there is one folder");
}

#[test]
fn accepted_bytes_get_no_more_than_the_old_ones() {
    let host = host();
    let mut new = everything(&host.site.data("work"));
    new.expires_at = Some(midnight() + Duration::from_hours(1));
    new.accepted_risks = ["writes".to_owned()].into();
    new.one_shot = true;
    new.limits = LimitsRequest {
        memory_bytes: Some(1 << 20),
        deadline: Some(Duration::from_secs(1)),
        host_calls: Some(3),
        ..LimitsRequest::default()
    };
    let old = host.grants.add(&host.skill("demo/p"), new).expect("the grant is given");
    let old = &old.grant;
    assert!(!old.capabilities.http_deny.is_empty());
    host.site.package("p", &manifest("demo/p", "1.1.0", ALL), &[tool("run"), tool("more")]);
    host.registry.reload();
    let skill = host.skill("demo/p");
    assert_ne!(skill.digest, old.digest);
    let accepted = host.grants.accept(&skill, skill.digest, "ada").expect("accepted");
    let accepted = &accepted.grant;
    assert_eq!(accepted.capabilities.http_deny, old.capabilities.http_deny);
    assert_eq!(accepted.capabilities, old.capabilities);
    assert_eq!(accepted.limits, old.limits);
    assert_eq!(accepted.expires_at, old.expires_at);
    assert_eq!(accepted.accepted_risks, old.accepted_risks);
    assert!(accepted.one_shot);
}

#[test]
fn a_long_reason_of_old_bytes_is_taken_over() {
    let host = host();
    host.grant("demo/p");
    let [(key, document)] = host.journal.documents(Shelf::Grants).expect("read").try_into().expect("one grant");
    let reason = "x".repeat(1001);
    let text = String::from_utf8(document).expect("UTF-8").replace("for the test", &reason);
    let written = host.journal.update_blocking(move |batch| {
        batch.put(Shelf::Grants, key, text.into_bytes());
        Ok::<_, Undone>(Ok::<(), ()>(()))
    });
    written.expect("the journal writes").expect("no refusal");
    let grants = host.site.open_grants(&host.journal);
    host.site.package("p", &manifest("demo/p", "1.1.0", ALL), &[tool("run"), tool("more")]);
    host.registry.reload();
    let skill = host.skill("demo/p");
    let accepted = grants.accept(&skill, skill.digest, "ada").expect("accepted");
    assert_eq!(accepted.grant.reason, Some(reason));
}

#[test]
fn the_latest_of_the_old_grants_counts() {
    let host = host();
    host.site.package("p2", &manifest("demo/p", "1.1.0", ALL), &[tool("run"), tool("two")]);
    host.site.package("p3", &manifest("demo/p", "1.2.0", ALL), &[tool("run"), tool("three")]);
    host.registry.reload();
    let give = |release: &str, mode: &str| {
        host.site.clock.advance(Duration::from_secs(1));
        let config = [("mode".to_owned(), mode.to_owned())].into();
        let capabilities = Capabilities { config, ..Capabilities::default() };
        let new = NewGrant { giver: "ada".to_owned(), capabilities, ..NewGrant::default() };
        host.grants.add(&host.skill(release), new).expect("the grant is given");
    };
    let newest = host.skill("demo/p@1.2.0");
    // In both orders, because their digests have one.
    for (first, last) in [("demo/p@1.0.0", "demo/p@1.1.0"), ("demo/p@1.1.0", "demo/p@1.0.0")] {
        give(first, "slow");
        give(last, "fast");
        let accepted = host.grants.accept(&newest, newest.digest, "ada").expect("accepted");
        assert_eq!(accepted.grant.capabilities.config["mode"], "fast", "{last} was granted last");
    }
}
