//! Giving and taking back.

mod at_once;
mod less;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::authority::Access;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::quota::{Quota, StateQuota};

use bailiwick_journal::{Shelf, Undone};
use serde_json::json;

use super::script::midnight;
use super::support::{Host, Site, everything, manifest, mount, rule, tool};
use crate::grants::{GrantError, MountError, Narrowing, NewGrant, Wider};

fn host() -> Host {
    Site::new().with("p").open()
}

fn add(host: &Host, capabilities: Capabilities) -> Result<(), GrantError> {
    let new = NewGrant { giver: "ada".to_owned(), capabilities, ..NewGrant::default() };
    host.grants.add(&host.skill("demo/p"), new).map(drop)
}

#[test]
fn what_is_given_is_read_back_by_others() {
    let host = host();
    let mut new = everything(&host.site.data("work"));
    new.expires_at = Some(midnight() + Duration::from_mins(1));
    new.accepted_risks = ["writes".to_owned()].into();
    new.limits = LimitsRequest {
        memory_bytes: Some(1000),
        deadline: Some(Duration::from_millis(1500)),
        fuel: Some(7),
        output_bytes: Some(2048),
        concurrency: Some(3),
        table_elements: Some(4),
        instances: Some(5),
        host_calls: Some(6),
        input_bytes: Some(7),
        skill_calls: Some(13),
        model_calls: Some(14),
        model_tokens: Some(15),
        http_requests: Some(8),
        http_sent_bytes: Some(9),
        http_received_bytes: Some(10),
        log_bytes: Some(11),
        random_bytes: Some(12),
    };
    new.capabilities.fs[0].quota = Quota { max_bytes: 13, max_files: 14 };
    let given = host.grants.add(&host.skill("demo/p"), new.clone()).expect("the grant is given");
    assert_eq!(given.grant.given_at, midnight());
    assert_eq!(given.grant.digest, host.skill("demo/p").digest);
    assert_eq!(given.grant.capabilities, new.capabilities);
    assert_eq!(given.grant.limits, new.limits);
    assert_eq!((given.grant.expires_at, &given.grant.accepted_risks), (new.expires_at, &new.accepted_risks));
    let others = host.site.open_grants(&host.journal);
    assert_eq!(others.list(), [given]);
    assert!(others.current().of(&host.skill("demo/p").manifest.id, &Digest::of(b"other")).is_none());
}

