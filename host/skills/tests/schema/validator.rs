//! Compiling schemas that anyone may have written, and what their violations say.

use bailiwick_domain::wit::WitType;
use bailiwick_skills::schema::{Validator, output_schema};
use serde_json::{Value, json};

use crate::types::{case, field, list, record, tool_that_answers, variant};

/// The path and the problem of a value that is refused.
fn violation(schema: &Value, instance: &Value) -> (String, String) {
    let validator = Validator::new(schema).expect("the schema compiles");
    let violation = validator.check(instance).expect_err("the value is refused");
    (violation.path, violation.problem)
}

fn said(path: &str, problem: &str) -> (String, String) {
    (path.to_owned(), problem.to_owned())
}

#[test]
fn a_violation_names_its_place_and_what_was_expected() {
    let ty = list(record(vec![field("age", WitType::U8), field("name", WitType::String)]));
    let schema = output_schema(&tool_that_answers(ty));
    let of = |instance: Value| violation(&schema, &instance);
    assert_eq!(of(json!([{ "age": 300, "name": "x" }])), said("/0/age", "`300` is greater than the maximum of 255"));
    assert_eq!(of(json!([{ "age": 3 }])), said("/0", "\"name\" is a required property"));
    let (path, problem) = of(json!([{ "age": 3, "name": "x", "nam": 1 }]));
    assert_eq!(path, "/0");
    assert!(problem.contains("nam"), "{problem}");
    let shown = Validator::new(&schema).expect("compiles").check(&json!({})).expect_err("refused").to_string();
    assert_eq!(shown, "(root): `{}` is not of type \"array\"");
}

#[test]
fn of_a_union_the_branch_that_was_meant_is_shown() {
    let ty = variant(vec![case("none", None), case("some", Some(WitType::U8)), case("text", Some(WitType::String))]);
    let schema = output_schema(&tool_that_answers(ty));
    assert_eq!(violation(&schema, &json!({ "some": 300 })), said("/some", "`300` is greater than the maximum of 255"));
    let (path, problem) = violation(&schema, &json!("all"));
    assert_eq!(path, "");
    assert!(
        problem.starts_with("`\"all\"` is none of the forms that are allowed here: \"none\" was expected; "),
        "{problem}"
    );
}

#[test]
fn a_huge_value_is_not_shown_whole() {
    let huge = "x".repeat(1 << 20);
    for (schema, instance) in [
        (json!({ "type": "integer" }), json!(huge)),
        (json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }), json!([huge])),
        (json!({ "additionalProperties": false }), json!({ huge.as_str(): 1 })),
        (json!({ "enum": [huge] }), json!(1)),
        (json!({ "const": huge }), json!(1)),
        (json!({ "propertyNames": { "maxLength": 3 } }), json!({ huge.as_str(): 1 })),
        (json!({ "properties": { huge.as_str(): { "type": "integer" } } }), json!({ huge.as_str(): "a" })),
        (json!({ "required": [huge] }), json!({})),
    ] {
        let validator = Validator::new(&schema).expect("compiles");
        let violation = validator.check(&instance).expect_err("refused");
        assert!(violation.to_string().len() < 4000, "{} bytes", violation.to_string().len());
    }
    let bad = json!({ "type": huge });
    assert!(Validator::new(&bad).expect_err("no such type").to_string().len() < 4000);
}

#[test]
fn nothing_outside_is_fetched() {
    for reference in
        ["https://example.com/a.json", "http://127.0.0.1:9/a", "file:///etc/hostname", "other.json", "#/$defs/none"]
    {
        for schema in [json!({ "$ref": reference }), json!({ "properties": { "a": { "$dynamicRef": reference } } })] {
            assert!(Validator::new(&schema).is_err(), "{schema}");
        }
    }
    assert!(Validator::new(&json!({ "$schema": "https://example.com/dialect" })).is_err());
    assert!(Validator::new(&json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "string" } } })).is_ok());
}

