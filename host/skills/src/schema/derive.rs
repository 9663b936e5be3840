//! From the types of a tool to its JSON Schemas (2020-12).
//!
//! The sandbox turns JSON into component values and back by the same mapping,
//! so that what a schema accepts is what a call can be made of. Three things a
//! schema can't say, and the sandbox alone checks: that a string of digits is
//! within 64 bits, that a string is base64, and that an `f32` holds a number.

use bailiwick_domain::wit::{Answer, Case, Field, ToolSignature, WitType};
use serde_json::{Map, Value, json};

use super::survey::DIALECT;

/// The schema of a tool's arguments: an object with a property for each parameter.
pub fn input_schema(tool: &ToolSignature) -> Value {
    let mut schema = with_dialect(object(&tool.params));
    describe(&mut schema, tool.docs.as_deref());
    schema
}

/// The schema of a tool's output when it succeeds; `null` where it answers nothing.
pub fn output_schema(tool: &ToolSignature) -> Value {
    with_dialect(optional(tool.answer.output()))
}

/// The schema of a tool's own failure; `None` for a tool that can't fail.
pub fn failure_schema(tool: &ToolSignature) -> Option<Value> {
    match &tool.answer {
        Answer::Value(_) => None,
        Answer::Fallible { err, .. } => Some(with_dialect(optional(err.as_ref()))),
    }
}

fn with_dialect(schema: Value) -> Value {
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), json!(DIALECT));
    if let Value::Object(rest) = schema {
        whole.extend(rest);
    }
    Value::Object(whole)
}

/// The schema of a type. Types nest as deep as the component's validator lets
/// them, which bounds the recursion.
fn schema(ty: &WitType) -> Value {
    match ty {
        WitType::Bool => json!({ "type": "boolean" }),
        WitType::S8 => integer(i8::MIN.into(), i8::MAX.into()),
        WitType::U8 => integer(0, u8::MAX.into()),
        WitType::S16 => integer(i16::MIN.into(), i16::MAX.into()),
        WitType::U16 => integer(0, u16::MAX.into()),
        WitType::S32 => integer(i32::MIN.into(), i32::MAX.into()),
        WitType::U32 => integer(0, u32::MAX.into()),
        WitType::S64 => wide_integer(&json!(i64::MIN), &json!(i64::MAX), "^-?[0-9]{1,20}$"),
        WitType::U64 => wide_integer(&json!(0), &json!(u64::MAX), "^[0-9]{1,20}$"),
        WitType::F32 | WitType::F64 => {
            json!({ "anyOf": [{ "type": "number" }, { "enum": ["NaN", "Infinity", "-Infinity"] }] })
        }
        WitType::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        WitType::String => json!({ "type": "string" }),
        WitType::List(item) => list(item),
        WitType::Tuple(items) => tuple(items),
        WitType::Option(inner) => option(inner),
        WitType::Result { ok, err } => result(ok.as_deref(), err.as_deref()),
        WitType::Record { docs, fields } => described(object(fields), docs.as_deref()),
        WitType::Variant { docs, cases } => described(variant(cases), docs.as_deref()),
        WitType::Enum { docs, cases } => enumeration(cases, docs.as_deref()),
        WitType::Flags { docs, flags } => flag_list(flags, docs.as_deref()),
    }
}

/// The schema of a value that may be none at all, which JSON writes as null.
fn optional(ty: Option<&WitType>) -> Value {
    ty.map_or_else(|| json!({ "type": "null" }), schema)
}

fn integer(minimum: i64, maximum: i64) -> Value {
    json!({ "type": "integer", "minimum": minimum, "maximum": maximum })
}

/// Beyond 2^53 many readers of JSON lose digits, so that such numbers may come as strings.
fn wide_integer(minimum: &Value, maximum: &Value, pattern: &str) -> Value {
    json!({ "anyOf": [
        { "type": "integer", "minimum": minimum, "maximum": maximum },
        { "type": "string", "pattern": pattern },
    ] })
}

