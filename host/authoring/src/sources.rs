//! The files of a package that its component is built from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders that hold what tools made, tests, or what is only read by people.
const NOT_SOURCES: [&str; 7] = ["target", "node_modules", "tests", "references", "assets", "__pycache__", "dist"];

/// Files that a build doesn't read.
const NOT_BUILT: [&str; 4] = ["skill.toml", "SKILL.md", "README.md", "LICENSE"];

/// Files that are looked at: more than a skill has, and few enough to look at them often.
const MAX_FILES: usize = 20_000;

/// How deep folders are looked at.
const MAX_DEPTH: usize = 32;

/// A source and when it was last written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, relative to the package.
    pub file: PathBuf,
    /// When it was last written.
    pub written: SystemTime,
}

/// The sources of the package in `root`, by their names. Hidden files, components and
/// folders that tools write are none.
pub fn sources(root: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    collect(root, Path::new(""), 0, &mut found)?;
    found.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

/// Whether a change of `file`, relative to the package, may change what the skill is:
/// a source, the manifest, the instructions or a schema.
pub fn matters(file: &Path) -> bool {
    let mut parts = file.components().map(|part| part.as_os_str().to_string_lossy());
    let made = parts.any(|part| part.starts_with('.') || part.ends_with('~') || is_made(&part));
    !made && file.extension().is_none_or(|extension| extension != "wasm")
}

fn is_made(folder: &str) -> bool {
    ["target", "node_modules", "__pycache__", "dist", "snapshots"].contains(&folder)
}

fn collect(root: &Path, below: &Path, depth: usize, found: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (file, kind) = (below.join(&name), entry.file_type()?);
        if name.starts_with('.') || found.len() >= MAX_FILES {
            continue;
        }
        if kind.is_dir() && !NOT_SOURCES.contains(&name.as_str()) && depth < MAX_DEPTH {
            collect(root, &file, depth + 1, found)?;
        }
        let is_source = kind.is_file()
            && !NOT_BUILT.contains(&name.as_str())
            && file.extension().is_none_or(|extension| extension != "wasm");
        if is_source {
            found.push(Source { file, written: entry.metadata()?.modified()? });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_write_is_no_source() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in [
            "skill.py",
            "Makefile",
            "wit/world.wit",
            ".build/glue.py",
            "target/a.rs",
            "tests/a.toml",
            "skill.toml",
            "s.wasm",
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "").expect("written");
        }
        let found: Vec<_> = sources(folder.path()).expect("read").into_iter().map(|source| source.file).collect();
        assert_eq!(found, ["Makefile", "skill.py", "wit/world.wit"].map(PathBuf::from));
    }

    #[test]
    fn a_build_starts_no_build() {
        for file in ["skill.py", "src/lib.rs", "skill.toml", "SKILL.md", "schemas/in.json"] {
            assert!(matters(Path::new(file)), "{file}");
        }
        for file in [".build/skill.wasm", "skill.wasm", "target/release/x", ".skill.py.swp", "skill.py~"] {
            assert!(!matters(Path::new(file)), "{file}");
        }
    }
}
