//! JSON that fits a type of WIT and JSON that doesn't, by the rules of
//! docs/decisions/0004-json-by-types.md, said here once more and from the WIT
//! itself: neither the host's schemas nor its own types have a part in it.

use serde_json::{Map, Value, json};
use wit_parser::{Field, Param, Resolve, Type, TypeDefKind};

/// A value that fits, with how the host writes it where it comes back.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    pub(super) given: Value,
    pub(super) back: Value,
}

/// A value that doesn't fit.
#[derive(Clone, Debug)]
pub(super) struct Misfit {
    pub(super) given: Value,
    /// Whether JSON Schema can say so. It has no words for base64, for the range
    /// of a number that is written as text, and for what a float can hold.
    pub(super) in_schema: bool,
}

/// A field or a parameter: its name and its type.
type Slot<'a> = (&'a str, &'a Type);

/// The largest integer that every reader of JSON takes as it is.
const EXACT: u64 = (1 << 53) - 1;

/// Fits of `ty`: everything that is different about it, one thing at a time, and
/// its most ordinary value first.
pub(super) fn fits(resolve: &Resolve, ty: &Type) -> Vec<Fit> {
    match ty {
        Type::Bool => same([json!(true), json!(false)]),
        Type::S8 => integers(i8::MIN.into(), i8::MAX.into()),
        Type::U8 => integers(0, u8::MAX.into()),
        Type::S16 => integers(i16::MIN.into(), i16::MAX.into()),
        Type::U16 => integers(0, u16::MAX.into()),
        Type::S32 => integers(i32::MIN.into(), i32::MAX.into()),
        Type::U32 => integers(0, u32::MAX.into()),
        Type::S64 => wide(json!(i64::MIN.to_string()), json!(i64::MAX.to_string())),
        Type::U64 => wide(json!(0), json!(u64::MAX.to_string())),
        Type::F32 => floats(&[json!(0.1), json!(-3.0e38), json!(1.0e-45)]),
        Type::F64 => floats(&[json!(0.1), json!(-1.0e308), json!(5.0e-324)]),
        Type::Char => same(["k", "ß", "\u{1F355}", "\u{10FFFF}", "\0"].map(Value::from)),
        Type::String => same(["kettle", "", "\"two\"\nlines\\", "Zoë \u{1F355}", "nul \0 nul"].map(Value::from)),
        Type::ErrorContext => panic!("no JSON for error-context"),
        Type::Id(id) => fits_of_kind(resolve, &resolve.types[*id].kind),
    }
}

fn fits_of_kind(resolve: &Resolve, kind: &TypeDefKind) -> Vec<Fit> {
    match kind {
        TypeDefKind::Type(ty) => fits(resolve, ty),
        TypeDefKind::Record(record) => record_fits(resolve, &slots(&record.fields)),
        TypeDefKind::Tuple(tuple) => each_in_turn(tuple.types.iter().map(|ty| fits(resolve, ty)).collect()),
        TypeDefKind::List(Type::U8) => same(["AAEC/w==", "", "YQ=="].map(Value::from)),
        TypeDefKind::List(item) => {
            let items = fits(resolve, item);
            vec![list(&items[..1]), list(&[]), list(&items)]
        }
        TypeDefKind::Option(inner) if is_option(resolve, inner) => {
            let mut found = wrapped("some", fits(resolve, inner));
            found.extend(same([Value::Null]));
            found
        }
        TypeDefKind::Option(inner) => {
            let mut found = fits(resolve, inner);
            found.extend(same([Value::Null]));
            found
        }
        TypeDefKind::Result(result) => {
            let mut found = wrapped("ok", payload(resolve, result.ok.as_ref()));
            found.extend(wrapped("err", payload(resolve, result.err.as_ref())));
            found
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| match &case.ty {
                Some(ty) => wrapped(&case.name, fits(resolve, ty)),
                None => same([json!(case.name)]),
            });
            cases.flatten().collect()
        }
        TypeDefKind::Enum(of) => same(of.cases.iter().map(|case| json!(case.name))),
        TypeDefKind::Flags(flags) => {
            let names: Vec<&str> = flags.flags.iter().map(|flag| flag.name.as_str()).collect();
            let mut found = same([json!(names[..1]), json!([]), json!(names)]);
            // In whatever order they come, they go back in that of the type.
            let backwards: Vec<_> = names.iter().rev().collect();
            found.push(Fit { given: json!(backwards), back: json!(names) });
            found
        }
        other => panic!("no JSON for {}", other.as_str()),
    }
}

