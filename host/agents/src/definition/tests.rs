mod cases;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_domain::model::Usd;
use bailiwick_domain::run::{Disclosure, FailurePolicy};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{AgentDefinition, AgentLimits, DefinitionError, MAX_INSTRUCTIONS, MAX_OUTPUT_SCHEMA, is_name, read_file};

/// A definition with every key.
const FULL: &str = r#"
name = "researcher"
description = "Finds things out."
instructions = "Look it up.\nSay where it stands."
models = ["large", "small"]
skills = ["bailiwick/http-fetch", "demo/notes@^1.2", "demo/calc@1.2.3"]
capabilities = ["web", "summary"]
disclosure = "all"
max_tokens = 2000
temperature = 0.7
can_delegate = false

[limits]
max_steps = 12
tokens = 50000
usd = 0.07
fuel = 1000000
wall = "90 s"
host_calls = 500

[on_failure]
retries = 2
fallback = "writer"
ask = true

[output_schema]
type = "object"
required = ["title"]

[output_schema.properties.title]
type = "string"
"#;

fn full() -> AgentDefinition {
    AgentDefinition {
        name: "researcher".to_owned(),
        description: "Finds things out.".to_owned(),
        instructions: "Look it up.\nSay where it stands.".to_owned(),
        models: vec!["large".to_owned(), "small".to_owned()],
        skills: ["bailiwick/http-fetch", "demo/notes@^1.2", "demo/calc@=1.2.3"]
            .map(|selector| selector.parse().expect("a selector"))
            .to_vec(),
        capabilities: vec!["web".to_owned(), "summary".to_owned()],
        disclosure: Disclosure::All,
        max_tokens: Some(2000),
        temperature_milli: Some(700),
        can_delegate: false,
        limits: AgentLimits {
            max_steps: 12,
            tokens: Some(50_000),
            usd: Some(Usd::from_nanos(70_000_000)),
            fuel: Some(1_000_000),
            wall: Some(Duration::from_secs(90)),
            host_calls: Some(500),
        },
        on_failure: FailurePolicy { retries: 2, fallback: Some("writer".to_owned()), ask: true },
        output_schema: Some(titled()),
    }
}

fn titled() -> Value {
    json!({ "type": "object", "required": ["title"], "properties": { "title": { "type": "string" } } })
}

fn parse(text: &str) -> Result<AgentDefinition, DefinitionError> {
    AgentDefinition::from_toml(text, Path::new("agents/researcher.toml"))
}

/// A definition with nothing but what must be there.
fn small() -> Value {
    json!({ "name": "a", "description": "Does.", "instructions": "Do.", "models": ["m"] })
}

#[test]
fn a_file_and_its_json_say_the_same() {
    let definition = parse(FULL).expect("it is valid");
    assert_eq!(definition, full());
    let json = definition.to_json();
    assert_eq!(
        json,
        json!({
            "name": "researcher",
            "description": "Finds things out.",
            "instructions": "Look it up.\nSay where it stands.",
            "models": ["large", "small"],
            "skills": ["bailiwick/http-fetch", "demo/notes@^1.2", "demo/calc@=1.2.3"],
            "capabilities": ["web", "summary"],
            "disclosure": "all",
            "max_tokens": 2000,
            "temperature": 0.7,
            "can_delegate": false,
            "limits": {
                "max_steps": 12,
                "tokens": 50_000,
                "usd": 0.07,
                "fuel": 1_000_000,
                "wall": "90 s",
                "host_calls": 500,
            },
            "on_failure": { "retries": 2, "fallback": "writer", "ask": true },
            "output_schema": titled(),
        })
    );
    let text: Value = serde_json::from_str(&json.to_string()).expect("it is JSON");
    let again = AgentDefinition::from_json(&text).expect("it is valid");
    assert_eq!(again, definition);
    assert_eq!(again.digest(), definition.digest());
    let other = AgentDefinition { max_tokens: None, ..definition.clone() };
    assert_ne!(other.digest(), definition.digest());
}

#[test]
fn what_is_absent_has_a_default() {
    let definition = AgentDefinition::from_json(&small()).expect("it is valid");
    assert_eq!(definition.limits, AgentLimits::default());
    assert_eq!(definition.limits.max_steps, 32);
    assert_eq!(definition.disclosure, Disclosure::Progressive);
    assert!(definition.skills.is_empty() && definition.capabilities.is_empty());
    assert_eq!((definition.max_tokens, definition.temperature_milli), (None, None));
    assert!(definition.can_delegate);
    assert_eq!((&definition.on_failure, &definition.output_schema), (&FailurePolicy::default(), &None));
    assert_eq!(AgentDefinition::from_json(&definition.to_json()), Ok(definition));
}

