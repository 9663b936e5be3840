//! JSON to values. Every error names the place by a JSON Pointer.

use std::fmt::Write as _;

use bailiwick_domain::wit::{Case, Field, WitType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};
use wasmtime::component::Val;

/// JSON that doesn't fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// JSON Pointer; empty for the arguments themselves.
    pub(crate) path: String,
    /// What was expected and what was found.
    pub(crate) problem: String,
}

/// The parameters of a function from an object of arguments, in their order.
pub(crate) fn lower_arguments(params: &[Field], arguments: &Value) -> Result<Vec<Val>, Mismatch> {
    let Value::Object(object) = arguments else {
        return Err(Path::Root.mismatch("an object of arguments", arguments));
    };
    Ok(fields(params, object, &Path::Root)?.into_iter().map(|(_, value)| value).collect())
}

/// Where in the arguments we are: a list on the stack, written out only in errors.
enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn mismatch(&self, expected: &str, found: &Value) -> Mismatch {
        self.problem(format!("expected {expected}, found {}", describe(found)))
    }

    fn problem(&self, problem: String) -> Mismatch {
        let mut path = String::new();
        self.render(&mut path);
        Mismatch { path, problem }
    }

    fn render(&self, out: &mut String) {
        match self {
            Self::Root => {}
            Self::Key(parent, key) => {
                parent.render(out);
                out.push('/');
                out.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Self::Index(parent, index) => {
                parent.render(out);
                // Writing to a string can't fail.
                let _ = write!(out, "/{index}");
            }
        }
    }
}

/// What was found, in few words: values may be large, and may be secret.
fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction or exponent",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn lower(ty: &WitType, value: &Value, at: &Path<'_>) -> Result<Val, Mismatch> {
    match ty {
        WitType::Bool => value.as_bool().map(Val::Bool).ok_or_else(|| at.mismatch("bool", value)),
        WitType::S8 => integer(ty, value, at).map(Val::S8),
        WitType::U8 => integer(ty, value, at).map(Val::U8),
        WitType::S16 => integer(ty, value, at).map(Val::S16),
        WitType::U16 => integer(ty, value, at).map(Val::U16),
        WitType::S32 => integer(ty, value, at).map(Val::S32),
        WitType::U32 => integer(ty, value, at).map(Val::U32),
        WitType::S64 => wide_integer(ty, value, at).map(Val::S64),
        WitType::U64 => wide_integer(ty, value, at).map(Val::U64),
        WitType::F32 => float32(value, at).map(Val::Float32),
        WitType::F64 => float64(value, at).map(Val::Float64),
        WitType::Char => character(value, at),
        WitType::String => match value {
            Value::String(text) => Ok(Val::String(text.clone())),
            _ => Err(at.mismatch("string", value)),
        },
        WitType::List(element) => list(element, value, at),
        WitType::Tuple(elements) => tuple(elements, value, at),
        WitType::Option(inner) => option(inner, value, at),
        WitType::Result { ok, err } => result(ok.as_deref(), err.as_deref(), value, at),
        WitType::Record { fields: declared, .. } => match value {
            Value::Object(object) => fields(declared, object, at).map(Val::Record),
            _ => Err(at.mismatch("record (an object)", value)),
        },
        WitType::Variant { cases, .. } => variant(cases, value, at),
        WitType::Enum { cases, .. } => {
            let name = value.as_str().ok_or_else(|| at.mismatch(&one_of(cases), value))?;
            known_case(cases, name, at).map(|case| Val::Enum(case.name.clone()))
        }
        WitType::Flags { flags: declared, .. } => flags(declared, value, at),
    }
}

fn integer<T: TryFrom<i64>>(ty: &WitType, value: &Value, at: &Path<'_>) -> Result<T, Mismatch> {
    let number = value.as_i64().or_else(|| whole(value)).ok_or_else(|| at.mismatch(ty.name(), value))?;
    T::try_from(number)
        .map_err(|_| at.problem(format!("expected {}, found {number}, which is out of its range", ty.name())))
}