fn list(item: &WitType) -> Value {
    match item {
        WitType::U8 => json!({ "type": "string", "contentEncoding": "base64" }),
        item => json!({ "type": "array", "items": schema(item) }),
    }
}

fn tuple(items: &[WitType]) -> Value {
    let count = items.len();
    let items: Vec<Value> = items.iter().map(schema).collect();
    match count {
        // The meta-schema allows no empty `prefixItems`.
        0 => json!({ "type": "array", "maxItems": 0 }),
        _ => json!({ "type": "array", "prefixItems": items, "items": false, "minItems": count, "maxItems": count }),
    }
}

/// An option of an option has two nothings, so the inner one is wrapped.
fn option(inner: &WitType) -> Value {
    let some = if inner.admits_null() { single("some", schema(inner)) } else { schema(inner) };
    json!({ "anyOf": [some, { "type": "null" }] })
}

fn result(ok: Option<&WitType>, err: Option<&WitType>) -> Value {
    json!({ "oneOf": [single("ok", optional(ok)), single("err", optional(err))] })
}

/// An object of one key.
fn single(key: &str, value: Value) -> Value {
    let properties = Map::from_iter([(key.to_owned(), value)]);
    json!({ "type": "object", "properties": properties, "required": [key], "additionalProperties": false })
}

/// An object whose optional fields may be left out.
fn object(fields: &[Field]) -> Value {
    let property = |field: &Field| (field.name.clone(), described(schema(&field.ty), field.docs.as_deref()));
    let properties: Map<String, Value> = fields.iter().map(property).collect();
    let is_required = |field: &&Field| !matches!(field.ty, WitType::Option(_));
    let required: Vec<&str> = fields.iter().filter(is_required).map(|field| field.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn variant(cases: &[Case]) -> Value {
    let case = |case: &Case| {
        let schema = match &case.ty {
            Some(ty) => single(&case.name, schema(ty)),
            None => json!({ "const": case.name }),
        };
        described(schema, case.docs.as_deref())
    };
    let cases: Vec<Value> = cases.iter().map(case).collect();
    json!({ "oneOf": cases })
}

fn enumeration(cases: &[Case], docs: Option<&str>) -> Value {
    described(string_enum(cases), with_cases(docs, cases).as_deref())
}

fn flag_list(flags: &[Case], docs: Option<&str>) -> Value {
    let schema = json!({ "type": "array", "items": string_enum(flags), "uniqueItems": true });
    described(schema, with_cases(docs, flags).as_deref())
}

fn string_enum(cases: &[Case]) -> Value {
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    json!({ "type": "string", "enum": names })
}

/// The documentation of a type with that of its cases below, because the values
/// of an `enum` have no place for their own.
fn with_cases(docs: Option<&str>, cases: &[Case]) -> Option<String> {
    let line = |case: &Case| case.docs.as_ref().map(|docs| format!("- `{}`: {}", case.name, docs.trim()));
    let lines: Vec<String> = cases.iter().filter_map(line).collect();
    let lines = (!lines.is_empty()).then(|| lines.join("\n"));
    join(docs.map(str::trim), lines.as_deref())
}

fn described(mut schema: Value, docs: Option<&str>) -> Value {
    describe(&mut schema, docs);
    schema
}

/// Puts `docs` before what the schema already says of its type.
fn describe(schema: &mut Value, docs: Option<&str>) {
    let Value::Object(schema) = schema else { return };
    let own = schema.get("description").and_then(Value::as_str);
    if let Some(description) = join(docs.map(str::trim).filter(|docs| !docs.is_empty()), own) {
        schema.insert("description".to_owned(), Value::String(description));
    }
}

fn join(first: Option<&str>, second: Option<&str>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}\n\n{second}")),
        (first, second) => first.or(second).map(str::to_owned),
    }
}
