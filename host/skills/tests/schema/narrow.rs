//! What an author's schema may say beside the type's, and what it may not.

use bailiwick_domain::wit::{Answer, WitType};
use bailiwick_skills::schema::{check, input_schema};
use serde_json::{Map, Value, json};

use crate::types::{case, enumeration, field, flags, list, option, record, result, tool, variant};

/// The schema of arguments of many kinds.
fn derived() -> Value {
    let nested = record(vec![field("depth", WitType::U8), field("label", option(WitType::String))]);
    input_schema(&tool(
        vec![
            field("small", WitType::U8),
            field("wide", WitType::S64),
            field("ratio", WitType::F64),
            field("text", WitType::String),
            field("letter", WitType::Char),
            field("bytes", list(WitType::U8)),
            field("way", enumeration(&["up", "down"])),
            field("marks", flags(&["read", "write"])),
            field("list", list(nested.clone())),
            field("pair", WitType::Tuple(vec![WitType::U8, WitType::String])),
            field("choice", variant(vec![case("none", None), case("some", Some(nested))])),
            field("outcome", result(Some(WitType::U8), None)),
            field("maybe", option(WitType::U8)),
            field("maybe-twice", option(option(WitType::U8))),
        ],
        Answer::Value(None),
    ))
}

fn property(name: &str, schema: Value) -> Value {
    let mut properties = Map::new();
    properties.insert(name.to_owned(), schema);
    json!({ "properties": properties })
}

fn accepted(author: &Value) {
    assert_eq!(check(&derived(), author), Ok(()), "{author}");
}

/// The pointer and the problem for a schema that doesn't narrow.
fn refused(author: &Value) -> (String, String) {
    let error = check(&derived(), author).expect_err(&author.to_string());
    assert!(author.pointer(&error.pointer).is_some(), "{} leads nowhere in {author}", error.pointer);
    (error.pointer, error.problem)
}

#[test]
fn narrower_schemas_are_accepted() {
    for author in [
        json!(true),
        json!({}),
        json!({ "type": "object", "additionalProperties": false, "minProperties": 1 }),
        property("small", json!({ "minimum": 1, "maximum": 10 })),
        property("small", json!({ "exclusiveMinimum": -1, "exclusiveMaximum": 256 })),
        property("small", json!({ "multipleOf": 5, "minimum": 0.5 })),
        property("small", json!({ "enum": [1, 2, 3] })),
        property("small", json!(false)),
        property("wide", json!({ "type": "integer", "minimum": 0 })),
        property("wide", json!({ "type": "string", "pattern": "^[0-9]$" })),
        property("wide", json!({ "type": ["integer", "string"], "maximum": 5 })),
        property("ratio", json!({ "type": "number", "minimum": 0, "maximum": 1 })),
        property("ratio", json!({ "type": "integer" })),
        property("text", json!({ "minLength": 1, "maxLength": 80, "format": "email", "pattern": "@" })),
        property("letter", json!({ "enum": ["a", "b"] })),
        property("bytes", json!({ "contentEncoding": "base64", "contentMediaType": "image/png" })),
        property("way", json!({ "const": "up" })),
        property("marks", json!({ "minItems": 1, "items": { "enum": ["read"] } })),
        property("list", json!({ "maxItems": 3, "items": { "properties": { "depth": { "maximum": 9 } } } })),
        property("pair", json!({ "prefixItems": [{ "maximum": 9 }, { "minLength": 1 }], "items": false })),
        property("pair", json!({ "items": { "type": ["integer", "string"] } })),
        property("choice", json!({ "const": "none" })),
        property("choice", json!({ "type": "object", "properties": { "some": { "required": ["depth", "label"] } } })),
        property(
            "choice",
            json!({ "oneOf": [{ "const": "none" }, { "properties": { "some": { "type": "object" } } }] }),
        ),
        property("outcome", json!({ "properties": { "ok": { "maximum": 3 } } })),
        property("maybe", json!({ "type": "integer", "maximum": 9 })),
        property("maybe", json!({ "type": ["integer", "null"], "maximum": 9 })),
        property("maybe", json!({ "type": "null" })),
        property("maybe-twice", json!({ "properties": { "some": { "type": "integer", "minimum": 3 } } })),
        json!({ "required": ["maybe"] }),
        json!({ "anyOf": [{ "required": ["maybe"] }, { "required": ["maybe-twice"] }] }),
        json!({ "properties": { "small": { "$ref": "#/$defs/few" } }, "$defs": { "few": { "maximum": 3 } } }),
    ] {
        accepted(&author);
    }
}

