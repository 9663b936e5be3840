//! A component that knows nothing of this host, in a folder with a manifest of a few lines.

use serde_json::{Value, json};

use crate::host::Home;

fn item(id: &str) -> Value {
    json!({
        "id": id,
        "delta": -3,
        "small": [-128, 255, -32768, 65535, -2_147_483_648_i64, 4_294_967_295_u64],
        "name": "kettle",
        "place": { "aisle": "ß", "at": [12.25, 1.5] },
        "material": { "mixture": [["iron", 0.5], ["tin", 0.25]] },
        "urgency": "high",
        "handling": ["fragile", "upright"],
        "note": { "some": "blue" },
        "checked": { "err": "no seal" },
        "sealed": { "ok": null },
        "data": "AAEC/w==",
        "ok": true
    })
}

#[test]
fn a_component_from_elsewhere_is_described_and_runs() {
    let home = Home::new();
    home.guest("foreign", "").grant("tests/foreign", &[]);
    let server = home.serve();
    let detail = server.get("/v1/skills/tests/foreign").ok();
    let names: Vec<_> = detail["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let tool = |name: &str| detail["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap();
    assert!(tool("same")["description"].as_str().unwrap().contains("Gives every item back"));
    let whole = &tool("same")["input_schema"];
    for docs in ["Where a thing lies.", "Metres along the aisle and above the floor.", "Wood, by its age in years."] {
        assert!(whole.to_string().contains(docs), "{docs} is missing in {whole}");
    }
    for tool in detail["tools"].as_array().unwrap() {
        for key in ["input_schema", "output_schema", "failure_schema"] {
            let schema = &tool[key];
            if !schema.is_null() {
                assert!(jsonschema::draft202012::meta::is_valid(schema), "{key}: {schema}");
            }
        }
    }
    let arguments = json!({ "items": [item("18446744073709551615"), item("0")] });
    let valid = |schema: &Value, value: &Value| {
        let validator = jsonschema::draft202012::new(schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    };
    valid(whole, &arguments);
    let output = server.execute("tests/foreign", "same", &arguments).output();
    valid(&tool("same")["output_schema"], &output);
    let mut expected = arguments["items"].clone();
    // A number that fits is written as one.
    expected[1]["id"] = json!(0);
    assert_eq!(output, expected);
    assert_eq!(server.execute("tests/foreign", "version", &json!({})).output(), "2.3.0");
    let weighed = server.execute("tests/foreign", "weigh", &json!({ "items": [item("1")], "factor": 0.5 }));
    assert_eq!(weighed.output(), json!(-1.5));
    let problem =
        server.execute("tests/foreign", "weigh", &json!({ "items": [], "factor": 0.5 })).problem("tool-failed");
    assert_eq!(problem["failure"], "there is nothing to weigh");
    valid(&tool("weigh")["failure_schema"], &problem["failure"]);
}

#[test]
fn what_its_types_forbid_is_forbidden_by_schema_and_host_alike() {
    let home = Home::new();
    home.guest("foreign", "").grant("tests/foreign", &[]);
    let server = home.serve();
    let detail = server.get("/v1/skills/tests/foreign").ok();
    let schema =
        &detail["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == "same").unwrap()["input_schema"];
    let validator = jsonschema::draft202012::new(schema).unwrap();
    for (pointer, wrong) in [
        ("/items/0/small/0", json!(-129)),
        ("/items/0/small/5", json!(4_294_967_296_u64)),
        ("/items/0/delta", json!(1.5)),
        ("/items/0/name", json!(7)),
        ("/items/0/place/aisle", json!("AB")),
        ("/items/0/urgency", json!("urgent")),
        ("/items/0/handling", json!(["fragile", "loud"])),
        ("/items/0/material", json!({ "glass": 1 })),
        ("/items/0/ok", json!(null)),
        ("/items/0/extra", json!(1)),
        ("/items/0/data", json!("not base64!")),
        ("/items", json!({})),
    ] {
        let mut arguments = json!({ "items": [item("1")] });
        set(&mut arguments, pointer, &wrong);
        let problem = server.execute("tests/foreign", "same", &arguments).problem("invalid-arguments");
        let found = problem["errors"][0]["pointer"].as_str().unwrap();
        let parent = pointer.rsplit_once('/').unwrap().0;
        assert!(found.starts_with(&format!("/arguments{parent}")), "{pointer}: {problem}");
        // JSON Schema has no word for base64 that is checked.
        if !pointer.ends_with("data") {
            assert!(!validator.is_valid(&arguments), "{pointer}: the schema takes {wrong}");
        }
    }
}

fn set(value: &mut Value, pointer: &str, to: &Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[last.parse::<usize>().unwrap()] = to.clone(),
        object => object[last] = to.clone(),
    }
}