#[test]
fn a_part_of_what_follows_on_a_failure_is_enough() {
    let mut value = small();
    value["on_failure"] = json!({ "ask": true });
    let definition = AgentDefinition::from_json(&value).expect("it is valid");
    assert_eq!(definition.on_failure, FailurePolicy { ask: true, ..FailurePolicy::default() });
    value["on_failure"] = json!({ "retries": 5 });
    let most = AgentDefinition::from_json(&value).expect("it is valid");
    assert_eq!(most.on_failure.retries, 5);
    assert_ne!(most.digest(), definition.digest());
}

#[test]
fn a_schema_may_be_a_text_with_its_json() {
    let table = parse(FULL).expect("it is valid").output_schema;
    let mut value = small();
    value["output_schema"] = Value::from(titled().to_string());
    let definition = AgentDefinition::from_json(&value).expect("it is valid");
    assert_eq!(definition.output_schema, table);
    let text = "name = \"researcher\"\ndescription = \"Does.\"\ninstructions = \"Do.\"\nmodels = [\"m\"]\n";
    let file = parse(&format!("{text}output_schema = '{}'\n", titled())).expect("it is valid");
    assert_eq!(file.output_schema, table);
    // One byte more than may be is refused; so many are not.
    let sized = |size: usize| {
        let empty = json!({ "description": "" }).to_string().len();
        let mut value = small();
        value["output_schema"] = json!({ "description": "x".repeat(size - empty) });
        AgentDefinition::from_json(&value)
    };
    assert!(sized(MAX_OUTPUT_SCHEMA).is_ok());
    let error = sized(MAX_OUTPUT_SCHEMA + 1).expect_err("it is too large").to_string();
    assert!(
        error.starts_with("output_schema: found a table, which has 65537 bytes, expected a JSON Schema"),
        "{error}"
    );
}

#[test]
fn a_schema_that_can_not_be_used_is_refused_with_the_reason() {
    for (schema, reason) in [
        (json!({ "type": "strnig" }), "which can't be used: "),
        (json!({ "$ref": "https://example.com/other.json" }), "which can't be used: "),
        (json!({ "properties": { "a": { "$ref": "other.json" } } }), "which can't be used: "),
        (json!({ "pattern": "^(?!a)" }), "which can't be used: "),
        (json!("{"), "which is not JSON: "),
        (json!("[1]"), "which is no object, "),
        (json!(true), "which is no object, "),
    ] {
        let mut value = small();
        value["output_schema"] = schema.clone();
        let error = AgentDefinition::from_json(&value).expect_err("it can't be used").to_string();
        assert!(error.starts_with("output_schema: found ") && error.contains(reason), "{schema}: {error}");
    }
}

#[test]
fn json_has_no_instructions_file() {
    let mut value = small();
    value["instructions_file"] = json!("a.md");
    let error = AgentDefinition::from_json(&value).expect_err("it is a key of files").to_string();
    assert!(
        error.starts_with("instructions_file: found an unknown key with the text `a.md`, expected one of"),
        "{error}"
    );
    let error = AgentDefinition::from_json(&json!([1])).expect_err("no object").to_string();
    assert_eq!(error, "found a list of 1 entry, expected an object");
}

#[test]
fn all_problems_are_told_at_once() {
    let error = parse("name = 1\nmodels = 2\n").expect_err("it is not valid");
    let DefinitionError::Invalid { problems, .. } = &error else { panic!("{error}") };
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["name", "description", "instructions", "models"]);
    assert_eq!(error.to_string().lines().count(), 4);
}

#[test]
fn a_flood_of_problems_is_cut() {
    let keys: Vec<String> = (0..10_000).map(|number| format!("key{number} = 1\n")).collect();
    let keys = keys.concat();
    let error = parse(&keys).expect_err("it is not valid");
    assert_eq!(error.to_string().lines().count(), 20);
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let error = parse("name = \"researcher\"\nmodels = [\n").expect_err("it is not TOML");
    assert!(matches!(error, DefinitionError::Syntax { line: 2.., .. }), "{error}");
    assert!(error.to_string().starts_with("agents/researcher.toml:"), "{error}");
}