#[test]
fn wider_schemas_are_refused_with_their_place() {
    let all: Vec<String> = derived()["required"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect();
    let without_small: Vec<&String> = all.iter().filter(|name| *name != "small").collect();
    for (author, pointer) in [
        (json!({ "type": ["object", "null"] }), "/type"),
        (json!({ "properties": { "smal": {} } }), "/properties/smal"),
        (json!({ "additionalProperties": true }), "/additionalProperties"),
        (json!({ "additionalProperties": { "type": "string" } }), "/additionalProperties"),
        (json!({ "properties": { "small": {} }, "required": without_small }), "/required"),
        (json!({ "required": ["smal"] }), "/required/0"),
        (property("small", json!({ "maximum": 300 })), "/properties/small/maximum"),
        (property("small", json!({ "minimum": -1 })), "/properties/small/minimum"),
        (property("small", json!({ "minimum": 256 })), "/properties/small/minimum"),
        (property("small", json!({ "exclusiveMaximum": 257 })), "/properties/small/exclusiveMaximum"),
        (property("small", json!({ "exclusiveMinimum": -1.5 })), "/properties/small/exclusiveMinimum"),
        (property("small", json!({ "type": "number" })), "/properties/small/type"),
        (property("small", json!({ "enum": [1, 300] })), "/properties/small/enum/1"),
        (property("small", json!({ "const": "1" })), "/properties/small/const"),
        (property("wide", json!({ "type": ["integer", "boolean"] })), "/properties/wide/type"),
        (
            property("wide", json!({ "type": "integer", "maximum": 9_300_000_000_000_000_000_u64 })),
            "/properties/wide/maximum",
        ),
        (property("ratio", json!({ "type": "boolean" })), "/properties/ratio/type"),
        (property("letter", json!({ "maxLength": 2 })), "/properties/letter/maxLength"),
        (property("letter", json!({ "minLength": 0 })), "/properties/letter/minLength"),
        (property("bytes", json!({ "contentEncoding": "base16" })), "/properties/bytes/contentEncoding"),
        (property("way", json!({ "enum": ["up", "sideways"] })), "/properties/way/enum/1"),
        (property("marks", json!({ "uniqueItems": false })), "/properties/marks/uniqueItems"),
        (property("marks", json!({ "items": { "enum": ["execute"] } })), "/properties/marks/items/enum/0"),
        (
            property("list", json!({ "items": { "properties": { "deep": {} } } })),
            "/properties/list/items/properties/deep",
        ),
        (property("pair", json!({ "maxItems": 3 })), "/properties/pair/maxItems"),
        (property("pair", json!({ "prefixItems": [{}, {}, {}] })), "/properties/pair/prefixItems/2"),
        (property("pair", json!({ "prefixItems": [{}, {}], "items": {} })), "/properties/pair/items"),
        (property("pair", json!({ "prefixItems": [{ "maximum": 999 }] })), "/properties/pair/prefixItems/0/maximum"),
        (property("choice", json!({ "const": "all" })), "/properties/choice/const"),
        (
            property("choice", json!({ "type": "object", "properties": { "all": {} } })),
            "/properties/choice/properties/all",
        ),
        (
            property("choice", json!({ "oneOf": [{ "const": "none" }, { "const": "all" }] })),
            "/properties/choice/oneOf/1/const",
        ),
        (property("maybe", json!({ "type": "integer", "maximum": 999 })), "/properties/maybe/maximum"),
        (property("maybe-twice", json!({ "type": "integer" })), "/properties/maybe-twice/type"),
        (property("a/b~c", json!({})), "/properties/a~1b~0c"),
        (
            json!({ "properties": { "small": { "$ref": "#/$defs/many" } }, "$defs": { "many": { "maximum": 999 } } }),
            "/$defs/many/maximum",
        ),
    ] {
        let (found, problem) = refused(&author);
        assert_eq!(found, pointer, "{author}: {problem}");
    }
}

#[test]
fn the_problem_says_what_the_type_allows() {
    let (_, problem) = refused(&property("small", json!({ "maximum": 300 })));
    assert_eq!(problem, "300 is wider than the type, expected at most 255");
    let (_, problem) = refused(&property("small", json!({ "minimum": 300 })));
    assert_eq!(problem, "300 leaves no value, expected at most 255");
    let (_, problem) = refused(&property("small", json!({ "type": "string" })));
    assert_eq!(problem, "`string` is wider than the type, expected `integer`");
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    for author in [
        json!({ "$ref": "#" }),
        json!({ "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/b" }, { "$ref": "#/$defs/b" }] }, "b": { "oneOf": [{ "$ref": "#/$defs/a" }, { "$ref": "#/$defs/a" }] } } }),
    ] {
        let error = check(&derived(), &author).expect_err("endless");
        assert!(error.problem.contains("refers to itself"), "{error}");
    }
}