/// `1.0` is an integer to JSON Schema, and some writers have no other form for 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "exact within the range that is checked"
)]
fn whole(value: &Value) -> Option<i64> {
    let exact = |float: &f64| float.fract() == 0.0 && float.abs() <= super::MAX_SAFE_INTEGER as f64;
    value.as_f64().filter(exact).map(|float| float as i64)
}

/// 64-bit integers come as numbers, or as text where a reader would round them.
fn wide_integer<T>(ty: &WitType, value: &Value, at: &Path<'_>) -> Result<T, Mismatch>
where
    T: TryFrom<i128>,
{
    let number = match value {
        Value::Number(number) => exact_integer(number).or_else(|| whole(value).map(i128::from)),
        Value::String(text) if is_decimal(text) => text.parse::<i128>().ok(),
        _ => None,
    };
    let number = number
        .ok_or_else(|| at.mismatch(&format!("{} (an integer, or its decimal digits as a string)", ty.name()), value))?;
    T::try_from(number)
        .map_err(|_| at.problem(format!("expected {}, found {number}, which is out of its range", ty.name())))
}

fn exact_integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn float64(value: &Value, at: &Path<'_>) -> Result<f64, Mismatch> {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().ok_or_else(|| at.mismatch("f64", value))?;
            exact_float(number, float, "f64", at)
        }
        Value::String(text) => special_float(text).ok_or_else(|| at.mismatch(FLOAT, value)),
        _ => Err(at.mismatch("f64", value)),
    }
}

fn float32(value: &Value, at: &Path<'_>) -> Result<f32, Mismatch> {
    let wide = match value {
        Value::Number(number) => number.as_f64().ok_or_else(|| at.mismatch("f32", value))?,
        Value::String(text) => return special_float(text).map(narrow).ok_or_else(|| at.mismatch(FLOAT, value)),
        _ => return Err(at.mismatch("f32", value)),
    };
    let float = narrow(wide);
    if float.is_infinite() {
        return Err(at.problem(format!("expected f32, found {wide}, which is out of its range")));
    }
    match value {
        Value::Number(number) => exact_float(number, f64::from(float), "f32", at).map(|_| float),
        _ => Ok(float),
    }
}

/// What a string may say where a float is expected.
const FLOAT: &str = "a number, \"NaN\", \"Infinity\" or \"-Infinity\"";

fn special_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is what the type means")]
const fn narrow(wide: f64) -> f32 {
    wide as f32
}

/// A decimal fraction is rounded, as floats are; an integer would be changed, so it is refused.
#[expect(clippy::cast_possible_truncation, reason = "floats beyond i128 are no integers that JSON numbers hold here")]
fn exact_float(number: &Number, float: f64, name: &str, at: &Path<'_>) -> Result<f64, Mismatch> {
    match exact_integer(number) {
        Some(integer) if float as i128 != integer => {
            Err(at.problem(format!("expected {name}, found {integer}, which {name} can't hold exactly")))
        }
        _ => Ok(float),
    }
}

fn character(value: &Value, at: &Path<'_>) -> Result<Val, Mismatch> {
    let expected = "char (a string of one Unicode scalar value)";
    let text = value.as_str().ok_or_else(|| at.mismatch(expected, value))?;
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) => Ok(Val::Char(only)),
        _ => Err(at.problem(format!("expected {expected}, found {} of them", text.chars().count()))),
    }
}

fn list(element: &WitType, value: &Value, at: &Path<'_>) -> Result<Val, Mismatch> {
    match value {
        Value::Array(items) => {
            let lowered = items.iter().enumerate().map(|(i, item)| lower(element, item, &Path::Index(at, i)));
            lowered.collect::<Result<_, _>>().map(Val::List)
        }
        Value::String(text) if *element == WitType::U8 => {
            let bytes =
                STANDARD.decode(text).map_err(|error| at.problem(format!("expected bytes as base64: {error}")))?;
            Ok(Val::List(bytes.into_iter().map(Val::U8).collect()))
        }
        _ if *element == WitType::U8 => Err(at.mismatch("bytes as a base64 string", value)),
        _ => Err(at.mismatch("list (an array)", value)),
    }
}

