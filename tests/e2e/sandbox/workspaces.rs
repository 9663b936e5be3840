//! Workspaces that calls of one task share: what the next one finds, and who finds nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::component::Inspection;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::quota::Quota;
use bailiwick_domain::run::RunId;
use bailiwick_domain::sandbox::{Outcome, Sandbox as _};
use bailiwick_domain::workspace::WorkspaceKey;
use serde_json::{Value, json};

use super::lab::{Lab, error, failure, nothing, success};

struct Scene {
    lab: Lab,
    guest: Arc<Inspection>,
    terms: Terms,
    key: WorkspaceKey,
}

impl Scene {
    fn new(max_bytes: u64, max_files: u64) -> Self {
        let lab = Lab::new();
        let guest = lab.guest("filler");
        let terms = Terms { workspace: Some(Quota { max_bytes, max_files }), ..nothing(&guest) };
        let key = WorkspaceKey { run: run(1), task: 0, agent: "ada".to_owned() };
        Self { lab, guest, terms, key }
    }

    async fn call(&self, tool: &str, arguments: Value) -> Outcome {
        self.lab.call_of(&self.key, &self.terms, &self.guest, tool, &arguments).await
    }

    /// The names that a call of this key under these terms finds.
    async fn names(&self, key: &WorkspaceKey, terms: &Terms) -> Value {
        let arguments = json!({ "folder": "/workspace" });
        success(self.lab.call_of(key, terms, &self.guest, "names", &arguments).await)
    }

    fn of_run(&self) -> PathBuf {
        self.lab.folder.path().join("workspaces/runs").join(self.key.run.as_str())
    }

    /// What the guest sees, as the host does.
    fn files(&self) -> PathBuf {
        fs::read_dir(self.of_run()).unwrap().next().unwrap().unwrap().path()
    }
}

fn run(number: u8) -> RunId {
    RunId::from_bytes(&[number; 16])
}

#[tokio::test]
async fn calls_of_one_skill_for_one_task_find_the_files_of_those_before_and_nobody_else_does() {
    let scene = Scene::new(100, 10);
    success(scene.call("settle", json!({ "name": "note", "millis": 0 })).await);
    assert_eq!(success(scene.call("read", json!({ "path": "/workspace/note" })).await), json!("mine"));
    let Scene { key, terms, .. } = &scene;
    let skill = Terms { skill: "tests/other".parse().unwrap(), ..terms.clone() };
    let others = [
        (WorkspaceKey { run: run(2), ..key.clone() }, terms),
        (WorkspaceKey { task: 1, ..key.clone() }, terms),
        (WorkspaceKey { agent: "bob".to_owned(), ..key.clone() }, terms),
        (WorkspaceKey { agent: "../ada".to_owned(), ..key.clone() }, terms),
        (key.clone(), &skill),
    ];
    for (key, terms) in &others {
        assert_eq!(scene.names(key, terms).await, json!([]), "{key:?} {}", terms.skill);
    }
    let fresh = scene.lab.call(terms, &scene.guest, "names", &json!({ "folder": "/workspace" })).await;
    assert_eq!(success(fresh), json!([]), "a call outside of runs");
    // The permission is what it was: without it there is none.
    let none = Terms { workspace: None, ..terms.clone() };
    let outcome = scene.lab.call_of(key, &none, &scene.guest, "read", &json!({ "path": "/workspace/note" })).await;
    failure(&outcome);
    assert_eq!(scene.names(key, terms).await, json!(["note"]));
}

