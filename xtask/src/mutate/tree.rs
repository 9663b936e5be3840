//! A copy of the tree with patched sources, and with a build folder of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Below the tree that is copied.
const COPY: &str = "target/mutants/tree";

/// What the tests take from the build folder, and is the same for the copy.
const GUESTS: [&str; 3] = ["test-guests", "test-skills", "skills"];

/// What of a build folder serves the copy too: libraries of others are the same there.
const SEEDS: [&str; 3] = [".fingerprint", "build", "deps"];

/// Makes the copy, or brings it up to date. Files that are as they were keep their
/// time, so that little is built anew.
pub(super) fn make(root: &Path, patched: &BTreeMap<&'static str, String>) -> Result<PathBuf, String> {
    let copy = root.join(COPY);
    let patched: BTreeMap<PathBuf, &String> = patched.iter().map(|(file, text)| (root.join(file), text)).collect();
    mirror(root, &copy, &patched)?;
    let target = copy.join("target");
    make_folder(&target)?;
    for guests in GUESTS {
        let (from, to) = (root.join("target").join(guests), target.join(guests));
        if !from.is_dir() {
            return Err(format!("{} is missing: `make build` makes it", from.display()));
        }
        if !to.exists() {
            symlink(&from, &to).map_err(|error| format!("{}: {error}", to.display()))?;
        }
    }
    if !target.join("debug").exists() {
        for seed in SEEDS {
            seed_from(&root.join("target/debug").join(seed), &target.join("debug").join(seed))?;
        }
    }
    Ok(copy)
}

fn mirror(from: &Path, to: &Path, patched: &BTreeMap<PathBuf, &String>) -> Result<(), String> {
    make_folder(to)?;
    let mut names = Vec::new();
    for path in entries(from)? {
        let Some(name) = path.file_name().filter(|name| !is_left_out(name)) else { continue };
        names.push(name.to_owned());
        let copy = to.join(name);
        if path.is_dir() {
            mirror(&path, &copy, patched)?;
            continue;
        }
        let content = match patched.get(&path) {
            Some(text) => text.as_bytes().to_vec(),
            None => fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?,
        };
        if fs::read(&copy).is_ok_and(|old| old == content) {
            continue;
        }
        fs::write(&copy, content).map_err(|error| format!("{}: {error}", copy.display()))?;
    }
    // What is gone from the tree is gone from the copy.
    for path in entries(to)? {
        let gone = |name: &OsStr| !is_left_out(name) && !names.iter().any(|it| it == name);
        if path.file_name().is_some_and(gone) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

fn is_left_out(name: &OsStr) -> bool {
    name == "target" || name == ".git"
}

/// Copies what was built of other people's crates, with its times, by which cargo
/// tells whether it is fresh. Those of the tree have other names in the copy.
fn seed_from(from: &Path, to: &Path) -> Result<(), String> {
    if !from.is_dir() {
        return Ok(());
    }
    make_folder(to)?;
    for path in entries(from)? {
        let Some(name) = path.file_name().filter(|name| !name.to_string_lossy().contains("bailiwick")) else {
            continue;
        };
        let copy = to.join(name);
        let failed = |error: std::io::Error| format!("{}: {error}", copy.display());
        if path.is_dir() {
            seed_from(&path, &copy)?;
            continue;
        }
        let changed = fs::metadata(&path).and_then(|metadata| metadata.modified()).map_err(failed)?;
        fs::copy(&path, &copy).map_err(failed)?;
        let file = fs::File::options().append(true).open(&copy).map_err(failed)?;
        file.set_modified(changed).map_err(failed)?;
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| error.to_string())).collect()
}

fn make_folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}
