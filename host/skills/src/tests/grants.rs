//! Giving and taking back.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::authority::Access;
use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::quota::{Quota, StateQuota};

use super::script::midnight;
use super::support::{Host, Site, everything, manifest, mount, rule, tool};
use crate::grants::{GrantError, MountError, NewGrant, Wider};

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
    let others = host.site.open_grants();
    assert_eq!(others.list(), [given]);
    assert!(others.current().of(&host.skill("demo/p").manifest.id, &Digest::of(b"other")).is_none());
}

#[test]
fn only_the_owner_reads_the_file() {
    let host = host();
    host.grant("demo/p");
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(&host.site.grants_path()), 0o600);
    let text = fs::read_to_string(host.site.grants_path()).expect("read");
    assert!(text.starts_with("# What skills may do"), "{text}");
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
    assert!(host.grants.revoke(&id, Some(Digest::of(b"other"))).expect("revoke").is_empty());
    let revoked = host.grants.revoke(&id, Some(host.skill("demo/p@1.0.0").digest)).expect("revoke");
    assert_eq!(revoked.len(), 1);
    assert_eq!(host.grants.list()[0].grant.digest, host.skill("demo/p@2.0.0").digest);
    assert_eq!(host.grants.revoke(&id, None).expect("revoke").len(), 1);
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
    let home = host.site.grants_path();
    let home = home.parent().expect("a folder");
    for path in [home, host.site.folder.path(), Path::new("/")] {
        let fs = vec![mount("/work", path, Access::Read)];
        let refused = add(&host, Capabilities { fs, ..Capabilities::default() });
        assert!(matches!(refused, Err(GrantError::Mount(MountError::HoldsGrants { .. }))), "{path:?}");
    }
}

#[test]
fn nobody_is_given_the_workspaces_of_calls() {
    let host = host();
    let workspaces = host.site.grants_path().with_file_name("workspaces");
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
    // A grant that was written by hand, for a root that the manifest doesn't ask for.
    let text = fs::read_to_string(host.site.grants_path()).expect("read");
    fs::write(host.site.grants_path(), text.replace("\"/other\"", "\"/workspace/in\"")).expect("write");
    let [entry] = host.grants.list().try_into().expect("one grant");
    assert!(entry.problem.as_ref().expect("a problem").contains("overlap"), "{entry:?}");
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
    // Neither may a grant that was written by hand.
    let text = fs::read_to_string(host.site.grants_path()).expect("read");
    fs::write(host.site.grants_path(), text.replace("\"read\"", "\"read-write\"")).expect("write");
    assert!(host.grants.list()[0].problem.as_ref().expect("a problem").contains("may not be writable"));
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
    assert!(host.site.open_grants().list().is_empty());
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
fn changes_of_another_process_are_seen_within_50_milliseconds() {
    let host = host();
    host.grant("demo/p");
    let id = host.skill("demo/p").manifest.id.clone();
    assert_eq!(host.grants.current().all().count(), 1);
    host.site.open_grants().revoke(&id, None).expect("revoke");
    host.site.clock.advance(Duration::from_millis(49));
    assert_eq!(host.grants.current().all().count(), 1, "a look counts for 50 ms");
    host.site.clock.advance(Duration::from_millis(1));
    assert_eq!(host.grants.current().all().count(), 0);
}

#[test]
fn an_unchanged_file_is_not_read_again() {
    let host = host();
    host.grant("demo/p");
    let before = host.grants.current();
    for _ in 0..3 {
        host.site.clock.advance(Duration::from_secs(1));
        assert!(Arc::ptr_eq(&before, &host.grants.current()));
    }
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
fn while_the_file_is_broken_nothing_is_granted() {
    let host = host();
    host.grant("demo/p");
    let good = fs::read(host.site.grants_path()).expect("read");
    let mut changes = host.grants.subscribe();
    fs::write(host.site.grants_path(), "version = 1\n[[grant]]\n").expect("write");
    host.site.clock.advance(Duration::from_millis(50));
    let grants = host.grants.current();
    assert!(grants.problem().is_some() && grants.all().count() == 0);
    assert!(changes.has_changed().expect("the store lives"));
    changes.mark_unchanged();
    host.site.clock.advance(Duration::from_millis(50));
    host.grants.current();
    assert!(!changes.has_changed().expect("the store lives"), "the same fault is no change");
    assert!(add(&host, Capabilities::default()).is_err(), "nothing is written over what can't be read");
    fs::write(host.site.grants_path(), good).expect("write");
    host.site.clock.advance(Duration::from_millis(50));
    assert_eq!(host.grants.current().all().count(), 1);
}

#[test]
fn no_change_is_lost_between_processes() {
    let site = Site::new();
    for n in 0..16 {
        site.package(&format!("s{n}"), &manifest(&format!("demo/s{n}"), "1.0.0", ""), &[tool("run")]);
    }
    let host = site.open();
    std::thread::scope(|scope| {
        for half in [0..8, 8..16] {
            let store = host.site.open_grants();
            let host = &host;
            scope.spawn(move || {
                for n in half {
                    let new = NewGrant { giver: "ada".to_owned(), ..NewGrant::default() };
                    store.add(&host.skill(&format!("demo/s{n}")), new).expect("the grant is given");
                }
            });
        }
    });
    assert_eq!(host.grants.list().len(), 16);
}

#[test]
fn a_grant_whose_folder_was_replaced_by_a_symlink_allows_nothing() {
    let host = host();
    host.grant("demo/p");
    let work = host.site.data("work");
    let clock = Arc::clone(&host.site.clock) as Arc<dyn Clock>;
    fs::remove_dir(&work).expect("remove");
    symlink(host.site.data("elsewhere"), &work).expect("a symlink");
    let store = crate::grants::GrantStore::open(&host.site.grants_path(), clock).expect("opens");
    assert!(store.list()[0].problem.as_ref().expect("a problem").contains("now leads to"));
}