#[test]
fn names_are_words_with_hyphens() {
    for good in ["a", "a1", "web-search", &"a".repeat(64)] {
        assert!(is_name(good), "{good}");
    }
    for bad in ["", "1a", "-a", "a-", "a--b", "A", "a_b", "ä", "a b", &"a".repeat(65)] {
        assert!(!is_name(bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn amounts_are_read_as_they_were_written(
        nanos in 1_u64..=1_000_000_000_000_000,
        milli in 0_u32..=2000,
        millis in 1_u64..=2_592_000_000,
    ) {
        let mut definition = AgentDefinition::from_json(&small()).expect("it is valid");
        definition.temperature_milli = Some(milli);
        definition.limits.usd = Some(Usd::from_nanos(nanos));
        definition.limits.wall = Some(Duration::from_millis(millis));
        let text = definition.to_json().to_string();
        let value: Value = serde_json::from_str(&text).expect("it is JSON");
        prop_assert_eq!(AgentDefinition::from_json(&value), Ok(definition));
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,200}", value in "[a-z_]{1,12} = [-0-9a-z.\\[\\]\"{}]{0,20}") {
        // Whatever comes of it.
        drop(parse(&text));
        drop(parse(&value));
    }
}

/// A folder of agents with one that names the file `named`, and what comes of reading it.
fn read_with(folder: &TempDir, named: &str) -> Result<AgentDefinition, String> {
    let file = agents(folder).join("a.toml");
    let rest = "name = \"a\"\ndescription = \"Does.\"\nmodels = [\"m\"]\n";
    fs::write(&file, format!("{rest}instructions_file = {}\n", json!(named))).expect("the file is written");
    let shown = format!("{}: ", file.display());
    let read = read_file(&file);
    read.definition.map_err(|error| error.to_string().strip_prefix(&shown).expect("it names the file").to_owned())
}

fn agents(folder: &TempDir) -> PathBuf {
    folder.path().join("agents")
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    fs::create_dir_all(agents(&folder).join("prompts")).expect("a folder for prompts");
    folder
}

#[test]
fn instructions_may_lie_in_a_file_of_their_own() {
    let folder = folder();
    fs::write(agents(&folder).join("prompts/a.md"), "Do this.\n").expect("the file is written");
    symlink("prompts/a.md", agents(&folder).join("inside.md")).expect("a symlink");
    for named in ["prompts/a.md", "./prompts/a.md", "inside.md"] {
        assert_eq!(read_with(&folder, named).map(|definition| definition.instructions), Ok("Do this.\n".to_owned()));
    }
    let read = read_file(&agents(&folder).join("a.toml"));
    let (watched, stamp) = read.instructions.expect("the file of the instructions is watched");
    assert_eq!(watched, agents(&folder).join("inside.md"));
    assert!(stamp.is_some());
}

#[test]
fn instructions_are_read_only_from_the_agents_own_folder() {
    let folder = folder();
    fs::write(folder.path().join("secret"), "of the host").expect("the file is written");
    symlink(folder.path().join("secret"), agents(&folder).join("out.md")).expect("a symlink");
    fs::write(agents(&folder).join("large.md"), "x".repeat(MAX_INSTRUCTIONS + 1)).expect("the file is written");
    fs::write(agents(&folder).join("binary.md"), [0xff]).expect("the file is written");
    fs::write(agents(&folder).join("blank.md"), " \n").expect("the file is written");
    let path = "the relative path of a file in the agent's folder or below it";
    let file = "a text file in the agent's folder";
    let cases = [
        ("../secret", format!("the text `../secret`, expected {path}")),
        ("/etc/hostname", format!("the text `/etc/hostname`, expected {path}")),
        ("", format!("an empty text, expected {path}")),
        ("out.md", format!("the text `out.md`, which leads out of the folder, expected {file}")),
        ("prompts", format!("the text `prompts`, which is not a regular file, expected {file}")),
        ("large.md", format!("the text `large.md`, which has more than 65536 bytes, expected {file}")),
        ("binary.md", format!("the text `binary.md`, which is not UTF-8, expected {file}")),
    ];
    for (named, expected) in cases {
        assert_eq!(read_with(&folder, named), Err(format!("instructions_file: found {expected}")));
    }
    let error = read_with(&folder, "gone.md").expect_err("there is no such file");
    assert!(error.starts_with("instructions_file: found the text `gone.md`, which can't be found: "), "{error}");
    let error = read_with(&folder, "blank.md").expect_err("it says nothing");
    assert!(error.starts_with("instructions: found the text ` \\u{a}`, expected a text"), "{error}");
}

#[test]
fn what_is_no_file_is_said_so() {
    let folder = folder();
    let path = agents(&folder).join("prompts");
    let error = read_file(&path).definition.expect_err("it is a folder");
    assert_eq!(error.to_string(), format!("can't use `{}`: it is not a regular file", path.display()));
}
