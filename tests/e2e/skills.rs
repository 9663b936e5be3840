//! Every case of the skills that ship, through the server as a client meets it.
//!
//! A case is a file of `skills/NAME/tests/`: the call, what was granted, the
//! files and pages around it, and the answer that is expected, whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::client::Answer;
use crate::host::{Home, Server};
use crate::web::{Page, Web};

/// Cases that a skill has at the least.
const FEWEST_CASES: usize = 8;

/// The keys of a case, and those of what it expects; any other would be a slip that tests nothing.
const KEYS: [&str; 7] = ["about", "tool", "arguments", "files", "grant", "server", "expect"];
const EXPECTED: [&str; 4] = ["output", "error", "error_contains", "files"];

#[test]
fn calculate() {
    run_cases("calculate");
}

#[test]
fn datetime() {
    run_cases("datetime");
}

#[test]
fn files() {
    run_cases("files");
}

#[test]
fn http_fetch() {
    run_cases("http-fetch");
}

#[test]
fn json_query() {
    run_cases("json-query");
}

#[test]
fn markdown() {
    run_cases("markdown");
}

#[test]
fn table_query() {
    run_cases("table-query");
}

#[test]
fn text() {
    run_cases("text");
}

#[test]
fn every_skill_that_ships_has_its_test_above() {
    let mut shipped = Vec::new();
    for entry in fs::read_dir(source("")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join("Cargo.toml").is_file() && folder.join("skill.toml").is_file() {
            shipped.push(folder.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    let this = include_str!("skills.rs");
    for name in &shipped {
        assert!(this.contains(&format!("run_cases(\"{name}\")")), "no test runs the cases of {name}");
    }
    assert_eq!(shipped.len(), 8, "{shipped:?}");
}

#[test]
fn every_role_ships_as_a_prompt() {
    let home = Home::new();
    for role in ["coder", "researcher", "analyst", "writer"] {
        home.skill(role);
    }
    let server = home.serve();
    for role in ["coder", "researcher", "analyst", "writer"] {
        let of_role = format!("/v1/skills/bailiwick/{role}");
        let prompt = server.post(&format!("{of_role}/prompts/{role}"), &json!({})).ok();
        assert!(prompt["messages"][0]["text"].as_str().unwrap().contains("# "), "{prompt}");
        let resources = server.get(&format!("{of_role}/resources")).ok();
        assert_eq!(resources["resources"].as_array().unwrap().len(), 2, "{resources}");
        home.run(&["check", &format!("skills/{role}")]).expect(0);
    }
}

/// One skill on a server of its own, and what surrounds its cases.
struct Stage {
    server: Server,
    home: Home,
    web: Web,
    skill: String,
    /// Options that accept every risk of the skill: its cases are of what it does, not of approvals.
    risks: Vec<String>,
    /// What was granted last.
    granted: Option<Vec<String>>,
}

fn run_cases(name: &str) {
    let cases = read_cases(name);
    assert!(cases.len() >= FEWEST_CASES, "{name} has {} cases", cases.len());
    let mut stage = Stage::new(name);
    stage.check_coverage(&cases);
    let mut failures = Vec::new();
    for (file, case) in &cases {
        if let Err(difference) = stage.run(case) {
            let about = case["about"].as_str().unwrap_or("(without a word about it)");
            failures.push(format!("{file}: {about}\n{difference}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases fail:\n\n{}", failures.len(), cases.len(), failures.join("\n\n"));
}

fn read_cases(name: &str) -> BTreeMap<String, Value> {
    let mut cases = BTreeMap::new();
    let folder = source(name).join("tests");
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let case: Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"));
        check_keys(&file, &case, &KEYS);
        check_keys(&file, &case["expect"], &EXPECTED);
        cases.insert(file, case);
    }
    cases
}

fn check_keys(file: &str, object: &Value, known: &[&str]) {
    for key in object.as_object().unwrap_or_else(|| panic!("{file}: not an object: {object}")).keys() {
        assert!(known.contains(&key.as_str()), "{file}: unknown key {key}");
    }
}

impl Stage {
    fn new(name: &str) -> Self {
        let home = Home::new();
        home.skill(name);
        let server = home.serve();
        let skill = format!("bailiwick/{name}");
        let detail = server.get(&format!("/v1/skills/{skill}")).ok();
        let tags: BTreeSet<&str> = tools(&detail).flat_map(|tool| strings(&tool["risk_tags"])).collect();
        let risks = tags.into_iter().flat_map(|tag| ["--accept-risk".to_owned(), tag.to_owned()]).collect();
        Self { server, home, web: Web::with(vec![]), skill, risks, granted: None }
    }

    fn check_coverage(&self, cases: &BTreeMap<String, Value>) {
        let detail = self.server.get(&format!("/v1/skills/{}", self.skill)).ok();
        let called: BTreeSet<&str> = cases.values().filter_map(|case| case["tool"].as_str()).collect();
        for tool in tools(&detail).filter_map(|tool| tool["name"].as_str()) {
            assert!(called.contains(tool), "no case calls {tool}");
        }
    }

    fn run(&mut self, case: &Value) -> Result<(), String> {
        let case = &with_url(case, &self.web.url(""));
        self.web.set(pages(&case["server"]));
        self.make_files(case);
        self.grant(case);
        let tool = case["tool"].as_str().unwrap();
        let answer = self.server.execute(&self.skill, tool, &case["arguments"]);
        compare(&case["expect"], &answer)?;
        self.compare_files(&case["expect"]["files"])
    }

    fn make_files(&self, case: &Value) {
        let guest = self.home.path("guest");
        if guest.exists() {
            fs::remove_dir_all(guest).unwrap();
        }
        let roots = case["grant"]["fs"].as_array().into_iter().flatten().filter_map(|mount| mount["root"].as_str());
        for root in roots {
            fs::create_dir_all(self.host(root)).unwrap();
        }
        for (path, content) in case["files"].as_object().into_iter().flatten() {
            let path = self.host(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content.as_str().unwrap()).unwrap();
        }
    }

    /// The host's folder or file for the guest's. A grant is of a path, and so
    /// holds on where a folder is made anew.
    fn host(&self, guest: &str) -> PathBuf {
        self.home.path("guest").join(guest.strip_prefix('/').unwrap())
    }

    /// Grants what the case says, unless that is what was granted last.
    fn grant(&mut self, case: &Value) {
        let mut arguments = self.risks.clone();
        for mount in case["grant"]["fs"].as_array().into_iter().flatten() {
            let (root, access) = (mount["root"].as_str().unwrap(), mount["access"].as_str().unwrap());
            let short = if access == "read-write" { "rw" } else { "ro" };
            let host = self.host(root);
            arguments.extend(["--fs".to_owned(), format!("{}:{root}:{short}", host.display())]);
        }
        if case["server"].is_object() {
            arguments.extend(["--http".to_owned(), self.web.url("")]);
        }
        if self.granted.as_ref() == Some(&arguments) {
            return;
        }
        let options: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.server.regrant(&self.home, &self.skill, &options);
        self.granted = Some(arguments);
    }

    fn compare_files(&self, expected: &Value) -> Result<(), String> {
        for (path, content) in expected.as_object().into_iter().flatten() {
            let found = fs::read(self.host(path)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            match found {
                Ok(found) if Some(found.as_str()) == content.as_str() => {}
                found => return Err(format!("  {path}: expected {content}\n  found {found:?}")),
            }
        }
        Ok(())
    }
}

fn compare(expected: &Value, answer: &Answer) -> Result<(), String> {
    let found = answer.json();
    let (key, found) = match answer.status {
        200 => ("output", found["output"].clone()),
        _ if found["code"] == "tool-failed" => ("error", found["failure"].clone()),
        // The host's own refusal, in place of the tool's.
        _ => ("error", json!({ found["code"].as_str().unwrap_or("?"): found["detail"] })),
    };
    let object = expected.as_object().unwrap();
    let (wanted, value) = object.iter().find(|(key, _)| *key != "files").ok_or("  expects no answer")?;
    let same = match (wanted.as_str(), key) {
        ("error_contains", "error") => says(&found, value.as_str().unwrap_or_default()),
        (wanted, key) => wanted == key && *value == found,
    };
    let problem = || format!("  expected {wanted}: {value}\n  found    {key}: {found}");
    if same { Ok(()) } else { Err(problem()) }
}

/// Whether a text or the name of a case has `part` in it.
fn says(value: &Value, part: &str) -> bool {
    match value {
        Value::String(text) => text.contains(part),
        Value::Array(items) => items.iter().any(|item| says(item, part)),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains(part) || says(value, part)),
        _ => false,
    }
}

/// The case with the address of its server in all texts.
fn with_url(value: &Value, url: &str) -> Value {
    match value {
        Value::String(text) => json!(text.replace("{server}", url)),
        Value::Array(items) => items.iter().map(|item| with_url(item, url)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), with_url(value, url))).collect(),
        other => other.clone(),
    }
}

fn pages(server: &Value) -> Vec<(String, Page)> {
    let page = |(path, page): (&String, &Value)| {
        let headers = page["headers"].as_object().into_iter().flatten();
        let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        let status = u16::try_from(page["status"].as_u64().unwrap()).unwrap();
        (path.clone(), (status, headers.collect(), page["body"].as_str().unwrap().to_owned()))
    };
    server.as_object().into_iter().flatten().map(page).collect()
}

fn tools(detail: &Value) -> impl Iterator<Item = &Value> {
    detail["tools"].as_array().into_iter().flatten()
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn source(skill: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../skills").join(skill)
}