#[test]
fn only_the_owner_reads_the_data_folder() {
    let host = host();
    host.grant("demo/p");
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    for file in ["journal.redb", "audit.key"] {
        assert_eq!(mode(&host.site.home().join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_second_grant_takes_the_place_of_the_first() {
    let host = host();
    host.grant("demo/p");
    add(&host, Capabilities::default()).expect("the grant is given");
    let [entry] = host.grants.list().try_into().expect("one grant");
    assert_eq!(entry.grant.capabilities, Capabilities::default());
}

#[test]
fn a_grant_is_revoked_by_digest_or_whole() {
    let host = host();
    host.site.package("p2", &manifest("demo/p", "2.0.0", ""), &[tool("run"), tool("two")]);
    host.registry.reload();
    host.grant("demo/p@1.0.0");
    host.grants
        .add(&host.skill("demo/p@2.0.0"), NewGrant { giver: "ada".to_owned(), ..NewGrant::default() })
        .expect("given");
    let id = host.skill("demo/p").manifest.id.clone();
    assert_eq!(host.grants.list().len(), 2);
    assert!(host.grants.revoke(&id, Some(Digest::of(b"other")), "ada").expect("revoke").is_empty());
    let revoked = host.grants.revoke(&id, Some(host.skill("demo/p@1.0.0").digest), "ada").expect("revoke");
    assert_eq!(revoked.len(), 1);
    assert_eq!(host.grants.list()[0].grant.digest, host.skill("demo/p@2.0.0").digest);
    assert_eq!(host.grants.revoke(&id, None, "ada").expect("revoke").len(), 1);
    assert!(host.grants.list().is_empty());
}

#[test]
fn a_grant_wider_than_the_manifest_names_what_it_lacks() {
    let host = Site::new();
    host.package("bare", &manifest("demo/bare", "1.0.0", ""), &[tool("run")]);
    let narrow = "[[permissions.fs]]\nroot = \"/work\"\naccess = \"read\"\n[permissions]\nconfig = [\"mode\"]";
    host.package("p", &manifest("demo/p", "1.0.0", narrow), &[tool("run")]);
    let host = host.open();
    let data = host.site.data("work");
    let wider = |capabilities| match add(&host, capabilities) {
        Err(GrantError::Wider { wider, .. }) => wider,
        other => panic!("expected a refusal, found {other:?}"),
    };
    let fs = |root, access| Capabilities { fs: vec![mount(root, &data, access)], ..Capabilities::default() };
    assert!(matches!(wider(fs("/other", Access::Read)), Wider::Root { .. }));
    assert!(matches!(wider(fs("/workshop", Access::Read)), Wider::Root { .. }));
    assert!(matches!(wider(fs("/work/sub", Access::ReadWrite)), Wider::Access { .. }));
    assert!(add(&host, fs("/work/sub", Access::Read)).is_ok());
    let http = Capabilities { http: vec![rule("example.com", &["GET"])], ..Capabilities::default() };
    let lacks = wider(http);
    assert!(lacks.to_string().contains("`GET https://example.com:443/`"), "{lacks}");
    let state = Capabilities { state: Some(StateQuota::MOST), ..Capabilities::default() };
    assert!(matches!(wider(state), Wider::State));
    let workspace = Capabilities { workspace: Some(Quota::default()), ..Capabilities::default() };
    assert!(matches!(wider(workspace), Wider::Workspace));
    let config = [("level".to_owned(), String::new())].into();
    let lacks = wider(Capabilities { config, ..Capabilities::default() });
    assert_eq!(
        lacks.to_string(),
        "`config` in `[permissions]` of the manifest doesn't name `level`; it asks for `mode`"
    );
    let secrets = [("token".to_owned(), vec!["a.com".parse().expect("a host")])].into();
    let lacks = wider(Capabilities { secrets, ..Capabilities::default() });
    assert_eq!(
        lacks.to_string(),
        "`secrets` in `[permissions]` of the manifest doesn't name `token`; it asks for none"
    );
    assert_eq!(host.grants.list().len(), 1, "nothing else was written");
}

#[test]
fn folders_are_checked_where_they_lie() {
    let host = host();
    let (data, home) = (host.site.data("work"), host.site.data("other"));
    let try_fs = |fs| match add(&host, Capabilities { fs, ..Capabilities::default() }) {
        Err(GrantError::Mount(error)) => Err(error),
        Ok(()) => Ok(()),
        Err(error) => panic!("another error: {error}"),
    };
    let at = |root: &str, path: &Path, access| mount(&format!("/work/{root}"), path, access);
    let missing = host.site.folder.path().join("missing");
    assert!(matches!(try_fs(vec![at("a", &missing, Access::Read)]), Err(MountError::Missing { .. })));
    fs::write(data.join("file"), "").expect("write");
    assert!(matches!(try_fs(vec![at("a", &data.join("file"), Access::Read)]), Err(MountError::NotAFolder { .. })));
    let guests = vec![at("a", &data, Access::Read), at("a/b", &home, Access::Read)];
    assert!(matches!(try_fs(guests), Err(MountError::GuestOverlap { .. })));
    fs::create_dir(data.join("sub")).expect("a folder");
    // A symlink hides that one folder lies in the other.
    let link = host.site.folder.path().join("link");
    symlink(data.join("sub"), &link).expect("a symlink");
    for (read, written) in [(&data, &link), (&link, &data), (&data, &data)] {
        let overlapping = vec![at("a", read, Access::Read), at("b", written, Access::ReadWrite)];
        assert!(matches!(try_fs(overlapping), Err(MountError::HostOverlap { .. })), "{read:?} {written:?}");
    }
    let apart = vec![at("a", &data, Access::Read), at("b", &home, Access::ReadWrite), at("c", &data, Access::Read)];
    assert!(try_fs(apart).is_ok());
    assert!(try_fs(vec![at("a", &link, Access::Read)]).is_ok());
    assert_eq!(host.grants.list()[0].grant.capabilities.fs[0].host, data.join("sub"), "the folder's own path is kept");
}

#[test]
fn nobody_is_given_the_folder_with_the_grants() {
    let host = host();
    let home = host.site.home();
    for path in [home.as_path(), host.site.folder.path(), Path::new("/")] {
        let fs = vec![mount("/work", path, Access::Read)];
        let refused = add(&host, Capabilities { fs, ..Capabilities::default() });
        assert!(matches!(refused, Err(GrantError::Mount(MountError::HoldsGrants { .. }))), "{path:?}");
    }
}

#[test]
fn nobody_is_given_what_lies_beside_the_grants_or_is_hidden() {
    let host = host();
    let folder = host.site.folder.path();
    let (cache, vault) = (host.site.home().join("cache"), folder.join("vault"));
    for path in [&cache, &vault] {
        fs::create_dir_all(path).expect("a folder");
    }
    let try_at = |path: &Path| {
        let fs = vec![mount("/work", path, Access::Read)];
        add(&host, Capabilities { fs, ..Capabilities::default() })
    };
    assert!(matches!(try_at(&cache), Err(GrantError::Mount(MountError::HoldsGrants { .. }))));
    try_at(&vault).expect("there is no secret in it yet");
    fs::write(vault.join("token"), "a long secret").expect("a file");
    assert!(matches!(try_at(&vault), Err(GrantError::Mount(MountError::Hidden { .. }))));
}

#[test]
fn nobody_is_given_the_workspaces_of_calls() {
    let host = host();
    let workspaces = host.site.home().join("workspaces");
    fs::create_dir_all(workspaces.join("one/files")).expect("a workspace");
    for path in [workspaces.clone(), workspaces.join("one/files")] {
        let fs = vec![mount("/work", &path, Access::Read)];
        let refused = add(&host, Capabilities { fs, ..Capabilities::default() });
        assert!(matches!(refused, Err(GrantError::Mount(MountError::HoldsWorkspaces { .. }))), "{path:?}");
    }
}

#[test]
fn no_folder_is_mounted_over_a_workspace() {
    let host = Site::new();
    let asked = "[permissions]\nworkspace = true\n[[permissions.fs]]\nroot = \"/other\"\naccess = \"read\"\n";
    host.package("p", &manifest("demo/p", "1.0.0", asked), &[tool("run")]);
    let host = host.open();
    let fs = vec![mount("/other", &host.site.data("work"), Access::Read)];
    let given = Capabilities { workspace: Some(Quota::default()), fs, ..Capabilities::default() };
    add(&host, given).expect("they are apart");
    // A grant that comes in a file, for a root that the manifest doesn't ask for.
    let text = host.grants.export().expect("a file").replace("\"/other\"", "\"/workspace/in\"");
    let refused = host.grants.import(Path::new("grants.toml"), &text, "ada").expect_err("refused");
    assert!(refused.to_string().contains("overlap"), "{refused}");
}

#[test]
fn nobody_may_write_where_the_host_reads_what_it_trusts() {
    let host = host();
    let package = host.site.skills().join("p");
    let try_at = |path: &Path, access| {
        let fs = vec![mount("/work", path, access)];
        add(&host, Capabilities { fs, ..Capabilities::default() })
    };
    for path in [&package, &host.site.skills()] {
        let refused = try_at(path, Access::ReadWrite);
        assert!(matches!(refused, Err(GrantError::Mount(MountError::Unwritable { .. }))), "{refused:?}");
    }
    try_at(&package, Access::Read).expect("it may be read");
    // Neither may a grant that comes in a file.
    let text = host.grants.export().expect("a file").replace("\"read\"", "\"read-write\"");
    let refused = host.grants.import(Path::new("grants.toml"), &text, "ada").expect_err("refused");
    assert!(refused.to_string().contains("may not be writable"), "{refused}");
}

#[test]
fn slips_are_refused_before_anything_is_written() {
    let host = host();
    let skill = host.skill("demo/p");
    let new = || NewGrant { giver: "ada".to_owned(), ..NewGrant::default() };
    let refused = |new| host.grants.add(&skill, new).expect_err("refused");
    assert!(matches!(refused(NewGrant { giver: " ".to_owned(), ..new() }), GrantError::NoGiver));
    let past = NewGrant { expires_at: Some(midnight()), ..new() };
    assert!(matches!(refused(past), GrantError::AlreadyExpired(_)));
    let error = refused(NewGrant { reason: Some("ä".repeat(1001)), ..new() });
    assert_eq!(error.to_string(), "the reason of the grant of `demo/p` has 1001 characters: expected at most 1000");
    let risks = ["wrties".to_owned()].into();
    let error = refused(NewGrant { accepted_risks: risks, ..new() });
    assert!(error.to_string().contains("it has `writes`"), "{error}");
    // What the file can't hold would void every grant in it, so it is not written.
    let mut empty = rule("a.example.com", &["GET"]);
    empty.methods.clear();
    let http = vec![empty];
    refused(NewGrant { capabilities: Capabilities { http, ..Capabilities::default() }, ..new() });
    let far = midnight() + Duration::from_secs(1 << 40);
    refused(NewGrant { expires_at: Some(far), ..new() });
    let deadline = Some(Duration::from_micros(1));
    refused(NewGrant { limits: LimitsRequest { deadline, ..LimitsRequest::default() }, ..new() });
    assert!(host.site.open_grants(&host.journal).list().is_empty());
}

#[test]
fn a_reason_is_a_few_sentences() {
    let host = host();
    let longest = "ä".repeat(1000);
    let new = NewGrant { giver: "ada".to_owned(), reason: Some(longest.clone()), ..NewGrant::default() };
    let entry = host.grants.add(&host.skill("demo/p"), new).expect("just short enough");
    assert_eq!(entry.grant.reason.as_ref(), Some(&longest));
    // Neither is one that comes in a file longer.
    let text = host.grants.export().expect("a file");
    let import = |text: &str| host.grants.import(Path::new("grants.toml"), text, "ada");
    import(&text).expect("it was exported");
    let error = import(&text.replace(&longest, &format!("{longest}x"))).expect_err("refused");
    assert!(matches!(error, GrantError::LongReason { found: 1001, max: 1000, .. }), "{error}");
    assert_eq!(host.grants.list()[0].grant.reason.as_ref(), Some(&longest));
}

#[test]
fn a_prompt_has_nothing_to_be_granted() {
    let site = Site::new();
    let folder = site.skills().join("advice");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("SKILL.md"), "---\nname: advice\ndescription: Advice.\n---\nBe kind.\n").expect("write");
    let host = site.open();
    let refused = host.grants.add(&host.skill("local/advice"), everything(&host.site.data("work")));
    assert!(matches!(refused, Err(GrantError::Prompt(_))));
}

#[test]
fn another_grant_leaves_an_entry_as_it_is() {
    let host = host();
    host.grant("demo/p");
    let before = host.grants.current();
    assert!(Arc::ptr_eq(&before, &host.grants.current()));
    // Another grant leaves the entry as it is, with all that hangs on it.
    host.site.package("q", &manifest("demo/q", "1.0.0", ""), &[tool("run")]);
    host.registry.reload();
    host.grants.add(&host.skill("demo/q"), NewGrant { giver: "ada".to_owned(), ..NewGrant::default() }).expect("given");
    let skill = host.skill("demo/p");
    let entry =
        |grants: &crate::grants::Grants| Arc::clone(grants.of(&skill.manifest.id, &skill.digest).expect("granted"));
    assert!(Arc::ptr_eq(&entry(&before), &entry(&host.grants.current())));
}

#[test]
fn while_a_document_is_broken_nothing_is_granted() {
    let host = host();
    host.grant("demo/p");
    let written = host.journal.update_blocking(|batch| {
        batch.put(Shelf::Grants, "demo/q sha256:1", b"garbage".to_vec());
        Ok::<_, Undone>(Ok::<(), ()>(()))
    });
    written.expect("the journal writes").expect("no refusal");
    let store = host.site.open_grants(&host.journal);
    let grants = store.current();
    let problem = grants.problem().expect("a problem").to_string();
    assert!(problem.contains("demo/q sha256:1"), "{problem}");
    assert_eq!(grants.all().count(), 0);
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let (host, other) = (host(), host());
    host.grant("demo/p");
    let text = host.grants.export().expect("a file");
    assert!(text.starts_with("# What skills may do"), "{text}");
    let given = other.grants.import(Path::new("grants.toml"), &text, "bob").expect("imported");
    assert_eq!(given.len(), 1);
    assert_eq!(other.grants.list()[0].grant, host.grants.list()[0].grant);
    let twice =
        format!("{text}\n{}", text.split_once("[[grant]]").map(|(_, it)| format!("[[grant]]{it}")).expect("one"));
    let refused = other.grants.import(Path::new("grants.toml"), &twice, "bob").expect_err("refused");
    assert!(refused.to_string().contains("same bytes"), "{refused}");
}

#[test]
fn a_grant_is_narrowed_and_never_widened() {
    let host = host();
    host.grant("demo/p");
    let id = host.skill("demo/p").manifest.id.clone();
    let before = host.grants.list()[0].fingerprint;
    let narrow = |text: serde_json::Value| {
        let narrowing = Narrowing::from_json(&text).expect("it is understood");
        host.grants.narrow(&id, None, &narrowing, "ada")
    };
    let narrowed = narrow(json!({
        "read_only": ["/work"], "http": ["api.example.com"], "state": true, "config": ["mode"],
        "limits": { "memory": "1 MiB" }, "expires_at": "2100-01-01T00:00:00Z",
    }));
    let narrowed = narrowed.expect("it is narrowed");
    let given = &narrowed.grant.capabilities;
    assert_eq!(given.fs[0].access, Access::Read);
    assert!(given.http.is_empty() && given.state.is_none() && !given.config.contains_key("mode"));
    assert_eq!(narrowed.grant.limits.memory_bytes, Some(1 << 20));
    assert!(narrowed.grant.expires_at.is_some());
    assert_ne!(narrowed.fingerprint, before);
    let wider = narrow(json!({ "limits": { "memory": "8 MiB" }, "expires_at": "2101-01-01T00:00:00Z" }));
    assert_eq!(wider.expect("nothing changes").grant, narrowed.grant);
    for missing in [json!({ "fs": ["/other"] }), json!({ "read_only": ["/work"] }), json!({ "state": true })] {
        assert!(matches!(narrow(missing), Err(GrantError::NothingToNarrow { .. })));
    }
    assert!(Narrowing::from_json(&json!({ "fss": [] })).is_err(), "unknown keys are slips");
}

#[test]
fn new_bytes_get_what_the_old_ones_had_when_a_person_accepts_them() {
    let host = host();
    host.grant("demo/p");
    let less = "[[permissions.fs]]\nroot = \"/work\"\naccess = \"read-write\"\n";
    host.site.package("p", &manifest("demo/p", "1.1.0", less), &[tool("run"), tool("more")]);
    host.registry.reload();
    let skill = host.skill("demo/p");
    assert!(host.grants.current().of(&skill.manifest.id, &skill.digest).is_none());
    let other = host.grants.accept(&skill, Digest::of(b"what was looked at"), "ada").expect_err("other bytes");
    assert!(matches!(other, GrantError::OtherBytes { .. }));
    let accepted = host.grants.accept(&skill, skill.digest, "ada").expect("accepted");
    assert_eq!(accepted.grant.capabilities.fs.len(), 1);
    assert!(accepted.grant.capabilities.state.is_none(), "it no longer asks for it");
}

#[test]
fn a_grant_whose_folder_was_replaced_by_a_symlink_allows_nothing() {
    let host = host();
    host.grant("demo/p");
    let work = host.site.data("work");
    fs::remove_dir(&work).expect("remove");
    symlink(host.site.data("elsewhere"), &work).expect("a symlink");
    let store = host.site.open_grants(&host.journal);
    assert!(store.list()[0].problem.as_ref().expect("a problem").contains("now leads to"));
}
