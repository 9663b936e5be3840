//! Out of a granted folder, and into one that is only read.

use bailiwick_domain::quota::Quota;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bailiwick_domain::authority::{Access, FsMount};
use bailiwick_domain::sandbox::Outcome;
use serde_json::json;

use super::scene::Scene;
use crate::sandbox::lab::{error, failure, success};

const SECRET: &str = "the secret";

// Through a folder that may be written.
cases! { refused:
    dot_dot => "not-permitted",
    dot_dot_below => "not-permitted",
    dot_dot_alone => "not-permitted",
    dot_dot_behind_nothing => "no-entry",
    dot_dot_from_below => "not-permitted",
    absolute => "not-permitted",
    absolute_by_std => "not there",
    slash => "not-permitted",
    proc_environ => "not-permitted",
    proc_by_symlink => "not-permitted",
    proc_root_by_symlink => "not-permitted",
    symlink_to_file => "not-permitted",
    symlink_to_folder => "not-permitted",
    symlink_absolute => "not-permitted",
    symlink_up => "not-permitted",
    symlink_trailing_slash => "not-permitted",
    symlink_trailing_dot => "not-permitted",
    symlink_trailing_slashes => "not-permitted",
    symlink_loop => "loop",
    symlink_chain => "loop",
    make_symlink_out => "not-permitted",
    make_symlink_absolute => "not-permitted",
    make_symlink_outside => "not-permitted",
    read_symlink_absolute => "not-permitted",
    hard_link_in => "not-permitted",
    hard_link_through_symlink => "not-permitted",
    rename_out => "not-permitted",
    rename_in => "not-permitted",
    rename_root => "busy",
    remove_root => "invalid",
    remove_outside => "not-permitted",
    remove_folder_outside => "not-permitted",
    make_folder_outside => "not-permitted",
    write_outside => "not-permitted",
    write_through_symlink => "not-permitted",
    create_through_dangling => "not-permitted",
    list_outside => "not-permitted",
    stat_outside => "not-permitted",
    hash_outside => "not-permitted",
    times_outside => "not-permitted",
    nul => "invalid",
    very_long_name => "name-too-long",
    very_deep_path => "name-too-long",
    empty_path => "no-entry",
    backslashes => "no-entry",
    encoded => "no-entry",
    file_as_folder => "not-directory",
    open_file_as_root => "not-directory",
    times_that_are_none => "overflow overflow overflow",
    read_past_the_end_of_numbers => "invalid, quota, quota",
    read_of_everything => "9 bytes",
}

// In a folder that is only read.
cases! { refused:
    hard_link_from_read_only => "not-permitted",
    rename_from_read_only => "not-permitted",
    rename_to_read_only => "not-permitted",
    truncate_read_only => "not-permitted",
    create_read_only => "not-permitted",
    exclusive_read_only => "not-permitted",
    write_read_only => "not-permitted",
    write_by_read_handle => "not-permitted",
    stream_by_read_handle => "not-permitted",
    append_by_read_handle => "not-permitted",
    resize_read_only => "not-permitted",
    times_read_only => "not-permitted",
    times_by_path_read_only => "not-permitted",
    remove_read_only => "not-permitted",
    remove_folder_read_only => "not-permitted",
    make_folder_read_only => "not-permitted",
    symlink_read_only => "not-permitted",
    reopen_for_writing => "not-permitted",
}

/// Two calls of one guest: one of them changes what the path of the other one means.
#[tokio::test]
async fn symlink_race() {
    let stage = Stage::new();
    let (dash, door) = tokio::join!(stage.attack("symlink_race"), stage.attack("symlink_race_door"));
    assert_eq!(failure(&door), "turned to the end");
    assert_eq!(failure(&dash), "never got through");
    stage.expect_unchanged();
}

/// The grant is for the folder that it named, and not for where a symlink in its place leads.
#[tokio::test]
async fn root_replaced_by_a_symlink() {
    let stage = Stage::new();
    let (archive, away) = (stage.folder.join("archive"), stage.folder.join("away"));
    fs::rename(&archive, away).unwrap();
    symlink("beside", archive).unwrap();
    let outcome = stage.attack("times_read_only").await;
    assert_eq!(error(outcome).code(), "mount-failed");
}