fn tuple(elements: &[WitType], value: &Value, at: &Path<'_>) -> Result<Val, Mismatch> {
    let expected = || format!("tuple (an array of {})", elements.len());
    let items = value.as_array().ok_or_else(|| at.mismatch(&expected(), value))?;
    if items.len() != elements.len() {
        return Err(at.problem(format!("expected {}, found {} items", expected(), items.len())));
    }
    let pairs = elements.iter().zip(items).enumerate();
    let lowered = pairs.map(|(i, (ty, item))| lower(ty, item, &Path::Index(at, i)));
    lowered.collect::<Result<_, _>>().map(Val::Tuple)
}

fn option(inner: &WitType, value: &Value, at: &Path<'_>) -> Result<Val, Mismatch> {
    if value.is_null() {
        return Ok(Val::Option(None));
    }
    let payload = if inner.admits_null() {
        let some = only_entry(value).filter(|(key, _)| *key == "some");
        let (_, payload) = some.ok_or_else(|| at.mismatch("null or {\"some\": …}", value))?;
        lower(inner, payload, &Path::Key(at, "some"))?
    } else {
        lower(inner, value, at)?
    };
    Ok(Val::Option(Some(Box::new(payload))))
}

fn result(ok: Option<&WitType>, err: Option<&WitType>, value: &Value, at: &Path<'_>) -> Result<Val, Mismatch> {
    let (key, payload) = only_entry(value).ok_or_else(|| at.mismatch("result ({\"ok\": …} or {\"err\": …})", value))?;
    let at = Path::Key(at, key);
    match key {
        "ok" => Ok(Val::Result(Ok(optional_payload(ok, payload, &at)?))),
        "err" => Ok(Val::Result(Err(optional_payload(err, payload, &at)?))),
        _ => Err(at.problem(format!("expected `ok` or `err`, found `{key}`"))),
    }
}

/// The payload of a case: a value of its type, or null where it has none.
fn optional_payload(ty: Option<&WitType>, value: &Value, at: &Path<'_>) -> Result<Option<Box<Val>>, Mismatch> {
    match ty {
        Some(ty) => lower(ty, value, at).map(|payload| Some(Box::new(payload))),
        None if value.is_null() => Ok(None),
        None => Err(at.mismatch("null, because there is no payload", value)),
    }
}

fn fields(declared: &[Field], object: &Map<String, Value>, at: &Path<'_>) -> Result<Vec<(String, Val)>, Mismatch> {
    let mut used = 0;
    let mut values = Vec::with_capacity(declared.len());
    for field in declared {
        let value = match object.get(&field.name) {
            Some(value) => {
                used += 1;
                lower(&field.ty, value, &Path::Key(at, &field.name))?
            }
            None if matches!(field.ty, WitType::Option(_)) => Val::Option(None),
            None => return Err(Path::Key(at, &field.name).problem(format!("missing; expected {}", field.ty.name()))),
        };
        values.push((field.name.clone(), value));
    }
    if used == object.len() {
        return Ok(values);
    }
    let known = |key: &&String| declared.iter().any(|field| field.name == **key);
    let unknown = object.keys().find(|key| !known(key)).map_or("", String::as_str);
    let names: Vec<_> = declared.iter().map(|field| field.name.as_str()).collect();
    let expected = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    Err(Path::Key(at, unknown).problem(format!("unknown key; expected {expected}")))
}

fn variant(cases: &[Case], value: &Value, at: &Path<'_>) -> Result<Val, Mismatch> {
    if let Value::String(name) = value {
        let case = known_case(cases, name, at)?;
        return match &case.ty {
            None => Ok(Val::Variant(case.name.clone(), None)),
            Some(_) => Err(at.problem(format!("the case `{name}` has a payload: expected {{\"{name}\": …}}"))),
        };
    }
    let (name, payload) = only_entry(value).ok_or_else(|| at.mismatch(&one_of(cases), value))?;
    let case = known_case(cases, name, at)?;
    let payload = optional_payload(case.ty.as_ref(), payload, &Path::Key(at, name))?;
    Ok(Val::Variant(case.name.clone(), payload))
}

