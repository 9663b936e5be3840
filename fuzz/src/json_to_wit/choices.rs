//! Types, and JSON that mostly fits them, from a fuzzer's bytes.

use arbitrary::{Result, Unstructured};
use bailiwick_domain::wit::{Case, Field, WitType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value, json};

/// How deep types are; the text of arguments may be 127 deep.
pub(super) const DEPTH: u8 = 5;

/// Most cases, fields and items.
const MANY: usize = 4;

/// Names, some of which are awkward in a JSON Pointer.
const NAMES: [&str; 8] = ["a", "b", "ok", "err", "some", "a/b", "a~b", "~1"];

/// Whole numbers around which something changes.
const EDGES: [i128; 16] = [
    0,
    1,
    -1,
    127,
    128,
    -129,
    255,
    256,
    32767,
    65536,
    4_294_967_295,
    16_777_217,
    9_007_199_254_740_991,
    9_007_199_254_740_993,
    18_446_744_073_709_551_615,
    -9_223_372_036_854_775_808,
];

const FLOATS: [f64; 10] = [-0.0, 0.1, 1.5, -7.0, 1e16, 3.402_823_5e38, 3.402_823_6e38, 1e-46, 5e-324, 1.797e308];

pub(super) fn ty(u: &mut Unstructured<'_>, depth: u8) -> Result<WitType> {
    let boxed = |u: &mut Unstructured<'_>| ty(u, depth - 1).map(Box::new);
    Ok(match u.int_in_range(0..=if depth == 0 { 14 } else { 20 })? {
        0 => WitType::Bool,
        1 => WitType::S8,
        2 => WitType::U8,
        3 => WitType::S16,
        4 => WitType::U16,
        5 => WitType::S32,
        6 => WitType::U32,
        7 => WitType::S64,
        8 => WitType::U64,
        9 => WitType::F32,
        10 => WitType::F64,
        11 => WitType::Char,
        12 => WitType::String,
        13 => WitType::Enum { docs: None, cases: cases(u, |_| Ok(None))? },
        14 => WitType::Flags { docs: None, flags: cases(u, |_| Ok(None))? },
        15 => WitType::List(boxed(u)?),
        16 => WitType::Option(boxed(u)?),
        17 => WitType::Tuple((0..=u.int_in_range(0..=MANY - 1)?).map(|_| ty(u, depth - 1)).collect::<Result<_>>()?),
        18 => WitType::Record { docs: None, fields: fields(u, depth - 1)? },
        19 => WitType::Variant { docs: None, cases: cases(u, |u| maybe(u, |u| ty(u, depth - 1)))? },
        _ => WitType::Result { ok: maybe(u, boxed)?, err: maybe(u, boxed)? },
    })
}

fn maybe<T>(u: &mut Unstructured<'_>, one: impl Fn(&mut Unstructured<'_>) -> Result<T>) -> Result<Option<T>> {
    if u.arbitrary()? { one(u).map(Some) } else { Ok(None) }
}

/// Names beside each other in the list are different ones.
fn names(u: &mut Unstructured<'_>) -> Result<impl Iterator<Item = String> + use<>> {
    let (first, count) = (u.int_in_range(0..=NAMES.len() - 1)?, u.int_in_range(1..=MANY)?);
    Ok(NAMES.iter().cycle().skip(first).take(count).map(|name| (*name).to_owned()))
}

