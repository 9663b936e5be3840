//! Builds the examples as their authors would: by `bailiwick build`.
//!
//! `target/examples/NAME/` is then what an author would hand out. An example whose
//! source and tools are those of its last build is left alone, because a component of
//! Python or JavaScript takes many seconds.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_domain::digest::Digest;

use crate::guests::{PACKAGED, copy, folders, name_of, write};

/// Where the stamp of each one's last build is.
const STAMPS: &str = "target/examples/.stamps";

/// Builds and packs.
pub(crate) fn build(root: &Path) -> Result<(), String> {
    let mut built = 0;
    let examples = folders(&root.join("examples/skills"))?;
    for folder in &examples {
        let name = name_of(folder)?;
        let stamped = root.join(STAMPS).join(&name);
        if fs::read_to_string(&stamped).is_ok_and(|old| stamp(root, folder).is_ok_and(|new| old == new)) {
            continue;
        }
        if has_code(folder) {
            println!("examples: building {name} …");
            compile(root, folder)?;
            built += 1;
        }
        pack(root, folder, &name)?;
        // With the component that is there now.
        write(&stamped, stamp(root, folder)?.as_bytes())?;
    }
    println!("examples: {} in target/examples, of which {built} were built anew", examples.len());
    Ok(())
}

/// An example that is only text has nothing to build.
fn has_code(folder: &Path) -> bool {
    fs::read_to_string(folder.join("skill.toml")).is_ok_and(|manifest| manifest.contains("[build]"))
}

fn compile(root: &Path, folder: &Path) -> Result<(), String> {
    let status = Command::new(root.join("target/debug/bailiwick"))
        .arg("build")
        .arg(folder)
        .status()
        .map_err(|error| format!("target/debug/bailiwick can't be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{} doesn't build; the reason stands above", folder.display())) }
}

fn pack(root: &Path, folder: &Path, name: &str) -> Result<(), String> {
    let package = root.join("target/examples").join(name);
    // Made anew, so that a file that is gone from the source is gone here too.
    if package.exists() {
        fs::remove_dir_all(&package).map_err(|error| format!("{}: {error}", package.display()))?;
    }
    let component = format!("{name}.wasm");
    let items = PACKAGED.iter().copied().chain([component.as_str()]);
    items.map(|item| folder.join(item)).filter(|item| item.exists()).try_for_each(|item| copy(&item, &package))
}

/// What the component is made of, and what is made there: one digest of it all.
fn stamp(root: &Path, folder: &Path) -> Result<String, String> {
    let mut text = String::new();
    for part in [folder.to_owned(), root.join("guest-sdk"), root.join("wit"), root.join("host/authoring/src/build")] {
        digests(&part, &mut text)?;
    }
    digest(&root.join("skills/Cargo.lock"), &mut text)?;
    Ok(Digest::of(text.as_bytes()).to_string())
}

/// A line for each file, hidden ones and what tools leave aside. The component is one of them: without
/// it there is no package.
fn digests(folder: &Path, text: &mut String) -> Result<(), String> {
    const LEFT: &[&str] = &["target", "node_modules", "__pycache__"];
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || LEFT.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            digests(&path, text)?;
        } else {
            digest(&path, text)?;
        }
    }
    Ok(())
}

fn digest(path: &Path, text: &mut String) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // Writing to a string can't fail.
    let _ = writeln!(text, "{} {}", Digest::of(&bytes), path.display());
    Ok(())
}
