//! Whether the same source gives the same bytes in another folder.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use bailiwick_domain::digest::Digest;
use tempfile::TempDir;

use super::BuildError;
use crate::embedded::WORK;

/// What a package installs for itself: a link to it is as good as a copy.
const INSTALLED: &[&str] = &[MODULES, ".venv", "venv"];

const MODULES: &str = "node_modules";

/// What builds make, and what keeps versions: no source.
const NO_SOURCE: &[&str] = &[WORK, "target", ".git"];

/// Characters of the text around a difference that are shown on each side.
const NEAR: usize = 24;

/// A copy of the source alone, without its component.
pub(super) fn copy(root: &Path, component: &Path) -> Result<TempDir, BuildError> {
    let failed = || BuildError::io("copy", root);
    let to = tempfile::Builder::new().prefix("bailiwick-build-").tempdir().map_err(failed())?;
    for entry in fs::read_dir(root).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let name = entry.file_name();
        let is = |list: &[&str]| list.iter().any(|it| name == *it);
        if is(NO_SOURCE) || component == Path::new(&name) {
            continue;
        }
        let target = to.path().join(&name);
        let copied = if is(INSTALLED) { symlink(entry.path(), &target) } else { copy_all(&entry.path(), &target) };
        copied.map_err(BuildError::io("copy", &entry.path()))?;
    }
    link_modules(root, to.path()).map_err(failed())?;
    Ok(to)
}

/// Packages of npm count for every folder below theirs, which the copy is not.
fn link_modules(root: &Path, copy: &Path) -> io::Result<()> {
    let above = root.ancestors().skip(1).map(|folder| folder.join(MODULES));
    match above.into_iter().find(|modules| modules.is_dir()) {
        Some(modules) if !copy.join(MODULES).exists() => symlink(modules, copy.join(MODULES)),
        _ => Ok(()),
    }
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Whether both builds gave the same; where not, the place says something of the reason.
pub(super) fn compare(first: &[u8], second: &[u8], root: &Path) -> Result<(), BuildError> {
    if first == second {
        return Ok(());
    }
    let offset = first.iter().zip(second).take_while(|(a, b)| a == b).count();
    Err(BuildError::NotReproducible {
        folder: root.to_owned(),
        first: Digest::of(first),
        second: Digest::of(second),
        offset,
        near: near(first, offset),
    })
}

/// The printable text around a place.
fn near(bytes: &[u8], offset: usize) -> String {
    let printable = |byte: &&u8| byte.is_ascii_graphic() || **byte == b' ';
    let (before, behind) = bytes.split_at(offset.min(bytes.len()));
    let mut text: Vec<u8> = before.iter().rev().take_while(printable).take(NEAR).copied().collect();
    text.reverse();
    text.extend(behind.iter().take_while(printable).take(NEAR));
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn only_source_is_copied() {
        let root = tempfile::tempdir().unwrap();
        for path in ["src/lib.rs", ".build/x", "target/x", "note.wasm", "SKILL.md", "node_modules/a/x"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let copy = copy(root.path(), Path::new("note.wasm")).unwrap();
        let there = |path: &str| copy.path().join(path).exists();
        assert!(there("src/lib.rs") && there("SKILL.md") && there("node_modules/a/x"));
        assert!(!there(".build") && !there("target") && !there("note.wasm"));
    }

    #[test]
    fn a_difference_is_told_with_its_place() {
        let (first, second) = (b"\0built at 10:01 on a\0", b"\0built at 10:02 on a\0");
        assert!(compare(first, first, Path::new("p")).is_ok());
        let said = compare(first, second, Path::new("p")).unwrap_err().to_string();
        assert!(said.contains("from byte 14 on (near `built at 10:01 on a`)"), "{said}");
    }
}