#[test]
fn broken_schemas_are_placed() {
    let error = Validator::new(&json!({ "properties": { "a": { "minimum": "x" } } })).expect_err("not a schema");
    assert_eq!(error.pointer, "/properties/a/minimum");
    for bad in [
        json!(3),
        json!({ "type": "text" }),
        json!({ "pattern": "(" }),
        json!({ "pattern": "(?=a)" }),
        json!({ "required": "a" }),
    ] {
        assert!(Validator::new(&bad).is_err(), "{bad}");
    }
}

#[test]
fn patterns_take_linear_time() {
    let validator = Validator::new(&json!({ "pattern": "^(a+)+$" })).expect("compiles");
    assert!(validator.check(&json!(format!("{}!", "a".repeat(100_000)))).is_err());
    assert!(Validator::new(&json!({ "pattern": "((a{1000}){1000}){1000}" })).is_err(), "a pattern may not be huge");
}

/// A chain in which each definition means the one before it twice.
fn doubling(keyword: &str, levels: usize) -> Value {
    let mut definitions = json!({ "a0": { "type": "string" } });
    for level in 1..=levels {
        let reference = json!({ "$ref": format!("#/$defs/a{}", level - 1) });
        definitions[format!("a{level}")] = json!({ keyword: [reference, reference] });
    }
    json!({ "$ref": format!("#/$defs/a{levels}"), "$defs": definitions })
}

#[test]
fn references_may_not_multiply_without_end() {
    for keyword in ["anyOf", "oneOf", "allOf"] {
        assert!(Validator::new(&doubling(keyword, 8)).expect("small enough").check(&json!(5)).is_err());
        let error = Validator::new(&doubling(keyword, 40)).expect_err("too large");
        assert!(error.problem.contains("10000"), "{error}");
    }
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "type": "object", "additionalProperties": { "$ref": "#" } }),
        json!({ "properties": { "const": { "items": [{ "$ref": "#" }] } } }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "not": { "$ref": "#/$defs/b" } }, "b": { "$ref": "#/$defs/a" } } }),
    ] {
        let error = Validator::new(&schema).expect_err("endless");
        assert!(error.problem.contains("leads back to itself"), "{error}");
    }
}

#[test]
fn keywords_without_a_bound_are_refused() {
    for (schema, pointer) in [
        (json!({ "unevaluatedProperties": false }), "/unevaluatedProperties"),
        (json!({ "allOf": [{ "unevaluatedItems": false }] }), "/allOf/0/unevaluatedItems"),
        (json!({ "$dynamicRef": "#" }), "/$dynamicRef"),
        (json!({ "properties": { "a": { "$id": "x" } } }), "/properties/a/$id"),
        (json!({ "$schema": "http://json-schema.org/draft-07/schema#" }), "/$schema"),
        (json!({ "items": { "$schema": "https://json-schema.org/draft/2020-12/schema" } }), "/items/$schema"),
        (json!({ "$ref": "#name", "$anchor": "name" }), "/$ref"),
    ] {
        assert_eq!(Validator::new(&schema).expect_err(&schema.to_string()).pointer, pointer);
    }
    // As names of properties, or as data, they are names like others.
    let names = json!({ "properties": { "$id": { "type": "string" }, "$ref": true, "unevaluatedItems": {} }, "const": { "$ref": 1 } });
    assert!(Validator::new(&names).is_ok());
}

#[test]
fn unions_of_unions_are_told_in_one_sentence() {
    let inner = json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] });
    let schema = json!({ "anyOf": [inner, { "type": "boolean" }, { "type": "string" }] });
    let (_, problem) = violation(&schema, &json!(5));
    let expected = "`5` is none of the forms that are allowed here: `5` is not of type \"string\"; `5` is not of type \"null\"; `5` is not of type \"boolean\"";
    assert_eq!(problem, expected);
}
