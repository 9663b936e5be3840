//! Builtins over single values.

use super::Table;
use crate::limits::{MAX_DEPTH, MAX_FILL};
use crate::{failure, parse, value};
use jaq_core::Error;
use jaq_core::native::{bome, v};
use jaq_json::{Map, Num, Rc, Val};
use jaq_std::ValT as _;

pub fn table() -> Table<5> {
    [
        ("set_path", v(2), |mut cv| {
            let (value, path) = (cv.0.pop_var(), cv.0.pop_var());
            bome(set_path(cv.1, path, value))
        }),
        ("fromjson", v(0), |cv| bome(from_json(cv.1))),
        ("length", v(0), |cv| bome(length(cv.1))),
        // What `debug` and `stderr` print before they pass their input on:
        // nothing, for there is no one to read it.
        ("debug_empty", v(0), |_| Box::new(std::iter::empty())),
        ("stderr_empty", v(0), |_| Box::new(std::iter::empty())),
    ]
}

/// jaq's own can't set a path below null, which is how documents are built up.
fn set_path(root: Val, path: Val, value: Val) -> Result<Val, Error<Val>> {
    let Val::Arr(steps) = &path else {
        return Err(Error::typ(path, "path, which is an array"));
    };
    if steps.len() > MAX_DEPTH {
        return Err(Error::str(format_args!("a path has {} steps; at most {MAX_DEPTH} are taken", steps.len())));
    }
    set(root, steps, value)
}

fn set(root: Val, steps: &[Val], value: Val) -> Result<Val, Error<Val>> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(value);
    };
    match (root, step) {
        (Val::Null, Val::TStr(_)) => set(Val::obj(Map::default()), steps, value),
        (Val::Null, Val::Num(_)) => set(Val::Arr(Rc::default()), steps, value),
        (Val::Obj(mut members), key @ Val::TStr(_)) => {
            let slot = Rc::make_mut(&mut members).entry(key.clone()).or_default();
            *slot = set(std::mem::take(slot), rest, value)?;
            Ok(Val::Obj(members))
        }
        (Val::Arr(mut items), index @ Val::Num(_)) => {
            let index = place(index, items.len())?;
            let items_mut = Rc::make_mut(&mut items);
            items_mut.resize_with(items_mut.len().max(index + 1), Val::default);
            let slot = &mut items_mut[index];
            *slot = set(std::mem::take(slot), rest, value)?;
            Ok(Val::Arr(items))
        }
        (other, step) => Err(Error::index(other, step.clone())),
    }
}

/// Where an index points; a negative one counts from the end.
fn place(index: &Val, length: usize) -> Result<usize, Error<Val>> {
    let Some(at) = index.as_isize() else {
        return Err(Error::typ(index.clone(), "integer index"));
    };
    let place = match usize::try_from(at) {
        Ok(place) => Some(place),
        Err(_) => length.checked_sub(at.unsigned_abs()),
    };
    place
        .filter(|place| *place < length.max(MAX_FILL))
        .ok_or_else(|| Error::str(format_args!("index {index} is out of bounds: the array has {length} elements")))
}

/// jaq's own reads a superset of JSON and recurses without bound.
fn from_json(text: Val) -> Result<Val, Error<Val>> {
    let Val::TStr(bytes) = &text else {
        return Err(Error::typ(text, "string"));
    };
    let text = std::str::from_utf8(bytes).map_err(Error::str)?;
    let parsed = parse::one("the string", text);
    parsed.map(value::from_json).map_err(|failure| Error::str(failure::describe(&failure)))
}

/// jaq's own overflows at the smallest machine integer, and turns a decimal
/// into a double only to drop its sign.
fn length(value: Val) -> Result<Val, Error<Val>> {
    Ok(match value {
        Val::Null => Val::from(0usize),
        Val::Bool(_) => return Err(Error::str(format_args!("{value} has no length"))),
        Val::Num(number) => Val::Num(magnitude(number)),
        Val::TStr(bytes) => Val::from(String::from_utf8_lossy(&bytes).chars().count()),
        Val::BStr(bytes) => Val::from(bytes.len()),
        Val::Arr(items) => Val::from(items.len()),
        Val::Obj(members) => Val::from(members.len()),
    })
}

fn magnitude(number: Num) -> Num {
    match number {
        Num::Float(f) => Num::Float(f.abs()),
        Num::Dec(text) => match text.strip_prefix('-') {
            Some(positive) => Num::Dec(Rc::new(positive.to_owned())),
            None => Num::Dec(text),
        },
        integer if integer < Num::Int(0) => -integer,
        integer => integer,
    }
}
