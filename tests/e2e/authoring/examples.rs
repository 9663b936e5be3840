//! The examples, as `make build` made them by `bailiwick build`: each does what its cases say.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::host::{Home, target};

/// Cases that an example has at the least.
const FEWEST_CASES: usize = 3;

#[test]
fn briefing() {
    run_cases("briefing");
}

#[test]
fn extract() {
    run_cases("extract");
}

#[test]
fn hash() {
    run_cases("hash");
}

#[test]
fn plain() {
    run_cases("plain");
}

#[test]
fn report() {
    run_cases("report");
}

#[test]
fn every_example_with_code_has_its_test_above() {
    let this = include_str!("examples.rs");
    let mut languages = BTreeSet::new();
    for entry in fs::read_dir(source("")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let manifest = fs::read_to_string(folder.join("skill.toml")).unwrap_or_default();
        if let Some(language) = manifest.lines().find_map(|line| line.strip_prefix("language = ")) {
            languages.insert(language.to_owned());
            assert!(this.contains(&format!("run_cases(\"{name}\")")), "no test runs the cases of {name}");
        }
    }
    let all = ["\"c\"", "\"javascript\"", "\"python\"", "\"rust\""];
    assert_eq!(languages.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn nothing_is_wrong_with_an_example() {
    let home = Home::new();
    for entry in fs::read_dir(source("")).unwrap() {
        let folder = entry.unwrap().path();
        let ran = home.run(&["check", folder.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{}\n{}\n{}", folder.display(), ran.stdout, ran.stderr);
    }
}

/// Through the server, as a caller meets it: three skills work for a fourth, each under its own grant.
#[test]
fn the_workflow_works_by_the_grants_of_the_skills_that_it_drives() {
    let home = Home::new();
    home.skill("files").skill("table-query").skill("markdown");
    home.example("briefing");
    home.write("documents/sales.csv", fs::read(source("../demo/documents/sales.csv")).unwrap());
    let documents = format!("{}:/work:ro", home.path("documents").display());
    home.grant("examples/briefing", &["--skill-call", "bailiwick/files", "--skill-call", "bailiwick/table-query"]);
    home.grant("bailiwick/files", &["--fs", &documents]).grant("bailiwick/table-query", &[]);
    let server = home.serve();
    let arguments = json!({ "path": "/work/sales.csv", "by": "region", "sum": "units" });
    // One skill was not granted to it, so that it can't be called, whatever that one was granted.
    home.grant("bailiwick/markdown", &[]);
    let refused = server.execute("examples/briefing", "run", &arguments);
    assert!(refused.text().contains("bailiwick/markdown"), "{}", refused.text());
    assert_ne!(refused.status, 200);

    let all = ["bailiwick/files", "bailiwick/table-query", "bailiwick/markdown"];
    let all: Vec<_> = all.iter().flat_map(|skill| ["--skill-call", skill]).collect();
    home.run(&["grant", "revoke", "examples/briefing"]).expect(0);
    home.grant("examples/briefing", &all);
    let output = server.execute("examples/briefing", "run", &arguments).output();
    assert_eq!((&output["rows"], &output["groups"]), (&json!(10), &json!(3)));
    let text = |key: &str| output[key].as_str().unwrap().to_owned();
    assert!(text("markdown").starts_with("# units by region\n\n**west** leads with 126."), "{output}");
    assert!(text("html").contains("<h1>units by region</h1>") && text("html").contains("<table>"), "{output}");
    // What files were not granted, no workflow reads through it.
    let outside = json!({ "path": "/etc/hostname", "by": "region", "sum": "units" });
    let refused = server.execute("examples/briefing", "run", &outside);
    assert!(refused.status != 200 && refused.text().contains("/etc/hostname"), "{}", refused.text());
}

fn run_cases(name: &str) {
    let home = Home::new();
    let ran = home.run(&["--json", "test", source(name).to_str().unwrap()]);
    let result: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let failed = || result["cases"].as_array().unwrap().iter().filter(|case| !case["problem"].is_null());
    assert_eq!(ran.code, 0, "{:#?}\n{}", failed().collect::<Vec<_>>(), ran.stderr);
    assert!(result["passed"].as_u64().unwrap() >= FEWEST_CASES as u64, "{result}");
}

/// The folder of an example.
fn source(name: &str) -> PathBuf {
    target().parent().unwrap().join("examples/skills").join(name)
}
