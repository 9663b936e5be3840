//! `skill.toml`: the input is its text.

use std::sync::LazyLock;

use bailiwick_domain::authority::HttpRule;
use bailiwick_domain::manifest::{Kind, SkillManifest};
use bailiwick_skills::package::{LoadOptions, Problem, fuzzing, manifest_schema};
use jsonschema::Validator;
use serde_json::Value;

/// The schema that editors have, as a validator that shares nothing with the code that reads manifests.
static PUBLISHED: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&manifest_schema()).expect("the published schema is one"));

/// A manifest with what was forgiven, or what is wrong.
type Reading = Result<(SkillManifest, Vec<Problem>), Vec<Problem>>;

/// Reads a manifest in both modes and holds the two against each other, the
/// published schema, and what the domain says of a manifest.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let [strict, lenient] = [true, false].map(|strict| read(text, strict, true));
    for reading in [&strict, &lenient] {
        every_problem_can_be_found(text, reading);
    }
    match (&strict, &lenient) {
        (Ok((manifest, forgiven)), _) => {
            assert!(forgiven.is_empty(), "strict mode forgave {forgiven:?}");
            assert_eq!(strict, lenient, "lenient mode reads something else than strict mode");
            manifest_is_sound(manifest);
            the_schema_takes(text);
        }
        (Err(problems), Ok((manifest, forgiven))) => {
            assert_eq!(problems, forgiven, "what is forgiven is not what strict mode refuses");
            manifest_is_sound(manifest);
        }
        (Err(problems), Err(_)) => assert!(!problems.is_empty(), "refused, and nobody knows why"),
    }
    for (strict, with) in [(true, &strict), (false, &lenient)] {
        shells_are_only_for_hosts_that_allow_them(with, &read(text, strict, false));
    }
}

fn read(text: &str, strict: bool, allow_shell: bool) -> Reading {
    fuzzing::manifest(text, LoadOptions { strict, allow_shell })
}

fn every_problem_can_be_found(text: &str, reading: &Reading) {
    let (Ok((_, problems)) | Err(problems)) = reading;
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in problems {
        let (line, column) = (problem.position.line, problem.position.column);
        let characters = line.checked_sub(1).and_then(|line| lines.get(line)).map(|line| line.chars().count());
        let characters = characters.unwrap_or_else(|| panic!("there is no line {line}: {problem}"));
        assert!((1..=characters + 1).contains(&column), "line {line} has no column {column}: {problem}");
        let said = problem.to_string();
        assert!(!problem.message.is_empty() && !said.contains(char::is_control), "not to be printed: {said:?}");
        assert!(said.chars().count() < 5000, "a message of {} characters", said.chars().count());
    }
}

fn shells_are_only_for_hosts_that_allow_them(with: &Reading, without: &Reading) {
    match (with, without) {
        (Ok((manifest, _)), _) if manifest.permissions.shell.is_empty() => {
            assert_eq!(with, without, "a manifest without commands is read differently where there are no shells");
        }
        (_, Ok((manifest, _))) => panic!("commands without a shell: {:?}", manifest.permissions.shell),
        (_, Err(_)) => {}
    }
}

/// What the domain takes for granted of a manifest that was accepted.
fn manifest_is_sound(manifest: &SkillManifest) {
    let permissions = &manifest.permissions;
    assert_eq!(manifest.kind == Kind::Prompt, manifest.component.is_none(), "{:?}", manifest.kind);
    let overrides = manifest.tools.values().flat_map(|tool| tool.input_schema.iter().chain(&tool.output_schema));
    for path in manifest.component.iter().chain(overrides) {
        let parts = path.to_str().expect("it was text").split('/');
        assert!(parts.clone().all(|part| !matches!(part, "" | "." | "..")), "{} leads out", path.display());
    }
    for (index, one) in permissions.fs.iter().enumerate() {
        for other in permissions.fs.iter().skip(index + 1) {
            let (one, other) = (format!("{}/", one.root), format!("{}/", other.root));
            assert!(!one.starts_with(&other) && !other.starts_with(&one), "{one} and {other} overlap");
        }
        assert!(one.root.as_str().starts_with('/') && !one.root.as_str().contains("/.."), "{}", one.root);
    }
    permissions.http.iter().for_each(rule_is_sound);
    assert!(permissions.http_deny.iter().all(|rule| !rule.ports.contains(&0)));
    let limits = format!("{:?}", manifest.limits);
    assert!(!limits.contains("Some(0"), "a limit that leaves nothing: {limits}");
}

fn rule_is_sound(rule: &HttpRule) {
    assert!(!rule.schemes.is_empty() && !rule.methods.is_empty(), "a rule that allows nothing: {rule:?}");
    assert!(!rule.ports.contains(&0), "no port: {rule:?}");
    assert!(rule.methods.iter().all(|method| !method.contains(|c: char| c.is_ascii_lowercase() || c.is_whitespace())));
}

/// Whoever writes a manifest by the schema writes at least what is accepted here.
fn the_schema_takes(text: &str) {
    let table: toml::Table = text.parse().expect("what was accepted is TOML");
    let document = to_json(toml::Value::Table(table));
    if let Err(error) = PUBLISHED.validate(&document) {
        panic!("accepted, and not by the published schema: {}: {error}", error.instance_path());
    }
}

fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, to_json(value))).collect(),
    }
}
