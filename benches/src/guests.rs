//! Components to measure with, and packages made of them.

use std::fs;
use std::path::{Path, PathBuf};

/// The build folder, where the guests of the tests lie.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target")
}

/// A component with the tool `echo`, and in most cases `sleep`.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Its file.
    pub path: PathBuf,
    /// The interface that exports the tools; nothing where the world does it itself.
    pub interface: Option<&'static str>,
}

/// What a toolchain makes of a small guest in Rust: three core modules and the
/// interfaces of WASI that the standard library asks for.
pub fn rust() -> Guest {
    Guest { path: component("hostile"), interface: Some("tests:hostile/tools@1.0.0") }
}

/// One core module with one page of memory.
pub fn small() -> Guest {
    let text = include_str!("../guests/small.wat");
    let path = target().join("bench-guests/small.wasm");
    let bytes = wat::parse_str(text).unwrap();
    // A child finds it there, and must not cut it short under others.
    if fs::read(&path).ok().as_ref() != Some(&bytes) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    Guest { path, interface: Some("bench:small/tools@1.0.0") }
}

/// A component of tests/plain: an interpreter with its language's standard
/// library, as the toolchain of this language makes it.
pub fn plain(language: &str) -> Guest {
    let path = target().join(format!("test-skills/plain-{language}/plain-{language}.wasm"));
    assert!(path.is_file(), "{} is not there: run `make build` first", path.display());
    Guest { path, interface: None }
}

/// The guest with this name.
pub fn named(name: &str) -> Guest {
    match name {
        "rust" => rust(),
        "small" => small(),
        other => panic!("no such guest: {other}"),
    }
}

/// The file of a component of tests/guests.
pub fn component(name: &str) -> PathBuf {
    let path = target().join(format!("test-guests/{name}.wasm"));
    assert!(path.is_file(), "{} is not there: run `make build` first", path.display());
    path
}

/// The component with a section more that means nothing, so that its digest is another.
pub fn copy_of(component: &[u8], number: usize) -> Vec<u8> {
    let name = format!("copy-{number}");
    let length = u8::try_from(name.len() + 1).unwrap();
    let mut bytes = component.to_vec();
    // A custom section: its id, its length, and its name behind the name's length.
    bytes.extend([0, length, length - 1]);
    bytes.extend(name.as_bytes());
    bytes
}

/// Writes `count` packages below `folder`, each with a copy of its own of `component`.
pub fn write_packages(folder: &Path, component: &Path, count: usize) {
    let bytes = fs::read(component).unwrap();
    for number in 0..count {
        let package = folder.join(format!("copy-{number}"));
        fs::create_dir_all(&package).unwrap();
        fs::write(package.join("guest.wasm"), copy_of(&bytes, number)).unwrap();
        fs::write(package.join("skill.toml"), manifest(number)).unwrap();
    }
}

/// The id of the package with this number.
pub fn skill_id(number: usize) -> String {
    format!("bench/copy-{number}")
}

fn manifest(number: usize) -> String {
    let id = skill_id(number);
    format!(
        "skill_id = \"{id}\"\nversion = \"0.1.0\"\nkind = \"tool\"\ncomponent = \"guest.wasm\"\nidempotent = true\n"
    )
}
