//! `skill.toml`: every case, against the loader and against the published schema.

use std::fs;

use bailiwick_skills::package::{MANIFEST_FILE, Package, manifest_schema};
use tempfile::TempDir;

use crate::cases::{Case, cases, fixture, load, warnings};

/// Makes a package of a case and loads it.
pub(crate) fn load_case(case: &Case) -> (TempDir, Result<Package, String>) {
    let folder = fixture();
    fs::write(folder.path().join(MANIFEST_FILE), &case.text).expect("writable");
    if case.asks("no SKILL.md") {
        fs::remove_file(folder.path().join("SKILL.md")).expect("writable");
    }
    let loaded = load(&folder, case.options());
    (folder, loaded)
}

/// What the published schema says of a case; a text that is not TOML conforms to nothing.
fn conforms(case: &Case) -> bool {
    let validator = jsonschema::validator_for(&manifest_schema()).expect("the manifest's schema is valid");
    toml::from_str::<serde_json::Value>(&case.text).is_ok_and(|manifest| validator.is_valid(&manifest))
}

#[test]
fn invalid_manifests_are_refused_word_for_word() {
    let cases = cases("manifests/invalid", "toml");
    assert!(cases.len() >= 40, "only {} cases were found", cases.len());
    for case in cases {
        let (_folder, loaded) = load_case(&case);
        let said = loaded.map(|package| package.manifest).expect_err(&case.path.display().to_string());
        case.compare(&said);
    }
}

#[test]
fn valid_manifests_load_with_exactly_these_warnings() {
    let cases = cases("manifests/valid", "toml");
    assert!(cases.len() >= 5, "only {} cases were found", cases.len());
    for case in cases {
        let (folder, loaded) = load_case(&case);
        let package = loaded.unwrap_or_else(|said| panic!("{}:\n{said}", case.path.display()));
        case.compare(&warnings(&folder, &package));
        assert_eq!(package.warnings.is_empty(), !case.asks("lenient"), "{}", case.path.display());
    }
}

#[test]
fn what_is_forgiven_is_refused_in_strict_mode() {
    for mut case in cases("manifests/valid", "toml").into_iter().filter(|case| case.asks("lenient")) {
        let (folder, loaded) = load_case(&case);
        let forgiven = warnings(&folder, &loaded.expect("valid when lenient"));
        case.text = case.text.replace("#! lenient", "#! strict .");
        assert_eq!(load_case(&case).1.expect_err("strict"), forgiven);
    }
}

#[test]
fn the_published_schema_agrees() {
    for case in cases("manifests/valid", "toml").iter().filter(|case| !case.asks("lenient")) {
        assert!(conforms(case), "the schema refuses {}", case.path.display());
    }
    for case in cases("manifests/invalid", "toml") {
        assert_eq!(conforms(&case), case.asks("schema accepts"), "{}", case.path.display());
    }
}

#[test]
fn the_committed_schema_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemas/skill-manifest.schema.json");
    let committed = fs::read_to_string(path).expect("the schema is committed");
    let committed: serde_json::Value = serde_json::from_str(&committed).expect("the schema is JSON");
    assert_eq!(committed, manifest_schema(), "docs/schemas/skill-manifest.schema.json is stale");
}
