//! Lists what the binary carries for authors: the templates of new packages, the
//! libraries of each language, the interfaces of the host.
//!
//! A list that is made here can't miss a file, and needs no library that walks
//! folders when it compiles.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What tools leave behind, and what only this repository needs of a library.
const LEFT_OUT: &[&str] = &["node_modules", "target", "__pycache__", "tests", "test", "package-lock.json"];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let root = here.join("../..").canonicalize()?;
    let mut text = String::new();
    let mut sdk = Vec::new();
    for language in ["rust", "python", "javascript", "c"] {
        let folder = root.join("guest-sdk").join(language);
        watch(&folder);
        list(&folder, language, LEFT_OUT, &mut sdk)?;
    }
    watch(&root.join("wit"));
    list(&root.join("wit"), "wit", &[], &mut sdk)?;
    for (name, path) in &mut sdk {
        if name == "rust/Cargo.toml" {
            *path = standalone(path, &out)?;
        }
    }
    write(&mut text, "SDK", &sdk);
    let mut templates = Vec::new();
    watch(&here.join("templates"));
    list(&here.join("templates"), "", &[], &mut templates)?;
    write(&mut text, "TEMPLATES", &templates);
    let lock = root.join("skills/Cargo.lock");
    watch(&lock);
    let lock = literal(&lock);
    writeln!(text, "static RUST_LOCK: &str = include_str!({lock});").map_err(io::Error::other)?;
    fs::write(out.join("embedded.rs"), text)
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// Adds every file below `folder`, named from `prefix` on, but those in `left_out`.
fn list(folder: &Path, prefix: &str, left_out: &[&str], files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    // A language whose library is not in this tree has no files.
    if !folder.is_dir() {
        return Ok(());
    }
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if left_out.contains(&name.as_str()) {
            continue;
        }
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &path, left_out, files)?;
        } else {
            files.push((path, entry.path()));
        }
    }
    Ok(())
}

/// The manifest of the library for Rust without its place in this repository's
/// workspace, which an author doesn't have.
fn standalone(manifest: &Path, out: &Path) -> io::Result<PathBuf> {
    let text = fs::read_to_string(manifest)?;
    let lines = text.lines().filter(|line| !line.starts_with("workspace = "));
    let path = out.join("guest-sdk-rust.toml");
    fs::write(&path, lines.fold(String::new(), |text, line| text + line + "\n"))?;
    Ok(path)
}

/// The path as Rust writes a text.
fn literal(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}

fn write(text: &mut String, name: &str, files: &[(String, PathBuf)]) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "static {name}: &[File] = &[");
    for (path, source) in files {
        let _ = writeln!(text, "    File {{ path: {path:?}, content: include_bytes!({}) }},", literal(source));
    }
    let _ = writeln!(text, "];");
}
