//! JSON Pointer (RFC 6901).

use crate::failure::{duplicate_key, invalid_argument, not_found};
use crate::json::{self, Json};
use crate::wit::Failure;

/// The value that a pointer names.
pub fn get<'a>(root: &'a Json, pointer: &str) -> Result<&'a Json, Failure> {
    let mut value = root;
    let mut walked = String::new();
    for token in tokens(pointer)? {
        value = step(value, &token, &walked)?;
        push(&mut walked, &token);
    }
    Ok(value)
}

/// Appends a key or an index to a pointer.
pub fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

fn tokens(pointer: &str) -> Result<Vec<String>, Failure> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let Some(path) = pointer.strip_prefix('/') else {
        return Err(invalid_argument(format!("pointer {pointer:?} must be empty or begin with `/`")));
    };
    path.split('/').map(unescape).collect()
}

fn unescape(token: &str) -> Result<String, Failure> {
    let mut plain = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        match c {
            '~' => match chars.next() {
                Some('0') => plain.push('~'),
                Some('1') => plain.push('/'),
                _ => {
                    return Err(invalid_argument(format!(
                        "pointer part {token:?} has a `~` that is not `~0` (for `~`) or `~1` (for `/`)"
                    )));
                }
            },
            c => plain.push(c),
        }
    }
    Ok(plain)
}

fn step<'a>(value: &'a Json, token: &str, walked: &str) -> Result<&'a Json, Failure> {
    match value {
        Json::Array(items) => element(items, token, walked),
        Json::Object(members) => member(members, token, walked),
        scalar => Err(not_found(format!(
            "the value at \"{walked}\" is {} and has nothing inside, so there is no {token:?} in it",
            scalar.kind()
        ))),
    }
}

fn element<'a>(items: &'a [Json], token: &str, walked: &str) -> Result<&'a Json, Failure> {
    let digits = token.bytes().all(|b| b.is_ascii_digit());
    let canonical = digits && !token.is_empty() && (token == "0" || !token.starts_with('0'));
    if !canonical && token != "-" {
        return Err(not_found(format!(
            "the value at \"{walked}\" is an array, and {token:?} is not an index such as 0"
        )));
    }
    // `-` names the element after the last, which never exists; neither does an
    // index that is too large for the machine.
    let index: Option<usize> = token.parse().ok();
    index.and_then(|index| items.get(index)).ok_or_else(|| {
        not_found(format!(
            "index {token} is past the end of the array at \"{walked}\", which has {} elements",
            items.len()
        ))
    })
}

fn member<'a>(members: &'a [json::Member], token: &str, walked: &str) -> Result<&'a Json, Failure> {
    let mut found = members.iter().filter(|(key, _)| &**key == token);
    let value = found.next().ok_or_else(|| not_found(format!("the object at \"{walked}\" has no member {token:?}")))?;
    if found.next().is_some() {
        return Err(duplicate_key(format!("the object at \"{walked}\" has the key {token:?} more than once")));
    }
    Ok(&value.1)
}
