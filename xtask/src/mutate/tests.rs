//! The list of checks against the sources as they are, and the document against both.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::checks::{self, Check, Patch};
use super::table::{Row, Table};
use super::{Cases, attacks, off, patch, tree};

#[test]
fn every_check_still_stands_where_it_is_looked_for() {
    if let Err(problems) = patch::apply(&crate::root(), &checks::all()) {
        panic!("find the new places of these, in xtask/src/mutate/checks:\n{}", problems.join("\n"));
    }
}

#[test]
fn a_place_that_is_gone_or_there_twice_is_told() {
    let patch = |file, find| Patch { file, find, replace: "{off}" };
    let problems = |patches: &'static [Patch]| {
        let check = Check { name: "one", what: "", of: &[], with: &[], patches };
        patch::apply(&crate::root(), &[check]).expect_err("must be refused").join("\n")
    };
    let gone = problems(Box::leak(Box::new([patch("Cargo.toml", "no such line")])));
    assert_eq!(gone, "one: `no such line` must stand in Cargo.toml once, found 0");
    let twice = problems(Box::leak(Box::new([patch("Cargo.toml", "[")])));
    assert!(twice.starts_with("one: `[` must stand in Cargo.toml once, found "), "{twice}");
    let file = problems(Box::leak(Box::new([patch("no/such/file", "x")])));
    assert!(file.starts_with("one: no/such/file: "), "{file}");
}

#[test]
fn names_are_unique_and_every_patch_has_a_switch() {
    let checks = checks::all();
    let names: BTreeSet<&str> = checks.iter().map(|check| check.name).collect();
    assert_eq!(names.len(), checks.len(), "two checks have one name");
    for check in &checks {
        assert!(check.with.iter().all(|name| names.contains(name) && *name != check.name), "{}", check.name);
        assert!(check.patches.iter().all(|patch| patch.replace.contains("{off}")), "{}: no switch", check.name);
        assert!(check.patches.len() + check.with.len() > 0, "{} is switched off nowhere", check.name);
    }
}

#[test]
fn what_is_off_with_a_check_is_off_with_all_that_it_needs() {
    let check = |name, with| Check { name, what: "", of: &[], with, patches: &[] };
    let checks = [check("one", &["two"]), check("two", &["three"]), check("three", &[])];
    assert_eq!(off(&checks[0], &checks), BTreeSet::from(["one", "three", "two"]));
    assert_eq!(off(&checks[2], &checks), BTreeSet::from(["three"]));
}

#[test]
fn a_table_is_read_as_it_was_written() {
    let checks = checks::all();
    let (first, second) = (&checks[0], &checks[1]);
    let mut table = Table::default();
    let failed: Cases =
        ["attacks::paths::dot_dot", "rest::calls::x", "attacks::settings::stdin"].map(str::to_owned).into();
    table.put(first, Row { tests: 3, failed, host: "abc1234, changed".to_owned() });
    table.put(second, Row { tests: 1, failed: Cases::new(), host: "abc1234".to_owned() });
    let text = table.text(&checks, &["paths::dot_dot", "paths::slash"]);
    let again = Table::parse(&text, &checks);
    assert_eq!((again.get(first.name), again.get(second.name)), (table.get(first.name), table.get(second.name)));
    assert_eq!(again.get(checks[2].name), None);
    assert!(again.is_of(second, "abc1234") && !again.is_of(first, "abc1234"));
    assert!(text.contains("`paths::slash`") && text.contains("1 of the 2 cases"), "{text}");
    // A check of which other tests are to be run is not known.
    let other = Check { of: &["attacks::output"], ..*first };
    assert_eq!(Table::parse(&text, &[other]).get(first.name), None);
}

#[test]
fn what_the_runner_says_is_understood() {
    let says = "        FAIL [   0.5s] (1/3) bailiwick-tests::e2e attacks::paths::slash\n        SLOW [> 15.0s] bailiwick-tests::e2e attacks::time::spin\n TERMINATING [> 30.0s] bailiwick-tests::e2e attacks::time::spin\n     TIMEOUT [  30.0s] (2/3) bailiwick-tests::e2e attacks::time::spin\n     Summary [   1.2s] 3 tests run: 1 passed (1 slow), 1 failed, 1 timed out, 470 skipped\n";
    let failed: Vec<String> = says.lines().filter_map(attacks::failed).collect();
    assert_eq!(failed, ["attacks::paths::slash", "attacks::time::spin"]);
    assert_eq!(attacks::passed(says), Some(1));
    assert_eq!(attacks::passed("error: no tests to run"), None);
}

/// What is built of a host without its checks must never be taken for the host.
#[test]
fn the_copy_has_the_switches_and_the_tree_stays_as_it_is() {
    let root = tempfile::tempdir().expect("a folder");
    let (root, write) = (root.path(), |path: &Path, text: &str| fs::write(path, text).expect("a file"));
    for folder in ["target/test-guests", "target/test-skills", "target/skills", "host", ".git"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    write(&root.join("host/check.rs"), "if checked {");
    write(&root.join("host/other.rs"), "other");
    write(&root.join(".git/config"), "");
    let patched = BTreeMap::from([("host/check.rs", "if off || checked {".to_owned())]);
    let copy = tree::make(root, &patched).expect("a copy");
    assert!(copy.starts_with(root.join("target")), "where git and cargo do not look");
    let read = |path: PathBuf| fs::read_to_string(path).expect("a file");
    assert_eq!(read(copy.join("host/check.rs")), "if off || checked {");
    assert_eq!(
        (read(root.join("host/check.rs")), read(copy.join("host/other.rs"))),
        ("if checked {".into(), "other".into())
    );
    assert!(!copy.join(".git").exists() && copy.join("target/test-guests").is_symlink());
    // What is as it was keeps its time, and what is gone goes.
    let time = |path: PathBuf| fs::metadata(path).and_then(|metadata| metadata.modified()).expect("a time");
    let before = time(copy.join("host/check.rs"));
    fs::remove_file(root.join("host/other.rs")).expect("it was there");
    tree::make(root, &patched).expect("the copy again");
    assert_eq!(time(copy.join("host/check.rs")), before);
    assert!(!copy.join("host/other.rs").exists());
}

/// The document may be older than the host, which it says itself, but not than the
/// list of checks or the tests that it names.
#[test]
fn the_document_knows_every_check_and_names_tests_that_there_are() {
    let root = crate::root();
    let checks = checks::all();
    let table = Table::read(&root, &checks);
    for check in &checks {
        let row = table.get(check.name).unwrap_or_else(|| panic!("`xtask mutate {}` was not run", check.name));
        assert!(!row.failed.is_empty(), "nothing notices that {} is off", check.name);
        for test in &row.failed {
            let (module, name) = test.rsplit_once("::").expect("a module and a name");
            let file = root.join("tests/e2e").join(format!("{}.rs", module.replace("::", "/")));
            let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let there = text.contains(&format!("fn {name}(")) || text.contains(&format!(" {name} => "));
            assert!(there, "{}: `{test}` is gone", check.name);
        }
    }
}
