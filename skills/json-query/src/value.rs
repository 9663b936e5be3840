//! Between JSON as it was written and the values that jq calculates with.

use crate::failure::{runtime, too_large};
use crate::json::Json;
use crate::limits::{MAX_DEPTH, MAX_INTEGER_DIGITS, MAX_RESULT_BYTES};
use crate::wit::Failure;
use crate::write;
use jaq_json::{Map, Num, Rc, Val};

/// A value for jq. Of members with one key, the last one counts, as in jq.
pub fn from_json(value: Json) -> Val {
    match value {
        Json::Null => Val::Null,
        Json::Bool(b) => Val::Bool(b),
        Json::Number(text) => Val::Num(number(&text)),
        Json::String(text) => string(text),
        Json::Array(items) => items.into_iter().map(from_json).collect(),
        Json::Object(members) => {
            let members = members.into_iter();
            let map: Map = members.map(|(key, item)| (string(key), from_json(item))).collect();
            Val::obj(map)
        }
    }
}

/// A result as compact JSON text, or as bare characters when `raw` and a string.
pub fn to_text(value: &Val, raw: bool) -> Result<String, Failure> {
    let mut out = String::new();
    match value {
        Val::TStr(bytes) if raw => out.push_str(utf8(bytes)?),
        value => write_value(value, 0, &mut out)?,
    }
    if out.len() > MAX_RESULT_BYTES {
        return Err(oversized());
    }
    Ok(out)
}

fn string(text: Box<str>) -> Val {
    Val::utf8_str(String::from(text).into_bytes())
}

fn number(text: &str) -> Num {
    let is_integer = text.bytes().all(|b| b == b'-' || b.is_ascii_digit());
    // jq's integers have no negative zero, so that one stays text.
    let is_integer = is_integer && text != "-0" && text.len() <= MAX_INTEGER_DIGITS;
    let integer = is_integer.then(|| Num::from_str_radix(text, 10));
    integer.flatten().unwrap_or_else(|| Num::Dec(Rc::new(text.to_owned())))
}

fn write_value(value: &Val, depth: usize, out: &mut String) -> Result<(), Failure> {
    if out.len() > MAX_RESULT_BYTES {
        return Err(oversized());
    }
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(true) => out.push_str("true"),
        Val::Bool(false) => out.push_str("false"),
        Val::Num(number @ Num::Float(f)) if !f.is_finite() => {
            return Err(runtime(format!("a result holds {number}, which is not a JSON number")));
        }
        Val::Num(number) => out.push_str(&number.to_string()),
        Val::TStr(bytes) => write::string(utf8(bytes)?, out),
        Val::BStr(_) => {
            return Err(runtime("a result holds bytes; encode them with @base64"));
        }
        Val::Arr(items) => {
            let depth = deeper(depth)?;
            let items = items.iter().map(|item| (None, item));
            write_sequence(['[', ']'], items, depth, out)?;
        }
        Val::Obj(members) => {
            let depth = deeper(depth)?;
            let members = members.iter().map(|(key, item)| (Some(key), item));
            write_sequence(['{', '}'], members, depth, out)?;
        }
    }
    Ok(())
}

fn write_sequence<'a>(
    [open, close]: [char; 2],
    items: impl Iterator<Item = (Option<&'a Val>, &'a Val)>,
    depth: usize,
    out: &mut String,
) -> Result<(), Failure> {
    out.push(open);
    for (index, (key, item)) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        match key {
            None => {}
            Some(Val::TStr(bytes)) => {
                write::string(utf8(bytes)?, out);
                out.push(':');
            }
            Some(key) => {
                return Err(runtime(format!(
                    "a result has the object key {key}, but JSON keys are strings: use tostring"
                )));
            }
        }
        write_value(item, depth, out)?;
    }
    out.push(close);
    Ok(())
}

fn deeper(depth: usize) -> Result<usize, Failure> {
    if depth == MAX_DEPTH {
        return Err(too_large(format!("a result nests deeper than {MAX_DEPTH} levels")));
    }
    Ok(depth + 1)
}

fn utf8(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|error| runtime(format!("a result holds a string that is not UTF-8: {error}")))
}

fn oversized() -> Failure {
    too_large(format!("one result has more than {MAX_RESULT_BYTES} bytes"))
}