/// Values that `ty` has no place for: each thing that can be wrong, one at a time.
pub(super) fn misfits(resolve: &Resolve, ty: &Type) -> Vec<Misfit> {
    match ty {
        Type::Bool => wrong([json!(1), json!("true"), json!(null)]),
        Type::S8 => no_integers(i8::MIN.into(), i8::MAX.into()),
        Type::U8 => no_integers(0, u8::MAX.into()),
        Type::S16 => no_integers(i16::MIN.into(), i16::MAX.into()),
        Type::U16 => no_integers(0, u16::MAX.into()),
        Type::S32 => no_integers(i32::MIN.into(), i32::MAX.into()),
        Type::U32 => no_integers(0, u32::MAX.into()),
        Type::S64 => not_wide(["9223372036854775808", "-9223372036854775809"]),
        Type::U64 => not_wide(["18446744073709551616", "99999999999999999999"]),
        Type::F32 => [no_floats(), unsaid([json!(1.0e39), json!(16_777_217)])].concat(),
        Type::F64 => [no_floats(), unsaid([json!(EXACT + 2)])].concat(),
        Type::Char => wrong([json!(""), json!("ab"), json!("e\u{301}"), json!(107), json!(null)]),
        Type::String => wrong([json!(7), json!(null), json!(["kettle"])]),
        Type::ErrorContext => panic!("no JSON for error-context"),
        Type::Id(id) => misfits_of_kind(resolve, &resolve.types[*id].kind),
    }
}

fn misfits_of_kind(resolve: &Resolve, kind: &TypeDefKind) -> Vec<Misfit> {
    match kind {
        TypeDefKind::Type(ty) => misfits(resolve, ty),
        TypeDefKind::Record(record) => record_misfits(resolve, &slots(&record.fields)),
        TypeDefKind::Tuple(tuple) => tuple_misfits(resolve, &tuple.types),
        TypeDefKind::List(Type::U8) => {
            [wrong([json!(7), json!({})]), unsaid([json!("no base64!"), json!("A")])].concat()
        }
        TypeDefKind::List(item) => {
            let mut found = wrong([json!({}), json!("list"), json!(null)]);
            let ordinary = &fits(resolve, item)[0].given;
            found.extend(misfits(resolve, item).into_iter().map(|it| it.within(|wrong| json!([ordinary, wrong]))));
            found
        }
        TypeDefKind::Option(inner) if is_option(resolve, inner) => {
            let bare = fits(resolve, inner).into_iter().map(|fit| fit.given).filter(|value| !value.is_null());
            let mut found = wrong(bare.take(1).chain([json!({}), json!({ "none": null })]));
            found.extend(misfits(resolve, inner).into_iter().map(|it| it.within(|wrong| json!({ "some": wrong }))));
            found
        }
        TypeDefKind::Option(inner) => {
            misfits(resolve, inner).into_iter().filter(|misfit| !misfit.given.is_null()).collect()
        }
        TypeDefKind::Result(result) => {
            let mut found = wrong([json!({}), json!("ok"), json!(null), json!({ "fine": null })]);
            found.extend(payload_misfits(resolve, "ok", result.ok.as_ref()));
            found.extend(payload_misfits(resolve, "err", result.err.as_ref()));
            found
        }
        TypeDefKind::Variant(variant) => {
            let mut found = wrong([json!("no-such-case"), json!({ "no-such-case": null }), json!({}), json!(null)]);
            for case in &variant.cases {
                match &case.ty {
                    Some(_) => {
                        found.extend(wrong([json!(case.name)]));
                        found.extend(payload_misfits(resolve, &case.name, case.ty.as_ref()));
                    }
                    None => found.extend(wrong([json!({ &case.name: "payload" })])),
                }
            }
            found
        }
        TypeDefKind::Enum(of) => wrong([json!("no-such-case"), json!(of.cases[0].name.to_uppercase()), json!(0)]),
        TypeDefKind::Flags(flags) => {
            let first = &flags.flags[0].name;
            wrong([json!([first, first]), json!(["no-such-flag"]), json!(first), json!({ first: true }), json!([0])])
        }
        other => panic!("no JSON for {}", other.as_str()),
    }
}

