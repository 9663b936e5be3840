//! The mapping from types to schemas, spelled out.

use bailiwick_domain::wit::{Answer, Case, Field, ToolSignature, WitType};
use bailiwick_skills::schema::{failure_schema, input_schema, output_schema};
use serde_json::{Value, json};

use crate::types::{case, enumeration, field, flags, list, option, record, result, tool, tool_that_answers, variant};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a type, without its dialect.
fn of(ty: WitType) -> Value {
    let mut schema = output_schema(&tool_that_answers(ty));
    let dialect = schema.as_object_mut().and_then(|schema| schema.shift_remove("$schema"));
    assert_eq!(dialect, Some(json!(DIALECT)));
    schema
}

#[test]
fn scalars() {
    let integer = |minimum: i64, maximum: i64| json!({ "type": "integer", "minimum": minimum, "maximum": maximum });
    assert_eq!(of(WitType::Bool), json!({ "type": "boolean" }));
    assert_eq!(of(WitType::S8), integer(-128, 127));
    assert_eq!(of(WitType::U8), integer(0, 255));
    assert_eq!(of(WitType::S16), integer(-32768, 32767));
    assert_eq!(of(WitType::U16), integer(0, 65535));
    assert_eq!(of(WitType::S32), integer(-2_147_483_648, 2_147_483_647));
    assert_eq!(of(WitType::U32), integer(0, 4_294_967_295));
    assert_eq!(of(WitType::String), json!({ "type": "string" }));
    assert_eq!(of(WitType::Char), json!({ "type": "string", "minLength": 1, "maxLength": 1 }));
    let float = json!({ "anyOf": [{ "type": "number" }, { "enum": ["NaN", "Infinity", "-Infinity"] }] });
    assert_eq!(of(WitType::F32), float);
    assert_eq!(of(WitType::F64), float);
}

#[test]
fn wide_integers_keep_every_digit() {
    let signed = r#"{"anyOf":[{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807},{"type":"string","pattern":"^-?[0-9]{1,20}$"}]}"#;
    let unsigned = r#"{"anyOf":[{"type":"integer","minimum":0,"maximum":18446744073709551615},{"type":"string","pattern":"^[0-9]{1,20}$"}]}"#;
    assert_eq!(of(WitType::S64).to_string(), signed);
    assert_eq!(of(WitType::U64).to_string(), unsigned);
}

#[test]
fn lists_tuples_and_options() {
    assert_eq!(of(list(WitType::U8)), json!({ "type": "string", "contentEncoding": "base64" }));
    assert_eq!(of(list(WitType::Bool)), json!({ "type": "array", "items": { "type": "boolean" } }));
    assert_eq!(
        of(WitType::Tuple(vec![WitType::Bool, WitType::String])),
        json!({
            "type": "array", "prefixItems": [{ "type": "boolean" }, { "type": "string" }], "items": false,
            "minItems": 2, "maxItems": 2,
        })
    );
    assert_eq!(of(option(WitType::Bool)), json!({ "anyOf": [{ "type": "boolean" }, { "type": "null" }] }));
    let some = json!({
        "type": "object", "properties": { "some": { "anyOf": [{ "type": "boolean" }, { "type": "null" }] } },
        "required": ["some"], "additionalProperties": false,
    });
    assert_eq!(of(option(option(WitType::Bool))), json!({ "anyOf": [some, { "type": "null" }] }));
}

#[test]
fn records_require_what_is_not_optional() {
    let ty = record(vec![field("b", WitType::Bool), field("a", option(WitType::String)), field("c", WitType::Bool)]);
    let schema = of(ty);
    assert_eq!(
        schema,
        json!({
            "type": "object",
            "properties": {
                "b": { "type": "boolean" },
                "a": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                "c": { "type": "boolean" },
            },
            "required": ["b", "c"],
            "additionalProperties": false,
        })
    );
    let order: Vec<&String> = schema["properties"].as_object().expect("an object").keys().collect();
    assert_eq!(order, ["b", "a", "c"]);
}

#[test]
fn variants_enums_flags_and_results() {
    let payload = |key: &str, schema: Value| json!({ "type": "object", "properties": { key: schema }, "required": [key], "additionalProperties": false });
    assert_eq!(
        of(variant(vec![case("none", None), case("at-most", Some(WitType::Bool))])),
        json!({ "oneOf": [{ "const": "none" }, payload("at-most", json!({ "type": "boolean" }))] })
    );
    assert_eq!(of(enumeration(&["up", "down"])), json!({ "type": "string", "enum": ["up", "down"] }));
    assert_eq!(
        of(flags(&["read", "write"])),
        json!({ "type": "array", "items": { "type": "string", "enum": ["read", "write"] }, "uniqueItems": true })
    );
    assert_eq!(
        of(result(Some(WitType::String), None)),
        json!({ "oneOf": [payload("ok", json!({ "type": "string" })), payload("err", json!({ "type": "null" }))] })
    );
}

fn documented(ty: WitType, docs: &str) -> Field {
    Field { name: "x".to_owned(), ty, docs: Some(docs.to_owned()) }
}

fn documented_case(name: &str, ty: Option<WitType>, docs: &str) -> Case {
    Case { name: name.to_owned(), ty, docs: Some(docs.to_owned()) }
}

#[test]
fn documentation_becomes_descriptions() {
    let kind = WitType::Enum {
        docs: Some("Which way.".to_owned()),
        cases: vec![documented_case("up", None, "Away from the ground."), case("down", None)],
    };
    let signature = ToolSignature {
        docs: Some("Moves the thing.\n".to_owned()),
        ..tool(vec![documented(kind, "Where to."), field("fast", WitType::Bool)], Answer::Value(None))
    };
    let schema = input_schema(&signature);
    assert_eq!(schema["description"], "Moves the thing.");
    assert_eq!(schema["properties"]["x"]["description"], "Where to.\n\nWhich way.\n\n- `up`: Away from the ground.");
    assert_eq!(schema["properties"]["fast"].get("description"), None);
    let cases = WitType::Variant {
        docs: None,
        cases: vec![
            documented_case("all", None, "Everything."),
            documented_case("some", Some(WitType::U8), "So many."),
        ],
    };
    let schema = of(cases);
    assert_eq!(schema["oneOf"][0], json!({ "const": "all", "description": "Everything." }));
    assert_eq!(schema["oneOf"][1]["description"], "So many.");
}

#[test]
fn arguments_outputs_and_failures() {
    let none = tool(Vec::new(), Answer::Value(None));
    let empty = json!({ "$schema": DIALECT, "type": "object", "properties": {}, "required": [], "additionalProperties": false });
    assert_eq!(input_schema(&none), empty);
    assert_eq!(output_schema(&none), json!({ "$schema": DIALECT, "type": "null" }));
    assert_eq!(failure_schema(&none), None);
    let fallible = tool(Vec::new(), Answer::Fallible { ok: Some(WitType::Bool), err: Some(WitType::String) });
    assert_eq!(output_schema(&fallible)["type"], "boolean");
    assert_eq!(failure_schema(&fallible).expect("it can fail")["type"], "string");
    let silent = tool(Vec::new(), Answer::Fallible { ok: None, err: None });
    assert_eq!(failure_schema(&silent).expect("it can fail")["type"], "null");
}