/// What the refusals are worth: the same guest does reach what is granted.
#[tokio::test]
async fn what_is_granted_is_there() {
    let stage = Stage::new();
    let files = stage.scene.lab.skill("files");
    let mut terms = stage.scene.terms.clone();
    terms.digest = files.digest;
    for path in ["/work/note.txt", "/archive/old.txt"] {
        let outcome = stage.scene.lab.call(&terms, &files, "read", &json!({ "path": path })).await;
        assert!(success(outcome).to_string().contains("as it was"), "{path}");
    }
    let write = json!({ "path": "/work/new.txt", "content": "new" });
    success(stage.scene.lab.call(&terms, &files, "write", &write).await);
    assert_eq!(fs::read_to_string(stage.folder.join("work/new.txt")).unwrap(), "new");
}

async fn refused(case: &str, expected: &str) {
    let stage = Stage::new();
    let outcome = stage.attack(case).await;
    assert_eq!(failure(&outcome), expected, "log: {}", outcome.log);
    stage.expect_unchanged();
}

/// `work` may be written, `archive` may be read, and `beside` nobody has granted.
struct Stage {
    scene: Scene,
    folder: PathBuf,
    before: BTreeMap<PathBuf, Entry>,
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Folder,
    Link(PathBuf),
    File(Vec<u8>, SystemTime),
}

impl Stage {
    fn new() -> Self {
        let mut scene = Scene::of("paths");
        let folder = scene.lab.folder.path().canonicalize().unwrap().join("stage");
        set(&folder);
        for (root, access) in [("work", Access::ReadWrite), ("archive", Access::Read)] {
            let host = folder.join(root);
            scene.terms.fs.push(FsMount {
                root: format!("/{root}").parse().unwrap(),
                host,
                access,
                quota: Quota::default(),
            });
        }
        let before = entries(&folder);
        Self { scene, folder, before }
    }

    async fn attack(&self, case: &str) -> Outcome {
        let target = self.folder.join("beside/secret.txt");
        let outcome = self.scene.attack(case, target.to_str().unwrap()).await;
        assert!(!format!("{outcome:?}").contains(SECRET), "{outcome:?}");
        outcome
    }

    #[track_caller]
    fn expect_unchanged(&self) {
        assert_eq!(entries(&self.folder), self.before);
    }
}

fn set(folder: &Path) {
    for path in ["work/sub", "work/door", "archive/empty", "beside/empty"] {
        fs::create_dir_all(folder.join(path)).unwrap();
    }
    for (path, text) in [
        ("work/note.txt", "as it was"),
        ("work/door/secret.txt", "a decoy"),
        ("archive/old.txt", "as it was"),
        ("beside/secret.txt", SECRET),
    ] {
        fs::write(folder.join(path), text).unwrap();
    }
    let absolute = folder.join("beside");
    let absolute = absolute.to_str().unwrap();
    for (link, to) in [
        ("file-link", "../beside/secret.txt"),
        ("folder-link", "../beside"),
        ("door-link", "../beside"),
        ("absolute-link", absolute),
        ("up", ".."),
        ("loop", "loop"),
        ("dangling", "../beside/planted"),
        ("proc", "/proc"),
        ("magic", "/proc/self/root"),
        ("chain-100", "file-link"),
    ] {
        symlink(to, folder.join("work").join(link)).unwrap();
    }
    for n in 0..100 {
        symlink(format!("chain-{}", n + 1), folder.join(format!("work/chain-{n}"))).unwrap();
    }
}

fn entries(folder: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(entries(&path));
            found.insert(path, Entry::Folder);
        } else if kind.is_symlink() {
            let to = fs::read_link(&path).unwrap();
            found.insert(path, Entry::Link(to));
        } else {
            let changed = entry.metadata().unwrap().modified().unwrap();
            let content = fs::read(&path).unwrap();
            found.insert(path, Entry::File(content, changed));
        }
    }
    found
}
