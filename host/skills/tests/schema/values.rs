//! For every type, its schema accepts each of its values and refuses each that is broken.

use bailiwick_domain::wit::{Answer, Case, Field, WitType};
use bailiwick_skills::schema::{Validator, failure_schema, input_schema, output_schema};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::types::{any_type, fields, tool, tool_that_answers};

/// Any value of `ty`, written to JSON as the sandbox writes and reads it.
fn value_of(ty: &WitType) -> BoxedStrategy<Value> {
    match ty {
        WitType::Bool => any::<bool>().prop_map(Value::from).boxed(),
        WitType::S8 => any::<i8>().prop_map(Value::from).boxed(),
        WitType::U8 => any::<u8>().prop_map(Value::from).boxed(),
        WitType::S16 => any::<i16>().prop_map(Value::from).boxed(),
        WitType::U16 => any::<u16>().prop_map(Value::from).boxed(),
        WitType::S32 => any::<i32>().prop_map(Value::from).boxed(),
        WitType::U32 => any::<u32>().prop_map(Value::from).boxed(),
        WitType::S64 => wide(prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)]),
        WitType::U64 => wide(prop_oneof![any::<u64>(), Just(u64::MAX)]),
        WitType::F32 => float(any::<f32>().prop_map(f64::from)),
        WitType::F64 => float(any::<f64>()),
        WitType::Char => any::<char>().prop_map(|c| json!(c.to_string())).boxed(),
        WitType::String => any::<String>().prop_map(Value::from).boxed(),
        WitType::List(item) if **item == WitType::U8 => {
            any::<Vec<u8>>().prop_map(|bytes| json!(STANDARD.encode(bytes))).boxed()
        }
        WitType::List(item) => prop::collection::vec(value_of(item), 0..4).prop_map(Value::from).boxed(),
        WitType::Tuple(items) => items.iter().map(value_of).collect::<Vec<_>>().prop_map(Value::from).boxed(),
        WitType::Option(inner) => option_value(inner),
        WitType::Result { ok, err } => {
            prop_oneof![payload("ok", ok.as_deref()), payload("err", err.as_deref())].boxed()
        }
        WitType::Record { fields, .. } => record_value(fields),
        WitType::Variant { cases, .. } => prop::strategy::Union::new(cases.iter().map(case_value)).boxed(),
        WitType::Enum { cases, .. } => prop::sample::select(names(cases)).prop_map(Value::from).boxed(),
        WitType::Flags { flags, .. } => {
            let names = names(flags);
            let count = 0..=names.len();
            prop::sample::subsequence(names, count).prop_map(Value::from).boxed()
        }
    }
}

fn names(cases: &[Case]) -> Vec<String> {
    cases.iter().map(|case| case.name.clone()).collect()
}

/// A number of 64 bits, as a number or as a string.
fn wide<T: ToString + Into<Value> + Copy + std::fmt::Debug + 'static>(
    numbers: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Value> {
    (numbers, any::<bool>())
        .prop_map(|(number, text)| if text { json!(number.to_string()) } else { number.into() })
        .boxed()
}

fn float(numbers: impl Strategy<Value = f64> + 'static) -> BoxedStrategy<Value> {
    let named = |number: f64| match number {
        number if number.is_nan() => json!("NaN"),
        number if number == f64::INFINITY => json!("Infinity"),
        number if number == f64::NEG_INFINITY => json!("-Infinity"),
        number => json!(number),
    };
    prop_oneof![6 => numbers, 1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY])]
        .prop_map(named)
        .boxed()
}

fn option_value(inner: &WitType) -> BoxedStrategy<Value> {
    let wrap = inner.admits_null();
    let some = value_of(inner).prop_map(move |value| if wrap { json!({ "some": value }) } else { value });
    prop_oneof![1 => Just(Value::Null), 2 => some].boxed()
}

fn payload(key: &str, ty: Option<&WitType>) -> BoxedStrategy<Value> {
    let key = key.to_owned();
    let value = ty.map_or_else(|| Just(Value::Null).boxed(), value_of);
    value.prop_map(move |value| Value::Object(Map::from_iter([(key.clone(), value)]))).boxed()
}

fn case_value(case: &Case) -> BoxedStrategy<Value> {
    match &case.ty {
        Some(ty) => payload(&case.name, Some(ty)),
        None => Just(json!(case.name)).boxed(),
    }
}

