//! The arguments of a call as a digest.

use std::io::{self, Write};

use bailiwick_domain::digest::Digest;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// sha256 of `arguments` in canonical form: JSON without spaces, the keys of
/// each object in the order of their bytes. Two spellings of the same arguments
/// have the same digest, and nothing is copied to find it.
pub(crate) fn digest(arguments: &Value) -> Digest {
    measure(arguments).0
}

/// The length of the canonical form in bytes.
pub(crate) fn size(arguments: &Value) -> u64 {
    measure(arguments).1
}

/// The digest, and the length of the canonical form in bytes.
pub(super) fn measure(arguments: &Value) -> (Digest, u64) {
    let mut hash = Hash { state: Sha256::new(), bytes: 0 };
    // Writing into a hash never fails.
    let written = write(arguments, &mut hash);
    let bytes = hash.bytes;
    (written.map_or_else(|_| Digest::of(b""), |()| hash.finish()), bytes)
}

/// sha256 of everything that makes two requests with one idempotency key the same.
pub(super) fn request(skill: &str, tool: Option<&str>, arguments: &Digest) -> Digest {
    let mut hash = Sha256::new();
    // Each part ends in a byte that none of them holds.
    for part in [skill.as_bytes(), tool.unwrap_or_default().as_bytes()] {
        hash.update(part);
        hash.update([0xff]);
    }
    hash.update(arguments.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

struct Hash {
    state: Sha256,
    bytes: u64,
}

impl Hash {
    fn finish(self) -> Digest {
        Digest::from_bytes(self.state.finalize().into())
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.state.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The depth of the recursion is that of the value, which the parser that made
/// it has bounded.
fn write(value: &Value, out: &mut Hash) -> io::Result<()> {
    match value {
        Value::Array(items) => write_list(items, out),
        Value::Object(entries) => write_object(entries, out),
        scalar => Ok(serde_json::to_writer(out, scalar)?),
    }
}

fn write_list(items: &[Value], out: &mut Hash) -> io::Result<()> {
    out.write_all(b"[")?;
    for (index, item) in items.iter().enumerate() {
        separate(index, out)?;
        write(item, out)?;
    }
    out.write_all(b"]")
}

fn write_object(entries: &Map<String, Value>, out: &mut Hash) -> io::Result<()> {
    let mut sorted: Vec<(&String, &Value)> = entries.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    out.write_all(b"{")?;
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        separate(index, out)?;
        serde_json::to_writer(&mut *out, key)?;
        out.write_all(b":")?;
        write(value, out)?;
    }
    out.write_all(b"}")
}

fn separate(index: usize, out: &mut Hash) -> io::Result<()> {
    if index > 0 { out.write_all(b",") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Digest {
        digest(&serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn the_order_of_keys_and_spaces_do_not_count() {
        assert_eq!(
            of(r#"{ "b": [1, {"y": null, "x": true}], "a": "é\u0000" }"#),
            of(r#"{"a":"é\u0000","b":[1,{"x":true,"y":null}]}"#)
        );
        // The canonical form itself, hashed by another route.
        assert_eq!(of(r#"{"b":2,"a":[1.5,"x"]}"#), Digest::of(br#"{"a":[1.5,"x"],"b":2}"#));
        assert_eq!(of("{}"), Digest::of(b"{}"));
    }

    #[test]
    fn everything_else_counts() {
        let all =
            [r#"{"a":1}"#, r#"{"a":"1"}"#, r#"{"a":1.0}"#, r#"{"a":[1]}"#, r#"{"b":1}"#, r#"{"a":1,"b":1}"#, "{}"];
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| of(one) != of(other)), "{one}");
        }
        let arguments = Digest::of(b"");
        let requests = [("a/b", None), ("a/b", Some("t")), ("a/bt", None), ("a/c", Some("t"))];
        for (index, (skill, tool)) in requests.iter().enumerate() {
            let others = requests[..index].iter();
            assert!(others.clone().all(|(s, t)| request(s, *t, &arguments) != request(skill, *tool, &arguments)));
        }
    }
}
