//! What a case may touch: copies of its folders, and a grant for them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_skills::grants::NewGrant;
use serde_json::Value;

use super::raw::below_tests;

/// Who gives the grant, for records that nobody reads.
const GIVER: &str = "bailiwick test";

/// Bytes that are copied for one case.
const MAX_BYTES: u64 = 256 << 20;

/// How deep folders are copied.
const MAX_DEPTH: usize = 32;

/// A grant, and where its folders are.
#[derive(Default)]
pub(super) struct Allowed {
    pub(super) grant: NewGrant,
    /// The copies by the folder that the skill sees.
    pub(super) folders: BTreeMap<String, PathBuf>,
}

/// What `allow` gives to the bytes `digest` of `skill`, with copies of its folders below `scratch`.
pub(super) fn allow(
    root: &Path,
    skill: &SkillId,
    digest: Digest,
    allow: &Value,
    scratch: &Path,
) -> Result<Allowed, String> {
    let mut grant = allow.clone();
    let Value::Object(members) = &mut grant else { return Err("`allow` is no table".to_owned()) };
    if members.contains_key("digest") {
        return Err(
            "`allow` names a `digest`: leave it out, the case is always for the bytes that are there".to_owned()
        );
    }
    let mut folders = BTreeMap::new();
    let mut left = MAX_BYTES;
    if let Some(Value::Array(mounts)) = members.get_mut("fs") {
        for (index, mount) in mounts.iter_mut().enumerate() {
            // What is no table is refused below, with the key that is wrong.
            let Some(mount) = mount.as_object_mut() else { continue };
            let text = |key: &str| mount.get(key).and_then(Value::as_str).map(str::to_owned);
            let (guest, host) = (text("root").unwrap_or_default(), text("host"));
            let copy = scratch.join(index.to_string());
            fs::create_dir_all(&copy).map_err(|error| format!("{}: {error}", copy.display()))?;
            // A folder that is left out is an empty one.
            if let Some(host) = host {
                let original = below_tests(root, &host)?;
                copy_folder(&original, &copy, 0, &mut left).map_err(|error| {
                    format!("`allow.fs` names `{host}`, and {} can't be copied: {error}", original.display())
                })?;
            }
            mount.insert("host".to_owned(), Value::String(copy.display().to_string()));
            folders.insert(guest, copy);
        }
    }
    members.insert("digest".to_owned(), Value::String(digest.to_string()));
    let (_, grant) = NewGrant::from_json(skill, GIVER, grant).map_err(|problem| format!("`allow`: {problem}"))?;
    Ok(Allowed { grant, folders })
}

/// Copies what is in a folder. Links are refused: they might lead out of the package.
fn copy_folder(from: &Path, to: &Path, depth: usize, left: &mut u64) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other(format!("it has more than {MAX_DEPTH} folders in one another")));
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, copy) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&copy)?;
            copy_folder(&entry.path(), &copy, depth + 1, left)?;
        } else if kind.is_file() {
            let size = entry.metadata()?.len();
            *left = left.checked_sub(size).ok_or_else(|| {
                io::Error::other(format!(
                    "the folders of the case have more than {} MiB: use smaller ones",
                    MAX_BYTES >> 20
                ))
            })?;
            fs::copy(entry.path(), &copy)?;
        } else {
            let problem = format!("{} is neither a file nor a folder", entry.path().display());
            return Err(io::Error::other(problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::authority::Access;
    use serde_json::json;

    use super::*;

    #[test]
    fn folders_are_copies_of_those_of_the_package() {
        let (package, scratch) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        fs::create_dir_all(package.path().join("tests/data/deep")).expect("made");
        fs::write(package.path().join("tests/data/deep/a.txt"), "a").expect("written");
        let skill: SkillId = "a/b".parse().expect("an id");
        let given = |value: Value| allow(package.path(), &skill, Digest::of(b"x"), &value, scratch.path());
        let allowed = given(json!({ "state": true, "fs": [{ "root": "/d", "host": "data", "access": "read" }] }));
        let allowed = allowed.unwrap_or_else(|problem| panic!("{problem}"));
        let mount = &allowed.grant.capabilities.fs[0];
        assert_eq!((mount.access, &mount.host), (Access::Read, &allowed.folders["/d"]));
        assert_eq!(fs::read_to_string(mount.host.join("deep/a.txt")).expect("copied"), "a");
        assert!(allowed.grant.capabilities.state.is_some());
        for (bad, expected) in [
            (json!({ "fs": [{ "root": "/d", "host": "../x", "access": "read" }] }), "relative to it"),
            (json!({ "fs": [{ "root": "/d", "host": "none", "access": "read" }] }), "can't be copied"),
            (json!({ "stat": true }), "unknown field `stat`"),
            (json!({ "digest": "x" }), "leave it out"),
        ] {
            let error = given(bad).err().unwrap_or_default();
            assert!(error.contains(expected), "{error}");
        }
    }
}
