//! The tree itself: arrows between crates, libraries that only one crate may
//! name, and claims that must stay true.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authors;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// For each host crate, the host crates that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("bailiwick-domain", &[]),
    ("bailiwick-wire", &[]),
    ("bailiwick-journal", &["bailiwick-domain"]),
    ("bailiwick-sandbox", &["bailiwick-domain"]),
    ("bailiwick-skills", &["bailiwick-domain", "bailiwick-journal"]),
    ("bailiwick-distribution", &["bailiwick-domain", "bailiwick-skills"]),
    ("bailiwick-models", &["bailiwick-domain"]),
    ("bailiwick-telemetry", &["bailiwick-domain"]),
    ("bailiwick-agents", &["bailiwick-domain", "bailiwick-journal", "bailiwick-skills"]),
    (
        "bailiwick-api",
        &["bailiwick-agents", "bailiwick-distribution", "bailiwick-domain", "bailiwick-skills", "bailiwick-wire"],
    ),
    ("bailiwick-authoring", &["bailiwick-distribution", "bailiwick-domain", "bailiwick-skills"]),
    (
        "bailiwick-server",
        &[
            "bailiwick-agents",
            "bailiwick-api",
            "bailiwick-authoring",
            "bailiwick-distribution",
            "bailiwick-domain",
            "bailiwick-journal",
            "bailiwick-models",
            "bailiwick-sandbox",
            "bailiwick-skills",
            "bailiwick-telemetry",
            "bailiwick-wire",
        ],
    ),
];

/// Libraries, by the prefix of their name, and the only host crates that may name them.
const OWNED: &[(&str, &[&str])] = &[
    ("wasmtime", &["bailiwick-sandbox"]),
    ("axum", &["bailiwick-api"]),
    ("utoipa", &["bailiwick-api", "bailiwick-wire"]),
    ("redb", &["bailiwick-journal"]),
    ("clap", &["bailiwick-server"]),
    ("reqwest", &["bailiwick-models", "bailiwick-telemetry"]),
    ("aho-corasick", &["bailiwick-domain"]),
    (
        "zeroize",
        &[
            "bailiwick-distribution",
            "bailiwick-domain",
            "bailiwick-models",
            "bailiwick-sandbox",
            "bailiwick-server",
            "bailiwick-telemetry",
        ],
    ),
    (
        "tokio",
        &[
            "bailiwick-agents",
            "bailiwick-api",
            "bailiwick-distribution",
            "bailiwick-journal",
            "bailiwick-models",
            "bailiwick-sandbox",
            "bailiwick-server",
            "bailiwick-skills",
            "bailiwick-telemetry",
        ],
    ),
];

/// Lines after which a file has more than one meaning.
const MAX_LINES: usize = 800;

#[test]
fn arrows_between_crates_point_one_way() {
    let dependencies = host_dependencies();
    let known: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found: BTreeSet<_> = dependencies.keys().cloned().collect();
    assert_eq!(found, known, "a host crate is missing from ARROWS, or is gone");
    for (name, allowed) in ARROWS {
        for dependency in dependencies[*name].iter().filter(|dependency| dependency.starts_with("bailiwick-")) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

#[test]
fn libraries_stay_in_their_crates() {
    for (name, dependencies) in host_dependencies() {
        for (library, owners) in OWNED {
            let named = dependencies.iter().find(|dependency| is_of(dependency, library));
            if let Some(named) = named {
                assert!(owners.contains(&name.as_str()), "{name} must not name {named}");
            }
        }
    }
}

#[test]
fn guests_do_not_depend_on_the_host() {
    for manifest in files(&root(), "toml").iter().filter(|path| path.ends_with("Cargo.toml")) {
        let relative = manifest.strip_prefix(root()).unwrap();
        let guest = ["skills", "guest-sdk", "tests/guests", "tests/plain", "examples"]
            .iter()
            .any(|folder| relative.starts_with(folder));
        let text = fs::read_to_string(manifest).unwrap();
        assert!(!guest || !text.contains("host/"), "{} reaches into the host", relative.display());
    }
}

#[test]
fn features_name_tests_that_exist() {
    let features = fs::read_to_string(root().join("docs/features.md")).unwrap();
    let functions: BTreeSet<String> = sources().iter().flat_map(|path| functions_of(path)).collect();
    let rows: Vec<_> = features.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| row")).collect();
    assert!(rows.len() > 10, "the table of features can't be read");
    for row in rows {
        let shown_by = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let tests: Vec<_> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test or command: {row}");
        for test in tests.iter().filter(|test| test.contains("::")) {
            let name = test.rsplit("::").next().unwrap_or_default();
            assert!(functions.contains(name), "`{test}` is gone, named in: {row}");
        }
    }
}

#[test]
fn files_have_one_meaning_each() {
    for path in sources() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines; split it by meaning", path.display());
    }
}

#[test]
fn unsafe_code_stands_only_where_it_is_argued_for() {
    const ALLOWED: &[&str] = &["host/sandbox/src/cache.rs", "benches/src/floor.rs"];
    for path in sources() {
        let relative = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let used = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains(concat!("unsafe", " {")) || code.contains(concat!("unsafe", " fn"))
        });
        assert!(!used || ALLOWED.contains(&relative.as_str()), "{relative} has unsafe code");
    }
}

#[test]
fn only_clocks_ask_the_time() {
    const ALLOWED: &[&str] = &["host/server/src/clock.rs"];
    for path in sources().iter().filter(|path| path.starts_with(root().join("host"))) {
        let relative = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        if ALLOWED.contains(&relative.as_str()) || relative.contains("/tests/") || relative.ends_with("/tests.rs") {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // tokio's own clock is the one of its timers, and can be paused in tests.
        if code.contains("use tokio::time::{Instant") || code.contains("use tokio::time::Instant;") {
            continue;
        }
        for call in ["SystemTime::now()", "Instant::now()"] {
            assert!(!code.contains(call), "{relative} calls {call}; ask a Clock");
        }
    }
}

/// Names of dependencies, without those for tests, of every crate under host/.
fn host_dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let host = packages.filter(|package| package["manifest_path"].as_str().unwrap().contains("/host/"));
    host.map(|package| {
        let normal = package["dependencies"].as_array().unwrap().iter().filter(|it| it["kind"].is_null());
        let names = normal.map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        (package["name"].as_str().unwrap().to_owned(), names)
    })
    .collect()
}

fn is_of(dependency: &str, library: &str) -> bool {
    dependency.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn functions_of(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let name = |line: &str| {
        let (before, rest) = line.split_once("fn ")?;
        let declared =
            before.split_whitespace().all(|word| word.starts_with("pub") || word == "async" || word == "const");
        declared.then(|| rest.split(['(', '<']).next().unwrap_or_default().to_owned())
    };
    text.lines().filter_map(name).collect()
}

fn sources() -> Vec<PathBuf> {
    files(&root(), "rs")
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if entry.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&entry, extension));
        } else if entry.extension().is_some_and(|it| it == extension) {
            found.push(entry);
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
