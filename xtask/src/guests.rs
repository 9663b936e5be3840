//! Builds every guest and packs each skill into a folder of its own.
//!
//! `target/skills/NAME/` is what an author would hand out: SKILL.md,
//! skill.toml, the component, and what these refer to. `target/test-skills/` has
//! the same of tests/plain, `target/test-guests/` the bare components of
//! tests/guests, and `target/examples/` what `bailiwick build` makes of
//! examples/skills.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plain;

/// What a package may hold besides the component.
pub(crate) const PACKAGED: &[&str] = &["SKILL.md", "skill.toml", "references", "schemas", "assets"];

/// Builds and packs.
pub(crate) fn build(root: &Path) -> Result<(), String> {
    println!("guests: building for wasm32-wasip2 …");
    let built = compile(root)?;
    let mut packed = 0;
    for folder in folders(&root.join("skills"))?.iter().filter(|folder| folder.join("skill.toml").is_file()) {
        let name = name_of(folder)?;
        let component = built.join(format!("skill_{}.wasm", name.replace('-', "_")));
        // A prompt has none.
        let component = folder.join("Cargo.toml").is_file().then_some(component);
        pack(folder, &root.join("target/skills").join(&name), component.as_deref())?;
        packed += 1;
    }
    println!("guests: {packed} skills packed in target/skills");
    let mut components = plain::build(root)?;
    components.push(("rust", built.join("plain_rust.wasm")));
    for (language, component) in &components {
        let package = root.join("target/test-skills").join(format!("plain-{language}"));
        pack(&root.join("tests/plain").join(language), &package, Some(component))?;
    }
    println!("guests: {} plain components packed in target/test-skills", components.len());
    let mut bare = 0;
    for (name, folder) in test_guests(root)? {
        let component = with_docs(&built.join(format!("guest_{}.wasm", name.replace('-', "_"))), &folder.join("wit"))?;
        write(&root.join("target/test-guests").join(format!("{name}.wasm")), &component)?;
        bare += 1;
    }
    println!("guests: {bare} test components in target/test-guests");
    crate::examples::build(root)
}

fn compile(root: &Path) -> Result<PathBuf, String> {
    let target = root.join("target/guests");
    let (flags, remapped) = remapped(root);
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root.join("skills"))
        .args(["build", "--workspace", "--release", "--locked", "--quiet", "--target", "wasm32-wasip2", "--target-dir"])
        .arg(&target)
        .env(flags, remapped)
        .status()
        .map_err(|error| format!("cargo can't be started: {error}"))?;
    if !status.success() {
        return Err("the guests don't build; what cargo said stands above".to_owned());
    }
    Ok(target.join("wasm32-wasip2/release"))
}

/// The variable of compiler flags, with what takes this machine's folders out of
/// panic messages: the same source has the same digest wherever it is built.
/// Cargo cuts the variable at blanks, so that a folder with one stays as it is.
fn remapped(root: &Path) -> (&'static str, OsString) {
    const FLAGS: &str = "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS";
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
    let mut flags = std::env::var_os(FLAGS).unwrap_or_default();
    let folders = [Some((root.to_owned(), "bailiwick")), cargo.map(|cargo| (cargo, "cargo"))];
    let whole = |folder: &PathBuf| !folder.to_string_lossy().contains(char::is_whitespace);
    for (folder, name) in folders.into_iter().flatten().filter(|(folder, _)| whole(folder)) {
        flags.push(" --remap-path-prefix=");
        flags.push(folder);
        flags.push(format!("=/{name}"));
    }
    (FLAGS, flags)
}

/// Makes the package of an author's folder and of the component that was built of it.
fn pack(folder: &Path, package: &Path, component: Option<&Path>) -> Result<(), String> {
    // Made anew, so that a file that is gone from the source is gone here too.
    if package.exists() {
        fs::remove_dir_all(package).map_err(|error| format!("{}: {error}", package.display()))?;
    }
    for item in PACKAGED.iter().map(|item| folder.join(item)).filter(|item| item.exists()) {
        copy(&item, package)?;
    }
    let Some(component) = component else { return Ok(()) };
    let component = with_docs(component, &folder.join("wit"))?;
    write(&package.join(format!("{}.wasm", name_of(package)?)), &component)
}

/// The component with the documentation of its WIT in the custom section
/// `package-docs`, which toolchains leave out of components.
fn with_docs(component: &Path, wit: &Path) -> Result<Vec<u8>, String> {
    let bytes = fs::read(component).map_err(|error| format!("{}: {error}", component.display()))?;
    if !wit.is_dir() {
        return Ok(bytes);
    }
    bailiwick_authoring::build::with_docs(bytes, wit).map_err(|error| error.to_string())
}

pub(crate) fn copy(from: &Path, into: &Path) -> Result<(), String> {
    let to = into.join(from.file_name().unwrap_or_default());
    if from.is_dir() {
        let entries = fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?;
        for entry in entries {
            copy(&entry.map_err(|error| error.to_string())?.path(), &to)?;
        }
        return Ok(());
    }
    write(&to, &fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?)
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    // Unchanged files keep their time, so that caches that look at it hold.
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    fs::write(path, bytes).map_err(failed)
}

pub(crate) fn folders(parent: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| error.to_string()));
    let mut folders: Vec<_> = paths.collect::<Result<_, _>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

/// The components of tests/guests: `hostile`, and those of a group as `attacks-paths`.
fn test_guests(root: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let is_component = |folder: &PathBuf| {
        fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.contains("\"cdylib\""))
    };
    let mut found = Vec::new();
    for folder in folders(&root.join("tests/guests"))? {
        let name = name_of(&folder)?;
        if is_component(&folder) {
            found.push((name, folder));
            continue;
        }
        for member in folders(&folder)?.into_iter().filter(is_component) {
            found.push((format!("{name}-{}", name_of(&member)?), member));
        }
    }
    Ok(found)
}

pub(crate) fn name_of(folder: &Path) -> Result<String, String> {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| format!("{}: not a name in UTF-8", folder.display()))
}
