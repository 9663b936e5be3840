//! Every input that is kept, in an ordinary test: what was found once is not found again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the name of an input that fails stands above the panic's own message")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_fuzz::{Check, TARGETS};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

fn replay(target: &str) {
    let check: Check = TARGETS.iter().find(|(name, _)| *name == target).unwrap().1;
    let folder = folder("corpus").join(target);
    let kept = names(&folder);
    assert!(kept.len() >= 10, "{target} has {} inputs", kept.len());
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        check(&fs::read(&path).unwrap());
    }
}

#[test]
fn what_was_found_in_manifests_is_not_found_again() {
    replay("manifest");
}

#[test]
fn what_was_found_in_grants_is_not_found_again() {
    replay("grants");
}

#[test]
fn what_was_found_in_rules_is_not_found_again() {
    replay("http_rules");
}

#[test]
fn what_was_found_in_json_is_not_found_again() {
    replay("json_to_wit");
}

#[test]
fn what_was_found_in_exports_is_not_found_again() {
    replay("audit_export");
}

#[test]
fn every_target_has_its_binary_corpus_and_dictionary() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for kind in ["fuzz_targets", "corpus", "dictionaries"] {
        assert_eq!(names(&folder(kind)), targets, "{kind}");
    }
}
