//! `SKILL.md`: every case, in a prompt's package beside a manifest.

use std::fs;

use bailiwick_skills::package::{INSTRUCTIONS_FILE, LoadOptions, MANIFEST_FILE, Package};
use tempfile::TempDir;

use crate::cases::{Case, cases, fixture, load};

const MANIFEST: &str = "skill_id = \"demo/note\"\nversion = \"0.1.0\"\nkind = \"prompt\"\n";

/// Most of the spec's description, and one character more.
const LIMITS: [(&str, usize); 2] = [("description", 1024), ("compatibility", 500)];

fn load_text(text: &str, options: LoadOptions) -> (TempDir, Result<Package, String>) {
    let folder = fixture();
    fs::write(folder.path().join(MANIFEST_FILE), MANIFEST).expect("writable");
    fs::write(folder.path().join(INSTRUCTIONS_FILE), text).expect("writable");
    let loaded = load(&folder, options);
    (folder, loaded)
}

fn strict(case: &Case) -> (TempDir, Result<Package, String>) {
    load_text(&case.text, LoadOptions::default())
}

#[test]
fn invalid_instructions_are_refused_word_for_word() {
    let cases = cases("skill-md/invalid", "md");
    assert!(cases.len() >= 20, "only {} cases were found", cases.len());
    for case in cases {
        let said = strict(&case).1.map(|package| package.instructions).expect_err(&case.path.display().to_string());
        case.compare(&said);
    }
}

#[test]
fn valid_instructions_load() {
    for case in cases("skill-md/valid", "md") {
        let (_folder, loaded) = strict(&case);
        let package = loaded.unwrap_or_else(|said| panic!("{}:\n{said}", case.path.display()));
        let instructions = package.instructions.expect("a prompt has instructions");
        assert_eq!(instructions.name, "note");
        assert!(!instructions.body.is_empty());
    }
}

#[test]
fn every_field_arrives() {
    let case = cases("skill-md/valid", "md").into_iter().find(|case| case.path.ends_with("full.md")).expect("there");
    let instructions = strict(&case).1.expect("valid").instructions.expect("there");
    assert_eq!(instructions.description, "Takes notes: short ones. Use it when something is to be remembered.");
    assert_eq!(instructions.license.as_deref(), Some("Apache-2.0"));
    assert_eq!(instructions.compatibility.as_deref(), Some("Needs a pen"));
    let metadata: Vec<(&str, &str)> =
        instructions.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(metadata, [("author", "example"), ("version", "1.10")]);
    assert_eq!(instructions.allowed_tools, ["Read", "Bash(git add:*)"]);
    assert_eq!(instructions.body, "# Notes\n\n---\n\nWrite them down.");
}

#[test]
fn an_unknown_key_is_a_warning_when_lenient() {
    let text = "---\nname: note\ndescription: d\nlicence: MIT\n---\nbody\n";
    let (_folder, loaded) = load_text(text, LoadOptions { strict: false, allow_shell: false });
    let package = loaded.expect("forgiven");
    assert!(package.warnings[0].contains("did you mean `license`?"), "{:?}", package.warnings);
}

#[test]
fn the_limits_of_the_format_hold_to_the_character() {
    for (key, limit) in LIMITS {
        let text = |length: usize| {
            let value = "é".repeat(length);
            let description = if key == "description" { String::new() } else { "description: d\n".to_owned() };
            format!("---\nname: note\n{description}{key}: {value}\n---\nbody\n")
        };
        let load = |length| load_text(&text(length), LoadOptions::default()).1;
        assert!(load(limit).is_ok(), "{key}");
        assert!(load(limit + 1).expect_err("too long").contains(&format!("at most {limit}")), "{key}");
    }
}

#[test]
fn aliases_do_not_grow() {
    let mut text = "---\nname: note\ndescription: d\nmetadata:\n  a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f"), ("h", "g"), ("i", "h")] {
        let entries = vec![format!("*{of}"); 9].join(", ");
        text = format!("{text}  {name}: &{name} [{entries}]\n");
    }
    text.push_str("---\nbody\n");
    let said = load_text(&text, LoadOptions::default()).1.expect_err("refused");
    assert!(said.contains("aliases are refused"), "{said}");
}
