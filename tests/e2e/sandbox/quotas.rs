//! What a call may write, by a guest that writes as much as it is told to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick_domain::authority::{Access, FsMount};
use bailiwick_domain::component::Inspection;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::quota::{Quota, StateQuota};
use bailiwick_domain::sandbox::Outcome;
use serde_json::{Value, json};

use super::lab::{Lab, failure, nothing, success};

/// A guest with one folder, and terms to be changed.
struct Scene {
    lab: Lab,
    guest: Arc<Inspection>,
    terms: Terms,
}

impl Scene {
    fn new(access: Access, max_bytes: u64, max_files: u64) -> Self {
        let lab = Lab::new();
        let guest = lab.guest("filler");
        let terms = nothing(&guest);
        let mut scene = Self { lab, guest, terms };
        scene.mount("/work", access, Quota { max_bytes, max_files });
        scene
    }

    fn mount(&mut self, root: &str, access: Access, quota: Quota) {
        let host = self.host(root);
        fs::create_dir(&host).unwrap();
        let host = host.canonicalize().unwrap();
        self.terms.fs.push(FsMount { root: root.parse().unwrap(), host, access, quota });
    }

    /// The folder or file of the host behind a guest's path.
    fn host(&self, path: &str) -> PathBuf {
        self.lab.folder.path().join(path.strip_prefix('/').unwrap())
    }

    fn put(&self, path: &str, text: &str) {
        fs::write(self.host(path), text).unwrap();
    }

    async fn call(&self, tool: &str, arguments: Value) -> Outcome {
        self.lab.call(&self.terms, &self.guest, tool, &arguments).await
    }