/// An object in which options that hold nothing are sometimes left out.
fn record_value(fields: &[Field]) -> BoxedStrategy<Value> {
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let optional: Vec<bool> = fields.iter().map(|field| matches!(field.ty, WitType::Option(_))).collect();
    let values: Vec<_> = fields.iter().map(|field| (value_of(&field.ty), any::<bool>())).collect();
    let object = move |values: Vec<(Value, bool)>| {
        let kept = names.iter().zip(&optional).zip(values).filter_map(|((name, optional), (value, omit))| {
            (!(*optional && omit && value.is_null())).then(|| (name.clone(), value))
        });
        Value::Object(kept.collect())
    };
    values.prop_map(object).boxed()
}

/// Values that no value of `ty` looks like.
fn wrong(ty: &WitType) -> Vec<Value> {
    match ty {
        WitType::Bool => vec![json!(0), json!("true"), Value::Null],
        WitType::S8 => vec![json!(128), json!(-129), json!(0.5), json!("1")],
        WitType::U8 => vec![json!(256), json!(-1), json!(0.5), Value::Null],
        WitType::S16 => vec![json!(32_768), json!(-32_769), json!("1")],
        WitType::U16 => vec![json!(65_536), json!(-1), json!(true)],
        WitType::S32 => vec![json!(2_147_483_648_u64), json!(-2_147_483_649_i64)],
        WitType::U32 => vec![json!(4_294_967_296_u64), json!(-1), json!([1])],
        WitType::S64 => vec![json!(u64::MAX), json!(0.5), json!("1.5"), json!("+1"), json!("")],
        WitType::U64 => vec![json!(-1), json!(0.5), json!("-1"), json!("0x1"), Value::Null],
        WitType::F32 | WitType::F64 => vec![json!("nan"), json!("1.0"), json!(true), Value::Null],
        WitType::Char => vec![json!(""), json!("ab"), json!(97)],
        WitType::String => vec![json!(5), json!(["a"]), Value::Null],
        WitType::List(item) if **item == WitType::U8 => vec![json!([1]), json!(5)],
        WitType::List(_) => vec![json!({}), json!("a"), Value::Null],
        WitType::Tuple(_) => vec![json!([]), json!({}), Value::Null],
        WitType::Option(inner) if inner.admits_null() => vec![json!({}), json!({ "none": null }), json!([])],
        WitType::Option(inner) => wrong(inner).into_iter().filter(|value| !value.is_null()).collect(),
        WitType::Result { .. } => vec![json!({}), json!({ "ok": null, "err": null }), json!("ok"), Value::Null],
        WitType::Record { .. } => vec![json!([]), json!("a"), json!({ "no-such-field": 1 }), Value::Null],
        WitType::Variant { .. } | WitType::Enum { .. } => {
            vec![json!("no-such-case"), json!({ "no-such-case": null }), json!(0), Value::Null]
        }
        WitType::Flags { .. } => vec![json!(["no-such-flag"]), json!(["red", "red"]), json!("red"), json!({})],
    }
}

/// Breaks one part of a value: itself, or one inside of it. `seed` chooses which and how.
fn broken(ty: &WitType, value: &Value, seed: u64) -> Value {
    let (descend, seed) = (!seed.is_multiple_of(4), seed / 4);
    let inner = if descend { broken_part(ty, value, seed) } else { None };
    inner.unwrap_or_else(|| {
        let wrong = wrong(ty);
        wrong[usize::try_from(seed).unwrap_or_default() % wrong.len()].clone()
    })
}

/// Breaks a part of a value that has parts.
fn broken_part(ty: &WitType, value: &Value, seed: u64) -> Option<Value> {
    match (ty, value) {
        (WitType::List(item), Value::Array(values)) => broken_entry(values, |_| Some(item), seed),
        (WitType::Tuple(_), Value::Array(values)) if seed.is_multiple_of(3) => {
            Some(Value::Array([values.as_slice(), &[Value::Null]].concat()))
        }
        (WitType::Tuple(items), Value::Array(values)) => broken_entry(values, |index| items.get(index), seed),
        (WitType::Option(inner), Value::Object(object)) if inner.admits_null() => {
            broken_field(object, |_| Some(inner), seed)
        }
        (WitType::Option(inner), value) if !value.is_null() && !inner.admits_null() => {
            Some(broken(inner, value, seed)).filter(|value| !value.is_null())
        }
        (WitType::Result { ok, err }, Value::Object(object)) => {
            broken_field(object, |key| if key == "ok" { ok.as_deref() } else { err.as_deref() }, seed)
        }
        (WitType::Record { fields, .. }, Value::Object(object)) => broken_record(fields, object, seed),
        (WitType::Variant { cases, .. }, Value::Object(object)) => {
            broken_field(object, |key| cases.iter().find(|case| case.name == key)?.ty.as_ref(), seed)
        }
        _ => None,
    }
}

