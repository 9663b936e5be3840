//! Every manifest on the pages is one that a host takes.

use std::fs;
use std::path::Path;

use bailiwick_skills::package::{LoadOptions, load};

use super::{Block, blocks, pages};

/// What stands above the part of a manifest that a page shows.
const HEAD: &str = "skill_id = \"acme/notes\"\nversion = \"1.0.0\"\nkind = \"tool\"\ncomponent = \"notes.wasm\"\n";

/// Tables of other files that the pages show: of cargo, of cases, of the host's configuration.
const OTHERS: &[&str] =
    &["[dependencies]", "[package]", "[lib]", "[[case]]", "[case.", "packages = [", "[skills", "[server]", "[secrets"];

#[test]
fn every_manifest_on_the_pages_is_taken() {
    let mut seen = 0;
    for page in pages() {
        let is_manifest =
            |block: &&Block| block.info == "toml" && !OTHERS.iter().any(|table| block.text.contains(table));
        for block in blocks(&page).iter().filter(is_manifest) {
            seen += 1;
            if let Err(problem) = read(&block.text) {
                panic!("{}: {problem}", block.place);
            }
        }
    }
    assert!(seen > 15, "there were only {seen} manifests");
}

#[test]
fn a_wrong_manifest_on_a_page_would_be_noticed() {
    for wrong in ["memory = \"64 MiB\"\n", "[permissions]\nfs = true\n", "skill_id = \"acme/notes\"\n"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

/// Reads a manifest, or a part of one, with the files that it names beside it.
fn read(text: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let whole = if text.contains("skill_id") { text.to_owned() } else { format!("{HEAD}{text}") };
    let put = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    put("skill.toml", &whole);
    let is_file = |name: &&str| Path::new(name).extension().is_some_and(|it| it == "wasm" || it == "json");
    for named in whole.split('"').filter(is_file) {
        put(named, "{}");
    }
    if whole.contains("kind = \"prompt\"") {
        let name = whole.split("skill_id = \"").nth(1).and_then(|rest| rest.split(['/', '"']).nth(1)).unwrap();
        put("SKILL.md", &format!("---\nname: {name}\ndescription: Says how. Use it then.\n---\n\nDo it well.\n"));
    }
    let options = LoadOptions { allow_shell: true, ..LoadOptions::default() };
    load(folder.path(), &options).map(drop).map_err(|error| error.to_string())
}
