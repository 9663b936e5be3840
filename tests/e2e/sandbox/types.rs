//! Every WIT type of a component that knows nothing of this host.

use bailiwick_skills::schema;
use serde_json::{Value, json};

use super::lab::{Lab, error, failure, nothing, success};

fn item() -> Value {
    json!({
        "id": "18446744073709551615",
        "delta": -9_007_199_254_740_991_i64,
        "small": [-128, 255, -32768, 65535, -2_147_483_648_i64, 4_294_967_295_u32],
        "name": "Kiste „Ünïcode“ \u{1F4E6}\u{0}",
        "place": { "aisle": "ß", "at": [0.1, 0.25] },
        "material": { "mixture": [["oak", 0.5], ["air", 0.1]] },
        "urgency": "high",
        "handling": ["fragile", "upright"],
        "note": { "some": null },
        "checked": { "err": "not yet" },
        "sealed": { "ok": null },
        "data": "AAEC/w==",
        "ok": true,
    })
}

#[tokio::test]
async fn every_type_survives_the_way_there_and_back() {
    let lab = Lab::new();
    let guest = lab.guest("foreign");
    let mut other = item();
    for (key, value) in [
        ("id", json!(7)),
        ("delta", json!("-9223372036854775808")),
        ("place", Value::Null),
        ("material", json!("unknown")),
        ("note", Value::Null),
        ("checked", json!({ "ok": false })),
        ("sealed", json!({ "err": null })),
        ("handling", json!([])),
    ] {
        other[key] = value;
    }
    let items = json!([item(), other]);
    let outcome = lab.call(&nothing(&guest), &guest, "same", &json!({ "items": items })).await;
    assert_eq!(success(outcome), items);
}

#[tokio::test]
async fn special_floats_survive() {
    let lab = Lab::new();
    let guest = lab.guest("foreign");
    let mut special = item();
    special["place"]["at"] = json!(["NaN", "-Infinity"]);
    let outcome = lab.call(&nothing(&guest), &guest, "same", &json!({ "items": [special] })).await;
    assert_eq!(success(outcome)[0]["place"]["at"], json!(["NaN", "-Infinity"]));
}

#[tokio::test]
async fn errors_name_the_path_into_the_arguments() {
    let lab = Lab::new();
    let guest = lab.guest("foreign");
    let mut wrong = item();
    wrong["material"]["mixture"][1][1] = json!("much");
    let outcome = lab.call(&nothing(&guest), &guest, "same", &json!({ "items": [item(), wrong] })).await;
    let message = error(outcome).to_string();
    assert!(message.starts_with("/items/1/material/mixture/1/1: expected"), "{message}");
}

#[tokio::test]
async fn a_result_at_the_top_is_output_or_failure() {
    let lab = Lab::new();
    let guest = lab.guest("foreign");
    let outcome = lab.call(&nothing(&guest), &guest, "weigh", &json!({ "items": [], "factor": 2 })).await;
    assert_eq!(failure(&outcome), json!("there is nothing to weigh"));
    let outcome = lab.call(&nothing(&guest), &guest, "stock.weigh", &json!({ "items": [item()], "factor": 0 })).await;
    assert_eq!(success(outcome), json!(-0.0));
    let outcome = lab.call(&nothing(&guest), &guest, "version", &json!({})).await;
    assert_eq!(success(outcome), json!("2.3.0"));
}

#[tokio::test]
async fn schemas_say_what_the_types_say() {
    let lab = Lab::new();
    let guest = lab.guest("foreign");
    let (_, same) = guest.tool("same").unwrap();
    let input = schema::input_schema(same);
    let validator = jsonschema::draft202012::new(&input).unwrap();
    assert!(validator.is_valid(&json!({ "items": [item()] })));
    for (pointer, wrong) in [
        ("/small/0", json!(-129)),
        ("/place/aisle", json!("ab")),
        ("/material", json!({ "wood": 70_000 })),
        ("/material", json!("wood")),
        ("/urgency", json!("urgent")),
        ("/handling", json!(["cold", "cold"])),
        ("/checked", json!({})),
        ("/ok", json!(1)),
    ] {
        let mut broken = item();
        *broken.pointer_mut(pointer).unwrap() = wrong;
        let arguments = json!({ "items": [broken] });
        assert!(!validator.is_valid(&arguments), "the schema accepts a wrong {pointer}");
        let outcome = lab.call(&nothing(&guest), &guest, "same", &arguments).await;
        assert_eq!(error(outcome).code(), "invalid-arguments", "the sandbox accepts a wrong {pointer}");
    }
}

#[tokio::test]
async fn documentation_comes_from_the_component() {
    let lab = Lab::new();
    let guest = lab.guest("foreign");
    let (_, same) = guest.tool("same").unwrap();
    assert_eq!(same.docs.as_deref(), Some("Gives every item back as it was."));
    let (_, version) = guest.tool("version").unwrap();
    assert_eq!(version.docs.as_deref(), Some("A function on its own."));
    let text = schema::input_schema(same).to_string();
    for docs in ["Where a thing lies.", "The aisle, one letter.", "Wood, by its age in years.", "How urgent it is."] {
        assert!(text.contains(docs), "{docs} is missing in {text}");
    }
}
