//! Components to measure with, and packages made of them.

use std::fs;
use std::path::{Path, PathBuf};

/// The build folder, where the guests of the tests lie.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target")
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
