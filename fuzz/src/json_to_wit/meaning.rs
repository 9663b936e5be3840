//! What JSON means as a value of a type, said a second time.

use bailiwick_domain::wit::{Case, WitType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Whole numbers up to here are the same in every reader of JSON.
const EXACT: u128 = (1 << 53) - 1;

/// A value, in a form that is equal exactly where the values are.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Bool(bool),
    Integer(i128),
    /// Bits, all of what is not a number being one.
    F32(u32),
    F64(u64),
    Text(String),
    /// The elements of a list, a tuple or a record.
    Many(Vec<Meaning>),
    Nothing,
    Something(Box<Meaning>),
    /// A case of a variant, an enum or a result, with its payload.
    Case(String, Option<Box<Meaning>>),
    Flags(Vec<String>),
}

/// `None` where the JSON does not fit the type.
pub(super) fn of(ty: &WitType, value: &Value) -> Option<Meaning> {
    match ty {
        WitType::Bool => value.as_bool().map(Meaning::Bool),
        WitType::S8 => integer(value, i8::MIN.into(), i8::MAX.into(), false),
        WitType::U8 => integer(value, 0, u8::MAX.into(), false),
        WitType::S16 => integer(value, i16::MIN.into(), i16::MAX.into(), false),
        WitType::U16 => integer(value, 0, u16::MAX.into(), false),
        WitType::S32 => integer(value, i32::MIN.into(), i32::MAX.into(), false),
        WitType::U32 => integer(value, 0, u32::MAX.into(), false),
        WitType::S64 => integer(value, i64::MIN.into(), i64::MAX.into(), true),
        WitType::U64 => integer(value, 0, u64::MAX.into(), true),
        WitType::F32 => float(value, true),
        WitType::F64 => float(value, false),
        WitType::Char => {
            value.as_str().filter(|text| text.chars().count() == 1).map(|text| Meaning::Text(text.to_owned()))
        }
        WitType::String => value.as_str().map(|text| Meaning::Text(text.to_owned())),
        WitType::List(element) => list(element, value),
        WitType::Tuple(types) => {
            let items = value.as_array().filter(|items| items.len() == types.len())?;
            many(types.iter().zip(items).map(|(ty, item)| of(ty, item)))
        }
        WitType::Option(_) if value.is_null() => Some(Meaning::Nothing),
        WitType::Option(inner) => {
            let value = if matches!(**inner, WitType::Option(_)) { entry(value, "some")? } else { value };
            of(inner, value).map(|value| Meaning::Something(Box::new(value)))
        }
        WitType::Result { ok, err } => {
            let ok = entry(value, "ok").map(|value| ("ok", ok, value));
            let (name, ty, value) = ok.or_else(|| entry(value, "err").map(|value| ("err", err, value)))?;
            payload(name, ty.as_deref(), value)
        }
        WitType::Record { fields, .. } => {
            let object = value.as_object()?;
            let strange = object.keys().any(|key| fields.iter().all(|field| field.name != *key));
            let field = |(name, ty): (&String, &WitType)| match object.get(name) {
                None if matches!(ty, WitType::Option(_)) => Some(Meaning::Nothing),
                value => of(ty, value?),
            };
            let values = many(fields.iter().map(|it| field((&it.name, &it.ty))));
            values.filter(|_| !strange)
        }
        WitType::Variant { cases, .. } => variant(cases, value),
        WitType::Enum { cases, .. } => {
            let name = value.as_str()?;
            cases.iter().any(|case| case.name == name).then(|| Meaning::Case(name.to_owned(), None))
        }
        WitType::Flags { flags, .. } => {
            let names: Vec<&str> = value.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
            let known = names.iter().all(|name| flags.iter().any(|flag| flag.name == **name));
            let once = names.iter().enumerate().all(|(index, name)| !names[..index].contains(name));
            (known && once).then(|| Meaning::Flags(names.into_iter().map(str::to_owned).collect()))
        }
    }
}

fn many(values: impl Iterator<Item = Option<Meaning>>) -> Option<Meaning> {
    values.collect::<Option<Vec<_>>>().map(Meaning::Many)
}

/// A number without a fraction; where the type is `wide`, also its digits as text.
fn integer(value: &Value, min: i128, max: i128, wide: bool) -> Option<Meaning> {
    let number = match value {
        Value::Number(number) => match number.to_string().parse::<i128>() {
            Ok(number) => number,
            // With a fraction or an exponent it is a float, which is exact only so far.
            Err(_) => number
                .as_f64()
                .filter(|float| float.fract() == 0.0)
                .map(whole)
                .filter(|it| it.unsigned_abs() <= EXACT)?,
        },
        Value::String(text) if wide => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let good = !digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| good)?
        }
        _ => return None,
    };
    (min..=max).contains(&number).then_some(Meaning::Integer(number))
}

#[expect(clippy::cast_possible_truncation, reason = "a float beyond 128 bits becomes the nearest, which is too large")]
fn whole(float: f64) -> i128 {
    float as i128
}

#[expect(clippy::cast_possible_truncation, reason = "to round to the nearest is what is meant")]
fn float(value: &Value, narrow: bool) -> Option<Meaning> {
    let (wide, said) = match value {
        Value::Number(number) => (number.as_f64()?, number.to_string().parse::<i128>().ok()),
        Value::String(text) => match text.as_str() {
            "NaN" => (f64::NAN, None),
            "Infinity" => (f64::INFINITY, None),
            "-Infinity" => (f64::NEG_INFINITY, None),
            _ => return None,
        },
        _ => return None,
    };
    let float = if narrow { f64::from(wide as f32) } else { wide };
    let too_large = float.is_infinite() && wide.is_finite();
    let changed = said.is_some_and(|integer| whole(float) != integer);
    let bits = if float.is_nan() { f64::NAN } else { float };
    let meaning = if narrow { Meaning::F32((bits as f32).to_bits()) } else { Meaning::F64(bits.to_bits()) };
    (!too_large && !changed).then_some(meaning)
}

/// Bytes are also written as base64.
fn list(element: &WitType, value: &Value) -> Option<Meaning> {
    if let (WitType::U8, Value::String(text)) = (element, value) {
        let bytes = STANDARD.decode(text).ok()?;
        return many(bytes.into_iter().map(|byte| Some(Meaning::Integer(byte.into()))));
    }
    many(value.as_array()?.iter().map(|item| of(element, item)))
}

fn variant(cases: &[Case], value: &Value) -> Option<Meaning> {
    let find = |name: &str| cases.iter().find(|case| case.name == name);
    if let Value::String(name) = value {
        return find(name).filter(|case| case.ty.is_none()).map(|_| Meaning::Case(name.clone(), None));
    }
    let name = value.as_object()?.keys().next()?;
    payload(name, find(name)?.ty.as_ref(), entry(value, name)?)
}

fn payload(name: &str, ty: Option<&WitType>, value: &Value) -> Option<Meaning> {
    let payload = match ty {
        Some(ty) => Some(Box::new(of(ty, value)?)),
        None => value.is_null().then_some(None)?,
    };
    Some(Meaning::Case(name.to_owned(), payload))
}

/// The value of the only entry, if that is `key`.
fn entry<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.as_object().filter(|object| object.len() == 1)?.get(key)
}