fn cases(
    u: &mut Unstructured<'_>,
    payload: impl Fn(&mut Unstructured<'_>) -> Result<Option<WitType>>,
) -> Result<Vec<Case>> {
    names(u)?.map(|name| Ok(Case { name, ty: payload(u)?, docs: None })).collect()
}

fn fields(u: &mut Unstructured<'_>, depth: u8) -> Result<Vec<Field>> {
    names(u)?.map(|name| Ok(Field { name, ty: ty(u, depth)?, docs: None })).collect()
}

/// JSON for a type: one value in sixteen is any.
pub(super) fn value(u: &mut Unstructured<'_>, ty: &WitType) -> Result<Value> {
    if u.ratio(1, 16)? {
        return any(u, 2);
    }
    Ok(match ty {
        WitType::Bool => Value::Bool(u.arbitrary()?),
        WitType::S8 | WitType::U8 | WitType::S16 | WitType::U16 | WitType::S32 | WitType::U32 => number(u)?,
        WitType::S64 | WitType::U64 if u.ratio(1, 3)? => Value::String(u.choose(&EDGES)?.to_string()),
        WitType::S64 | WitType::U64 | WitType::F32 | WitType::F64 => match u.int_in_range(0..=7)? {
            0 => json!("NaN"),
            1 => json!("-Infinity"),
            _ => number(u)?,
        },
        WitType::Char => Value::String(u.arbitrary::<char>()?.to_string()),
        WitType::String => Value::String(u.arbitrary()?),
        WitType::List(element) if **element == WitType::U8 && u.arbitrary()? => {
            Value::String(STANDARD.encode(u.arbitrary::<Vec<u8>>()?))
        }
        WitType::List(element) => (0..u.int_in_range(0..=MANY)?).map(|_| value(u, element)).collect::<Result<_>>()?,
        WitType::Tuple(types) => types.iter().map(|ty| value(u, ty)).collect::<Result<_>>()?,
        WitType::Option(_) if u.arbitrary()? => Value::Null,
        WitType::Option(inner) if inner.admits_null() => json!({ "some": value(u, inner)? }),
        WitType::Option(inner) => value(u, inner)?,
        WitType::Result { ok, err } => {
            let (name, ty) = if u.arbitrary()? { ("ok", ok) } else { ("err", err) };
            json!({ name: payload(u, ty.as_deref())? })
        }
        WitType::Record { fields, .. } => {
            let mut object = Map::new();
            for field in fields {
                if !u.ratio(1, 32)? {
                    object.insert(field.name.clone(), value(u, &field.ty)?);
                }
            }
            Value::Object(object)
        }
        WitType::Variant { cases, .. } => {
            let case = u.choose(cases)?;
            match &case.ty {
                None => Value::String(case.name.clone()),
                ty => json!({ case.name.as_str(): payload(u, ty.as_ref())? }),
            }
        }
        WitType::Enum { cases, .. } => Value::String(u.choose(cases)?.name.clone()),
        WitType::Flags { flags, .. } => (0..u.int_in_range(0..=MANY)?)
            .map(|_| Ok(Value::String(u.choose(flags)?.name.clone())))
            .collect::<Result<_>>()?,
    })
}

fn payload(u: &mut Unstructured<'_>, ty: Option<&WitType>) -> Result<Value> {
    ty.map_or(Ok(Value::Null), |ty| value(u, ty))
}

fn number(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=5)? {
        0 => Number::from_f64(*u.choose(&FLOATS)?).map_or(Value::Null, Value::Number),
        1 => Number::from_f64(u.arbitrary()?).map_or(Value::Null, Value::Number),
        2 => Value::from(u.arbitrary::<i64>()?),
        3 => Value::from(u.arbitrary::<u8>()?),
        _ => Number::from_i128(*u.choose(&EDGES)?).map_or(Value::Null, Value::Number),
    })
}

fn any(u: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    Ok(match u.int_in_range(0..=if depth == 0 { 3 } else { 5 })? {
        0 => Value::Null,
        1 => Value::Bool(u.arbitrary()?),
        2 => number(u)?,
        3 => Value::String((*u.choose(&NAMES)?).to_owned()),
        4 => (0..u.int_in_range(0..=MANY)?).map(|_| any(u, depth - 1)).collect::<Result<_>>()?,
        _ => {
            let keys: Vec<String> = names(u)?.collect();
            keys.into_iter().map(|key| Ok((key, any(u, depth - 1)?))).collect::<Result<Map<_, _>>>()?.into()
        }
    })
}