#[tokio::test]
async fn the_quota_is_for_all_that_lies_there() {
    let scene = Scene::new(100, 3);
    success(scene.call("write", json!({ "path": "/workspace/a", "bytes": 60, "offset": 0 })).await);
    let outcome = scene.call("write", json!({ "path": "/workspace/b", "bytes": 41, "offset": 0 })).await;
    let reason = "the quota of 100 bytes is used up, with 60 that lay there before the call";
    assert_eq!(outcome.denials[0].reason, reason);
    let outcome = scene.call("write", json!({ "path": "/workspace/b", "bytes": 40, "offset": 0 })).await;
    assert_eq!(outcome.usage.fs_written_bytes, 40, "what lay there was paid for by others");
    success(outcome);
    let outcome = scene.call("make-files", json!({ "folder": "/workspace", "count": 2 })).await;
    let reason = "the quota of 3 files is used up, with 2 that lay there before the call";
    assert_eq!(outcome.denials[0].reason, reason);
    // A smaller grant lets everything stay, and nothing come.
    let less = Terms { workspace: Some(Quota { max_bytes: 10, max_files: 1 }), ..scene.terms.clone() };
    let arguments = json!({ "path": "/workspace/a", "bytes": 1 });
    let outcome = scene.lab.call_of(&scene.key, &less, &scene.guest, "append", &arguments).await;
    assert_eq!(outcome.denials[0].reason, "the quota of 10 bytes is used up, with 100 that lay there before the call");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_once_take_turns_and_who_waits_too_long_has_done_nothing() {
    let scene = Scene::new(1000, 10);
    let calls = (0..3).map(|n| scene.call("settle", json!({ "name": format!("f{n}"), "millis": 100 })));
    let mut seen: Vec<usize> =
        futures::future::join_all(calls).await.into_iter().map(|it| success(it).as_array().unwrap().len()).collect();
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3], "each saw the whole files of those before, and of nobody else");
    let mut hasty = scene.terms.clone();
    hasty.limits.deadline = Duration::from_millis(200);
    let long = scene.call("settle", json!({ "name": "long", "millis": 1500 }));
    let late = async {
        while !scene.files().join("long").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let arguments = json!({ "name": "late", "millis": 0 });
        scene.lab.call_of(&scene.key, &hasty, &scene.guest, "settle", &arguments).await
    };
    let (long, late) = tokio::join!(long, late);
    success(long);
    assert_eq!(error(late).code(), "sandbox-full");
    assert!(!scene.files().join("late").exists());
}

#[tokio::test]
async fn what_one_call_leaves_leads_the_next_nowhere() {
    let scene = Scene::new(1000, 10);
    success(scene.call("settle", json!({ "name": "note", "millis": 0 })).await);
    let (files, beside) = (scene.files(), scene.lab.folder.path().join("beside"));
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join("secret"), "secret").unwrap();
    // As a command could leave them.
    symlink(beside.join("secret"), files.join("file")).unwrap();
    symlink(&beside, files.join("folder")).unwrap();
    symlink("..", files.join("up")).unwrap();
    for (tool, arguments) in [
        ("read", json!({ "path": "/workspace/file" })),
        ("read", json!({ "path": "/workspace/folder/secret" })),
        ("append", json!({ "path": "/workspace/file", "bytes": 1 })),
        ("names", json!({ "folder": "/workspace/up" })),
        ("rename", json!({ "old": "/workspace/note", "new": "/workspace/up/over" })),
    ] {
        let text = failure(&scene.call(tool, arguments).await).to_string();
        assert!(text.contains("PermissionDenied"), "{tool}: {text}");
    }
    assert_eq!(fs::read_to_string(beside.join("secret")).unwrap(), "secret");
    // The folder is the host's own, whatever a command did to its mode.
    fs::set_permissions(&files, fs::Permissions::from_mode(0o777)).unwrap();
    success(scene.call("read", json!({ "path": "/workspace/note" })).await);
    assert_eq!(files.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    fs::remove_dir_all(&files).unwrap();
    symlink(&beside, &files).unwrap();
    let outcome = scene.call("read", json!({ "path": "/workspace/secret" })).await;
    assert_eq!(error(outcome).code(), "host-failure", "another folder stands in its place");
    scene.lab.sandbox.end_run(&scene.key.run).await;
    assert!(beside.join("secret").exists() && !scene.of_run().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_go_with_their_run_also_where_a_call_was_cut_off() {
    let scene = Scene::new(1000, 10);
    let other = WorkspaceKey { run: run(2), ..scene.key.clone() };
    success(
        scene.lab.call_of(&other, &scene.terms, &scene.guest, "settle", &json!({ "name": "b", "millis": 0 })).await,
    );
    let long = scene.call("settle", json!({ "name": "a", "millis": 60_000 }));
    assert!(tokio::time::timeout(Duration::from_secs(1), long).await.is_err());
    let mut runs = scene.lab.sandbox.runs();
    runs.sort();
    assert_eq!(runs, [run(1), run(2)]);
    scene.lab.sandbox.end_run(&scene.key.run).await;
    let left: Vec<_> = fs::read_dir(scene.lab.folder.path().join("workspaces")).unwrap().collect();
    assert_eq!((left.len(), scene.lab.sandbox.runs()), (1, vec![run(2)]), "{left:?}");
    assert_eq!(scene.names(&other, &scene.terms).await, json!(["b"]));
    // Nothing is left to be taken away.
    scene.lab.sandbox.end_run(&scene.key.run).await;
}
