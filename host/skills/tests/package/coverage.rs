//! Every key that is read is enforced: it has a case that is refused because of
//! it, and its value arrives in the domain's manifest.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use bailiwick_domain::authority::{Access, CommandRule, FsRequest, HostPattern, HttpDeny, HttpRule, Scheme};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::manifest::{Build, Kind, Language, Permissions, SkillManifest, ToolOverride};
use bailiwick_domain::quota::{QuotaRequest, StateRequest};
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::package::manifest_schema;
use serde_json::{Map, Value};

use crate::cases::{cases, tests_folder};
use crate::manifests::load_case;

/// The dotted paths of all keys in a schema: `tools.*.description`, `permissions.http[].host`.
fn keys_of_schema(schema: &Value, path: &str, keys: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        keys_of_schema(property, &inner, keys);
        keys.insert(inner);
    }
    if schema["items"].is_object() {
        keys_of_schema(&schema["items"], &format!("{path}[]"), keys);
    }
    if schema["additionalProperties"].is_object() {
        keys_of_schema(&schema["additionalProperties"], &format!("{path}.*"), keys);
    }
}

fn all_keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    keys_of_schema(&manifest_schema(), "", &mut keys);
    assert!(keys.contains("permissions.http[].host") && keys.contains("tools.*.description"), "{keys:?}");
    keys
}

/// The keys that a file of expectations complains of, in the form of `keys_of_schema`.
fn refused_keys(expected: &str) -> BTreeSet<String> {
    let key = |line: &str| line.strip_prefix("skill.toml:")?.split(": ").nth(1).map(general);
    expected.lines().filter_map(key).collect()
}

/// `tools.add.risk_tags[3]` is one of `tools.*.risk_tags`.
fn general(key: &str) -> String {
    let mut out = String::new();
    let mut in_index = false;
    for c in key.chars() {
        match c {
            '[' => in_index = true,
            ']' => in_index = false,
            _ if in_index => continue,
            _ => {}
        }
        out.push(c);
    }
    let out = out.strip_suffix("[]").unwrap_or(&out);
    match out.strip_prefix("tools.").map(|rest| rest.split_once('.')) {
        Some(Some((_, key))) => format!("tools.*.{key}"),
        Some(None) => "tools.*".to_owned(),
        None => out.to_owned(),
    }
}

#[test]
fn every_key_has_a_case_that_is_refused_because_of_it() {
    let read = |case: crate::cases::Case| fs::read_to_string(case.path.with_extension("expected")).unwrap_or_default();
    let refused: BTreeSet<String> =
        cases("manifests/invalid", "toml").into_iter().flat_map(|case| refused_keys(&read(case))).collect();
    let unenforced: Vec<String> = all_keys().into_iter().filter(|key| !refused.contains(key)).collect();
    assert!(unenforced.is_empty(), "no invalid case names {unenforced:?}");
}

/// The dotted paths of all keys in a manifest.
fn keys_of_value(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(table) => keys_of_table(table, path, keys),
        Value::Array(entries) => entries.iter().for_each(|entry| keys_of_value(entry, &format!("{path}[]"), keys)),
        _ => {}
    }
}

fn keys_of_table(table: &Map<String, Value>, path: &str, keys: &mut BTreeSet<String>) {
    for (name, value) in table {
        let inner = match path {
            "" => name.clone(),
            "tools" => "tools.*".to_owned(),
            path => format!("{path}.{name}"),
        };
        keys_of_value(value, &inner, keys);
        keys.insert(inner);
    }
}

#[test]
fn the_full_manifest_has_every_key_and_each_arrives() {
    let path = tests_folder().join("manifests/valid/full.toml");
    let text = fs::read_to_string(&path).expect("the case is there");
    let mut keys = BTreeSet::new();
    keys_of_value(&toml::from_str(&text).expect("TOML"), "", &mut keys);
    keys.remove("tools.*");
    assert_eq!(keys, all_keys());
    let (_folder, loaded) = load_case(&crate::cases::Case { path, text });
    let package = loaded.expect("valid");
    assert_eq!(package.manifest, full());
    let schema = package.schemas.get(std::path::Path::new("schemas/narrow.json")).expect("read");
    assert_eq!(schema, &serde_json::json!({ "type": "object" }));
}

/// What `full.toml` says.
fn full() -> SkillManifest {
    let text = |text: &str| text.to_owned();
    let tool = ToolOverride {
        description: Some(text("Adds a note.")),
        input_schema: Some("schemas/narrow.json".into()),
        output_schema: Some("schemas/narrow.json".into()),
        risk_tags: Some([text("destructive")].into()),
        idempotent: Some(false),
    };
    let quota = QuotaRequest { max_bytes: Some(10 << 20), max_files: Some(100) };
    let rule = HttpRule {
        host: HostPattern::Name(text("api.example.com")),
        schemes: vec![Scheme::Http, Scheme::Https],
        ports: vec![8080, 8443],
        methods: vec![text("GET"), text("POST")],
        paths: vec!["/v1".parse().expect("a path"), "/v2/*/items".parse().expect("a path")],
    };
    let deny = HttpDeny {
        host: "10.0.0.0/8".parse().expect("a block"),
        schemes: vec![Scheme::Http],
        ports: vec![8080],
        methods: vec![text("DELETE")],
        paths: vec!["/v1/admin/**".parse().expect("a path")],
    };
    SkillManifest {
        id: "demo/note".parse().expect("an id"),
        version: "1.2.3-beta.1+build.5".parse().expect("a version"),
        kind: Kind::Workflow,
        component: Some("skill.wasm".into()),
        tools: [(text("add-note"), tool)].into(),
        permissions: Permissions {
            fs: vec![FsRequest { root: "/work".parse().expect("a path"), access: Access::ReadWrite, quota }],
            http: vec![rule],
            http_deny: vec![deny],
            workspace: Some(QuotaRequest { max_bytes: Some(5 << 20), max_files: Some(50) }),
            state: Some(StateRequest { max_bytes: Some(1 << 20), max_keys: Some(7) }),
            config: [text("region")].into(),
            secrets: [text("github_token")].into(),
            skills: vec![SkillSelector::within("demo/clock".parse().expect("an id"), "^1.2").expect("a range")],
            models: vec![text("small"), text("large")],
            shell: vec![CommandRule::beginning(vec![text("git"), text("status")]).expect("a command")],
        },
        risk_tags: [text("external_side_effect")].into(),
        idempotent: true,
        limits: LimitsRequest {
            memory_bytes: Some(32 << 20),
            deadline: Some(Duration::from_millis(1500)),
            fuel: Some(1_000_000),
            output_bytes: Some(64 << 10),
            table_elements: Some(5000),
            instances: Some(20),
            host_calls: Some(300),
            input_bytes: Some(2 << 20),
            skill_calls: Some(20),
            model_calls: Some(10),
            model_tokens: Some(20_000),
            http_requests: Some(30),
            http_sent_bytes: Some(3 << 20),
            http_received_bytes: Some(4 << 20),
            log_bytes: Some(8 << 10),
            random_bytes: Some(256),
            concurrency: Some(4),
        },
        model_preferences: vec![text("large"), text("small")],
        build: Some(Build { language: Language::JavaScript, source: Some("source/skill.ts".into()) }),
    }
}