fn flags(declared: &[Case], value: &Value, at: &Path<'_>) -> Result<Val, Mismatch> {
    let items = value.as_array().ok_or_else(|| at.mismatch("flags (an array of names)", value))?;
    let mut names = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let at = Path::Index(at, i);
        let name = item.as_str().ok_or_else(|| at.mismatch(&one_of(declared), item))?;
        let name = known_case(declared, name, &at)?.name.clone();
        if names.contains(&name) {
            return Err(at.problem(format!("the flag `{name}` is there twice")));
        }
        names.push(name);
    }
    Ok(Val::Flags(names))
}

fn known_case<'a>(cases: &'a [Case], name: &str, at: &Path<'_>) -> Result<&'a Case, Mismatch> {
    let known = cases.iter().find(|case| case.name == name);
    known.ok_or_else(|| at.problem(format!("expected {}, found another name", one_of(cases))))
}

fn one_of(cases: &[Case]) -> String {
    let names: Vec<_> = cases.iter().map(|case| format!("`{}`", case.name)).collect();
    format!("one of {}", names.join(", "))
}

fn only_entry(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.iter().next().map(|(key, value)| (key.as_str(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(name: &str, ty: WitType) -> Field {
        Field { name: name.to_owned(), ty, docs: None }
    }

    fn error(ty: WitType, value: impl Into<Value>) -> String {
        let arguments = json!({ "x": value.into() });
        let mismatch = lower_arguments(&[field("x", ty)], &arguments).expect_err("must not fit");
        format!("{}: {}", mismatch.path, mismatch.problem)
    }

    #[test]
    fn errors_name_the_path() {
        let row = WitType::Record { docs: None, fields: vec![field("price", WitType::F64)] };
        let rows = WitType::List(Box::new(row));
        let value = json!([{ "price": 1 }, { "price": 2.5 }, { "price": "3" }]);
        assert_eq!(
            error(rows.clone(), value),
            "/x/2/price: expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", found a string"
        );
        assert_eq!(error(rows.clone(), json!([{ "prize": 1 }])), "/x/0/price: missing; expected f64");
        assert_eq!(error(rows, json!([{ "price": 1, "a/b": 1 }])), "/x/0/a~1b: unknown key; expected price");
    }

    #[test]
    fn numbers_are_never_changed() {
        assert_eq!(error(WitType::U8, json!(256)), "/x: expected u8, found 256, which is out of its range");
        assert_eq!(error(WitType::S32, json!(1.5)), "/x: expected s32, found a number with a fraction or exponent");
        assert_eq!(error(WitType::U8, json!(256.0)), "/x: expected u8, found 256, which is out of its range");
        assert_eq!(error(WitType::U64, json!(-1)), "/x: expected u64, found -1, which is out of its range");
        assert_eq!(
            error(WitType::F64, json!(9_007_199_254_740_993_u64)),
            "/x: expected f64, found 9007199254740993, which f64 can't hold exactly"
        );
        assert_eq!(
            error(WitType::F32, json!(1e39)),
            "/x: expected f32, found 1000000000000000000000000000000000000000, which is out of its range"
        );
        assert!(error(WitType::F32, json!(16_777_217)).contains("can't hold exactly"));
        assert!(error(WitType::S64, json!("1e3")).contains("expected s64"));
    }

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_written() {
        let values = lower_arguments(&[field("x", WitType::S32)], &json!({ "x": -7.0 }));
        assert_eq!(values.expect("fits"), [Val::S32(-7)]);
    }

    #[test]
    fn wide_integers_also_come_as_text() {
        let values = lower_arguments(&[field("x", WitType::U64)], &json!({ "x": "18446744073709551615" }));
        assert_eq!(values.expect("fits"), [Val::U64(u64::MAX)]);
    }

    #[test]
    fn the_arguments_are_an_object() {
        let mismatch = lower_arguments(&[], &json!([])).expect_err("an array");
        assert_eq!(mismatch.problem, "expected an object of arguments, found an array");
        let mismatch = lower_arguments(&[], &json!({ "y": 1 })).expect_err("unknown");
        assert_eq!(mismatch.problem, "unknown key; expected nothing");
    }
}