fn broken_entry<'t>(values: &[Value], ty: impl Fn(usize) -> Option<&'t WitType>, seed: u64) -> Option<Value> {
    let index = usize::try_from(seed).ok()?.checked_rem(values.len())?;
    let mut values = values.to_vec();
    values[index] = broken(ty(index)?, &values[index], seed / 7);
    Some(Value::Array(values))
}

fn broken_field<'t>(object: &Map<String, Value>, ty: impl Fn(&str) -> Option<&'t WitType>, seed: u64) -> Option<Value> {
    let index = usize::try_from(seed).ok()?.checked_rem(object.len())?;
    let (key, value) = object.iter().nth(index)?;
    // A payload that the type doesn't have is null; anything else in its place is wrong.
    let value = ty(key).map_or_else(|| json!(1), |ty| broken(ty, value, seed / 7));
    let mut object = object.clone();
    object.insert(key.clone(), value);
    Some(Value::Object(object))
}

/// A record is broken by a field too many, by one too few, or in one of its fields.
fn broken_record(fields: &[Field], object: &Map<String, Value>, seed: u64) -> Option<Value> {
    let mut object = object.clone();
    let required = fields.iter().find(|field| !matches!(field.ty, WitType::Option(_)));
    match (seed % 3, required) {
        (0, _) => drop(object.insert("no-such-field".to_owned(), json!(1))),
        (1, Some(field)) => drop(object.remove(&field.name)),
        _ => return broken_field(&object, |key| Some(&fields.iter().find(|field| field.name == key)?.ty), seed / 3),
    }
    Some(Value::Object(object))
}

fn type_and_values() -> impl Strategy<Value = (WitType, Value, Value)> {
    any_type().prop_flat_map(|ty| {
        let values = (value_of(&ty), any::<u64>());
        (Just(ty), values).prop_map(|(ty, (value, seed))| {
            let broken = broken(&ty, &value, seed);
            (ty, value, broken)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_schema_accepts_its_values_and_no_broken_ones((ty, value, broken) in type_and_values()) {
        let schema = output_schema(&tool_that_answers(ty));
        prop_assert!(jsonschema::meta::is_valid(&schema), "{schema}");
        let validator = Validator::new(&schema).expect("a derived schema compiles");
        prop_assert_eq!(validator.check(&value), Ok(()), "{}", schema);
        prop_assert!(validator.check(&broken).is_err(), "{schema} accepts {broken}");
    }

    #[test]
    fn arguments_are_a_record((ty, value, broken) in type_and_values()) {
        let is_option = matches!(ty, WitType::Option(_));
        let schema = input_schema(&tool(fields(vec![ty.clone()]), Answer::Fallible { ok: None, err: Some(ty) }));
        let validator = Validator::new(&schema).expect("a derived schema compiles");
        let accepts = |arguments: Value| validator.check(&arguments).is_ok();
        let verdicts = [
            accepts(json!({ "part-0": value })),
            accepts(json!({ "part-0": broken })),
            accepts(json!({})),
            accepts(json!({ "part-0": value, "more": 1 })),
        ];
        prop_assert_eq!(verdicts, [true, false, is_option, false]);
    }

    #[test]
    fn failures_have_the_schema_of_their_type((ty, value, broken) in type_and_values()) {
        let schema = failure_schema(&tool(Vec::new(), Answer::Fallible { ok: None, err: Some(ty) }));
        let validator = Validator::new(&schema.expect("it can fail")).expect("a derived schema compiles");
        prop_assert_eq!(validator.check(&value), Ok(()));
        prop_assert!(validator.check(&broken).is_err());
    }

    #[test]
    fn every_schema_narrows_itself(ty in any_type()) {
        let schema = output_schema(&tool_that_answers(ty));
        prop_assert_eq!(bailiwick_skills::schema::check(&schema, &schema), Ok(()));
    }
}