    /// The call fails for its quota, and says so in the one denial. The libc of
    /// guests makes an I/O error of whatever goes wrong with a stream.
    #[track_caller]
    fn refused(&self, outcome: &Outcome, reason: &str) {
        let failure = failure(outcome).to_string();
        assert!(["QuotaExceeded", "os error 29"].iter().any(|kind| failure.contains(kind)), "{failure}");
        let [denial] = outcome.denials.as_slice() else { panic!("{:?}", outcome.denials) };
        assert_eq!(denial.capability, "fs");
        assert!(denial.reason.contains(reason), "{denial:?}");
        let folder = self.lab.folder.path().to_string_lossy().into_owned();
        assert!(denial.request.contains("/work") && !denial.request.contains(&folder), "{denial:?}");
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[tokio::test]
async fn bytes_end_at_the_quota_before_they_are_written() {
    let scene = Scene::new(Access::ReadWrite, 10_000, 10);
    let fits = scene.call("write", json!({ "path": "/work/a", "bytes": 10_000, "offset": 0 })).await;
    assert_eq!((fits.usage.fs_written_bytes, fits.usage.fs_made_files), (10_000, 1));
    success(fits);
    for tool in ["write", "append", "stream", "place"] {
        let path = format!("/work/{tool}");
        let mut arguments = json!({ "path": path, "bytes": 10_001, "offset": 0 });
        if tool != "write" {
            arguments.as_object_mut().unwrap().remove("offset");
        }
        let outcome = scene.call(tool, arguments).await;
        assert!(outcome.usage.fs_written_bytes <= 10_000, "{:?}", outcome.usage);
        scene.refused(&outcome, "quota of 10000 bytes");
        assert!(length(&scene.host(&path)) <= 10_000, "{tool}");
        // Who asks the interface itself is told the code.
        if matches!(tool, "stream" | "place") {
            assert_eq!(failure(&outcome), json!("QuotaExceeded"), "{tool}");
        }
    }
}

#[tokio::test]
async fn each_call_has_the_whole_quota_and_old_bytes_are_free() {
    let scene = Scene::new(Access::ReadWrite, 10_000, 10);
    scene.put("/work/old", &"o".repeat(50_000));
    for _ in 0..3 {
        success(scene.call("append", json!({ "path": "/work/old", "bytes": 10_000 })).await);
    }
    assert_eq!(length(&scene.host("/work/old")), 80_000);
}

#[tokio::test]
async fn a_file_is_not_made_longer_without_paying() {
    let scene = Scene::new(Access::ReadWrite, 10_000, 10);
    let outcome = scene.call("resize", json!({ "path": "/work/a", "bytes": 10_001 })).await;
    scene.refused(&outcome, "quota of 10000 bytes");
    assert_eq!(length(&scene.host("/work/a")), 0);
    // A byte far behind the end makes all before it.
    let outcome = scene.call("write", json!({ "path": "/work/a", "bytes": 1, "offset": 1_u64 << 40 })).await;
    scene.refused(&outcome, "quota of 10000 bytes");
    assert_eq!(length(&scene.host("/work/a")), 0);
    let outcome = scene.call("write", json!({ "path": "/work/a", "bytes": 1, "offset": 9_999 })).await;
    assert_eq!(outcome.usage.fs_written_bytes, 10_000);
    success(outcome);
    let outcome = scene.call("resize", json!({ "path": "/work/a", "bytes": 5 })).await;
    assert_eq!(outcome.usage.fs_written_bytes, 0, "shorter costs nothing");
    success(outcome);
}

#[tokio::test]
async fn what_is_written_over_counts_again() {
    let scene = Scene::new(Access::ReadWrite, 10, 10);
    success(scene.call("rewrite", json!({ "path": "/work/a", "times": 10 })).await);
    let outcome = scene.call("rewrite", json!({ "path": "/work/a", "times": 11 })).await;
    scene.refused(&outcome, "quota of 10 bytes");
    assert_eq!(outcome.usage.fs_made_files, 0, "the file was there");
}

#[tokio::test]
async fn files_folders_and_links_end_at_the_quota_before_they_are_made() {
    let scene = Scene::new(Access::ReadWrite, 1000, 3);
    for folder in ["files", "folders", "links"] {
        fs::create_dir(scene.host(&format!("/work/{folder}"))).unwrap();
    }
    let outcome = scene.call("make-files", json!({ "folder": "/work/files", "count": 4 })).await;
    scene.refused(&outcome, "quota of 3 new files");
    assert_eq!(fs::read_dir(scene.host("/work/files")).unwrap().count(), 3);
    let outcome = scene.call("make-folders", json!({ "folder": "/work/folders", "count": 4 })).await;
    scene.refused(&outcome, "quota of 3 new files");
    assert!(scene.host("/work/folders/d/d/d").is_dir() && !scene.host("/work/folders/d/d/d/d").exists());
    let mut none = Scene::new(Access::ReadWrite, 1000, 1);
    none.put("/work/a", "a");
    success(none.call("link", json!({ "old": "/work/a", "new": "/work/b" })).await);
    none.terms.fs[0].quota.max_files = 0;
    let outcome = none.call("link", json!({ "old": "/work/a", "new": "/work/c" })).await;
    none.refused(&outcome, "quota of 0 new files");
    let outcome = none.call("symlink", json!({ "target": "a", "new": "/work/d" })).await;
    none.refused(&outcome, "quota of 0 new files");
    assert!(!none.host("/work/c").exists() && none.host("/work/d").symlink_metadata().is_err());
    // A file that is there may be opened for writing, and moved.
    success(none.call("append", json!({ "path": "/work/a", "bytes": 1 })).await);
    success(none.call("rename", json!({ "old": "/work/a", "new": "/work/moved" })).await);
}

#[tokio::test]
async fn a_failure_takes_nothing_from_the_quota() {
    let scene = Scene::new(Access::ReadWrite, 1000, 1);
    scene.put("/work/there", "");
    let outcome = scene.call("make-files", json!({ "folder": "/work/absent", "count": 1 })).await;
    assert!(failure(&outcome).to_string().contains("NotFound"), "{:?}", outcome.result);
    assert_eq!((outcome.usage.fs_made_files, outcome.denials.len()), (0, 0));
}

#[tokio::test]
async fn names_do_not_cross_from_one_quota_to_another() {
    let mut scene = Scene::new(Access::ReadWrite, 1000, 10);
    scene.mount("/other", Access::ReadWrite, Quota { max_bytes: 1, max_files: 1 });
    scene.put("/other/b", "b");
    for tool in ["link", "rename"] {
        let outcome = scene.call(tool, json!({ "old": "/other/b", "new": "/work/b" })).await;
        let text = failure(&outcome).to_string();
        assert!(text.contains("CrossesDevices"), "{tool}: {text}");
        assert_eq!(outcome.denials.len(), 1, "{:?}", outcome.denials);
        assert!(!scene.host("/work/b").exists() && scene.host("/other/b").exists());
    }
    // Each root has its own account.
    let outcome = scene.call("write", json!({ "path": "/other/b", "bytes": 2, "offset": 0 })).await;
    assert_eq!(outcome.denials[0].reason, "the quota of 1 bytes for one call is used up");
    success(scene.call("write", json!({ "path": "/work/c", "bytes": 1000, "offset": 0 })).await);
}

#[tokio::test]
async fn refused_paths_are_recorded_as_the_guest_named_them() {
    let scene = Scene::new(Access::Read, 1000, 10);
    scene.put("/work/a", "a");
    let beside = scene.lab.folder.path().join("secret");
    fs::write(&beside, "secret").unwrap();
    std::os::unix::fs::symlink(&beside, scene.host("/work/out")).unwrap();
    let path = beside.to_string_lossy().into_owned();
    for (tool, arguments, request, reason) in [
        ("append", json!({ "path": "/work/a", "bytes": 1 }), "open /work/a", "for reading only"),
        ("make-folders", json!({ "folder": "/work", "count": 1 }), "create folder /work/d", "for reading only"),
        ("link", json!({ "old": "/work/a", "new": "/work/b" }), "link /work/b", "for reading only"),
        ("symlink", json!({ "target": "a", "new": "/work/b" }), "create symlink /work/b", "for reading only"),
        ("rename", json!({ "old": "/work/a", "new": "/work/b" }), "rename to /work/b", "for reading only"),
        ("read", json!({ "path": "/work/out" }), "open /work/out", "leads out"),
    ] {
        let outcome = scene.call(tool, arguments).await;
        let text = failure(&outcome).to_string();
        assert!(text.contains("PermissionDenied"), "{tool}: {text}");
        let [denial] = outcome.denials.as_slice() else { panic!("{tool}: {:?}", outcome.denials) };
        assert_eq!((denial.capability, denial.request.as_str()), ("fs", request));
        assert!(denial.reason.contains(reason) && !denial.reason.contains(&path), "{denial:?}");
    }
    assert_eq!(success(scene.call("names", json!({ "folder": "/work" })).await), json!(["a", "out"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_has_a_workspace_of_its_own() {
    let mut scene = Scene::new(Access::Read, 0, 0);
    scene.terms.workspace = Some(Quota { max_bytes: 100, max_files: 2 });
    let calls = (0..4).map(|n| scene.call("settle", json!({ "name": format!("file-{n}"), "millis": 300 })));
    for (n, outcome) in futures::future::join_all(calls).await.into_iter().enumerate() {
        assert_eq!(success(outcome), json!([format!("file-{n}")]));
    }
    assert_eq!(success(scene.call("names", json!({ "folder": "/workspace" })).await), json!([]));
    let folder = scene.host("/workspaces");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "they are gone with their calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_but_the_hosts_user_comes_into_a_workspace() {
    let mut scene = Scene::new(Access::Read, 0, 0);
    scene.terms.workspace = Some(Quota { max_bytes: 100, max_files: 2 });
    let look = async {
        loop {
            // The folder of one call, with what the guest sees of it.
            let found = fs::read_dir(scene.host("/workspaces")).ok().and_then(|mut entries| entries.next());
            if let Some(folder) = found.map(|entry| entry.unwrap().path())
                && let (Ok(outer), Ok(inner)) = (folder.metadata(), folder.join("files").metadata())
            {
                return [outer, inner].map(|metadata| metadata.permissions().mode() & 0o777);
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let call = scene.call("settle", json!({ "name": "a", "millis": 1000 }));
    let (outcome, modes) = tokio::join!(call, look);
    assert_eq!(modes, [0o700, 0o700]);
    success(outcome);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_has_a_quota_and_goes_whatever_becomes_of_its_call() {
    let mut scene = Scene::new(Access::Read, 0, 0);
    scene.terms.workspace = Some(Quota { max_bytes: 100, max_files: 2 });
    let outcome = scene.call("write", json!({ "path": "/workspace/a", "bytes": 101, "offset": 0 })).await;
    assert_eq!(outcome.denials[0].reason, "the quota of 100 bytes for one call is used up");
    let outcome = scene.call("make-files", json!({ "folder": "/workspace", "count": 3 })).await;
    assert!(failure(&outcome).to_string().contains("QuotaExceeded"));
    assert_eq!(outcome.denials[0].request, "open /workspace/file-2");
    // One that is dropped on the way.
    let long = scene.call("settle", json!({ "name": "a", "millis": 60_000 }));
    assert!(tokio::time::timeout(std::time::Duration::from_secs(1), long).await.is_err());
    for _ in 0..100 {
        if fs::read_dir(scene.host("/workspaces")).unwrap().count() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(fs::read_dir(scene.host("/workspaces")).unwrap().count(), 0);
    // None where none is granted.
    scene.terms.workspace = None;
    failure(&scene.call("names", json!({ "folder": "/workspace" })).await);
}

#[tokio::test]
async fn state_ends_at_its_quota_and_says_so() {
    let lab = Lab::new();
    let guest = lab.guest("keeper");
    let mut terms = nothing(&guest);
    terms.state = Some(StateQuota { max_bytes: 10, max_keys: 2 });
    let put =
        async |key: &str, value: &str| lab.call(&terms, &guest, "put", &json!({ "key": key, "value": value })).await;
    success(put("a", "123").await);
    success(put("b", "123").await);
    for (key, value, reason) in [("c", "", "at most 2 are allowed"), ("a", "123456", "at most 10 are allowed")] {
        let outcome = put(key, value).await;
        assert!(failure(&outcome).to_string().contains(reason), "{:?}", outcome.result);
        assert_eq!((outcome.denials[0].capability, outcome.denials[0].request.as_str()), ("state", "set"));
    }
    assert_eq!(success(lab.call(&terms, &guest, "keys", &json!({})).await), json!(["a", "b"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_increment_by_swaps_is_lost_between_calls() {
    let lab = Lab::new();
    let guest = lab.guest("keeper");
    let mut terms = nothing(&guest);
    terms.state = Some(StateQuota::MOST);
    // Every call waits between reading and writing, so that they come between one another.
    let arguments = json!({ "key": "n", "millis": 20 });
    let calls = (0..8).map(|_| lab.call(&terms, &guest, "add-by-swap", &arguments));
    let mut retries = 0;
    for outcome in futures::future::join_all(calls).await {
        retries += success(outcome)[1].as_u64().unwrap();
    }
    assert_eq!(success(lab.call(&terms, &guest, "get", &json!({ "key": "n" })).await), json!("8"));
    assert!(retries > 0, "no call came between, so that nothing was shown");
}

#[tokio::test]
async fn both_drafts_of_the_interface_see_one_bucket() {
    let lab = Lab::new();
    let guest = lab.guest("keeper");
    let mut terms = nothing(&guest);
    terms.state = Some(StateQuota::MOST);
    let call = async |tool: &str, arguments: Value| lab.call(&terms, &guest, tool, &arguments).await;
    assert_eq!(success(call("add", json!({ "key": "n", "delta": 5 })).await), json!(5));
    assert_eq!(success(call("add-signed", json!({ "key": "n", "delta": -7 })).await), json!(-2));
    let outcome = call("add", json!({ "key": "n", "delta": 5 })).await;
    assert!(failure(&outcome).to_string().contains("not a decimal number from 0"), "{:?}", outcome.result);
    // Handles for swaps keep values in the host's memory.
    assert_eq!(success(call("swaps", json!({ "key": "n", "count": 16 })).await), json!(16));
    assert!(failure(&call("swaps", json!({ "key": "n", "count": 17 })).await).to_string().contains("at most 16"));
    // One key asked for often would fill it too.
    success(call("put", json!({ "key": "large", "value": "x".repeat(1 << 20) })).await);
    assert_eq!(success(call("many", json!({ "key": "large", "count": 10 })).await), json!(10));
    let outcome = call("many", json!({ "key": "large", "count": 1000 })).await;
    assert!(failure(&outcome).to_string().contains("more than 16777216 bytes"), "{:?}", outcome.result);
    let mut denied = terms.clone();
    denied.state = None;
    let outcome = lab.call(&denied, &guest, "add-signed", &json!({ "key": "n", "delta": 1 })).await;
    assert!(failure(&outcome).to_string().contains("AccessDenied"), "{:?}", outcome.result);
}