/// The arguments of a function, by the types of its parameters.
pub(super) fn argument_fits(resolve: &Resolve, params: &[Param]) -> Vec<Fit> {
    record_fits(resolve, &parameters(params))
}

/// Arguments that are wrong in one place.
pub(super) fn argument_misfits(resolve: &Resolve, params: &[Param]) -> Vec<Misfit> {
    // The envelope of a call asks for an object, whatever the tool is.
    record_misfits(resolve, &parameters(params)).into_iter().filter(|misfit| misfit.given.is_object()).collect()
}

fn slots(fields: &[Field]) -> Vec<Slot<'_>> {
    fields.iter().map(|field| (field.name.as_str(), &field.ty)).collect()
}

fn parameters(params: &[Param]) -> Vec<Slot<'_>> {
    params.iter().map(|param| (param.name.as_str(), &param.ty)).collect()
}

fn record_fits(resolve: &Resolve, slots: &[Slot<'_>]) -> Vec<Fit> {
    let object = |values: &[Value]| -> Value {
        slots
            .iter()
            .zip(values)
            .map(|((name, _), value)| ((*name).to_owned(), value.clone()))
            .collect::<Map<_, _>>()
            .into()
    };
    let values = each_in_turn(slots.iter().map(|(_, ty)| fits(resolve, ty)).collect());
    let mut found: Vec<Fit> = values
        .into_iter()
        .map(|fit| Fit { given: object(fit.given.as_array().unwrap()), back: object(fit.back.as_array().unwrap()) })
        .collect();
    // What is optional may be left out, and comes back as nothing.
    let mut least = found[0].clone();
    for (name, _) in slots.iter().filter(|(_, ty)| is_option(resolve, ty)) {
        least.given.as_object_mut().unwrap().remove(*name);
        least.back[*name] = Value::Null;
    }
    found.push(least);
    found
}

fn record_misfits(resolve: &Resolve, slots: &[Slot<'_>]) -> Vec<Misfit> {
    let ordinary = record_fits(resolve, slots).swap_remove(0).given;
    let with = |name: &str, value: Value| {
        let mut object = ordinary.clone();
        object[name] = value;
        object
    };
    let mut found = wrong([json!([]), json!(null), json!("record"), with("no-such-field", json!(null))]);
    for (name, ty) in slots {
        let inner = misfits(resolve, ty).into_iter();
        found.extend(inner.map(|misfit| misfit.within(|wrong| with(name, wrong))));
        if !is_option(resolve, ty) {
            let mut object = ordinary.clone();
            object.as_object_mut().unwrap().remove(*name);
            found.extend(wrong([object]));
        }
    }
    found
}

fn tuple_misfits(resolve: &Resolve, types: &[Type]) -> Vec<Misfit> {
    let ordinary: Vec<Value> = types.iter().map(|ty| fits(resolve, ty).swap_remove(0).given).collect();
    let too_long = [&ordinary[..], &[json!(null)]].concat();
    let mut found = wrong([json!(ordinary[1..]), json!(too_long), json!({}), json!(null)]);
    for (index, ty) in types.iter().enumerate() {
        let put = |wrong: Value| {
            let mut items = ordinary.clone();
            items[index] = wrong;
            json!(items)
        };
        found.extend(misfits(resolve, ty).into_iter().map(|misfit| misfit.within(put)));
    }
    found
}

/// One value of each place, of which one place after the other takes all that it can be.
fn each_in_turn(places: Vec<Vec<Fit>>) -> Vec<Fit> {
    let ordinary: Vec<Fit> = places.iter().map(|fits| fits[0].clone()).collect();
    let mut found = vec![list(&ordinary)];
    for (index, fits) in places.into_iter().enumerate() {
        for fit in fits.into_iter().skip(1) {
            let mut items = ordinary.clone();
            items[index] = fit;
            found.push(list(&items));
        }
    }
    found
}

fn list(items: &[Fit]) -> Fit {
    let (given, back) = items.iter().map(|fit| (fit.given.clone(), fit.back.clone())).unzip();
    Fit { given: Value::Array(given), back: Value::Array(back) }
}

fn wrapped(key: &str, fits: Vec<Fit>) -> Vec<Fit> {
    fits.into_iter().map(|fit| Fit { given: json!({ key: fit.given }), back: json!({ key: fit.back }) }).collect()
}

/// What stands behind `ok` or `err`: null, where there is no payload.
fn payload(resolve: &Resolve, ty: Option<&Type>) -> Vec<Fit> {
    ty.map_or_else(|| same([Value::Null]), |ty| fits(resolve, ty))
}

fn payload_misfits(resolve: &Resolve, key: &str, ty: Option<&Type>) -> Vec<Misfit> {
    let inner = ty.map_or_else(|| wrong([json!(0), json!({})]), |ty| misfits(resolve, ty));
    inner.into_iter().map(|misfit| misfit.within(|wrong| json!({ key: wrong }))).collect()
}

fn is_option(resolve: &Resolve, ty: &Type) -> bool {
    let Type::Id(id) = ty else { return false };
    match &resolve.types[*id].kind {
        TypeDefKind::Option(_) => true,
        TypeDefKind::Type(ty) => is_option(resolve, ty),
        _ => false,
    }
}

fn integers(min: i64, max: i64) -> Vec<Fit> {
    let mut found = same([json!(7), json!(0), json!(min), json!(max)]);
    found.push(Fit { given: json!(12.0), back: json!(12) });
    found
}

fn wide(min: Value, max: Value) -> Vec<Fit> {
    let mut found = same([json!(7), json!(0), json!(EXACT), json!((EXACT + 1).to_string()), min, max]);
    found.push(Fit { given: json!("12"), back: json!(12) });
    found.push(Fit { given: json!(EXACT + 1), back: json!((EXACT + 1).to_string()) });
    found
}

fn floats(own: &[Value]) -> Vec<Fit> {
    let mut found = same([json!(1.5), json!(-0.0)]);
    found.extend(same(own.iter().cloned()));
    found.extend(same(["NaN", "Infinity", "-Infinity"].map(Value::from)));
    found.push(Fit { given: json!(3), back: json!(3.0) });
    found
}

fn no_integers(min: i64, max: i64) -> Vec<Misfit> {
    wrong([json!(min - 1), json!(max + 1), json!(1.5), json!("7"), json!(true), json!(null)])
}

fn not_wide(out_of_range: [&str; 2]) -> Vec<Misfit> {
    let beyond = [json!(1.0e20), json!(-1.0e20), json!(1.5)];
    let no_digits = ["", "1e3", "0x7", " 7", "seven"].map(Value::from);
    [wrong(beyond), wrong(no_digits), wrong([json!(true), json!(null)]), unsaid(out_of_range.map(Value::from))].concat()
}

fn no_floats() -> Vec<Misfit> {
    wrong([json!("1.5"), json!("nan"), json!(true), json!(null)])
}

fn same(values: impl IntoIterator<Item = Value>) -> Vec<Fit> {
    values.into_iter().map(|value| Fit { given: value.clone(), back: value }).collect()
}

fn wrong(values: impl IntoIterator<Item = Value>) -> Vec<Misfit> {
    values.into_iter().map(|given| Misfit { given, in_schema: true }).collect()
}

fn unsaid(values: impl IntoIterator<Item = Value>) -> Vec<Misfit> {
    values.into_iter().map(|given| Misfit { given, in_schema: false }).collect()
}

impl Misfit {
    fn within(self, put: impl Fn(Value) -> Value) -> Self {
        Self { given: put(self.given), ..self }
    }
}
