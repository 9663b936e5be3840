//! What somebody might do to an export who would like it to say something else.

use std::fmt::Write as _;

use arbitrary::{Result, Unstructured};
use bailiwick_domain::digest::Digest;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Most edits of one export.
const MANY: u8 = 4;

/// The digest that the first record names as the one before it.
const ORIGIN: Digest = Digest::from_bytes([0; 32]);

/// Makes some edits, and then perhaps a chain of what is left.
pub(super) fn apply(u: &mut Unstructured<'_>, mut export: Vec<u8>) -> Result<Vec<u8>> {
    for _ in 0..=u.int_in_range(0..=MANY)? {
        export = edit(u, export)?;
    }
    if u.ratio(1, 4)? {
        export = chained(&export).unwrap_or(export);
    }
    Ok(export)
}

fn edit(u: &mut Unstructured<'_>, mut export: Vec<u8>) -> Result<Vec<u8>> {
    let place = |u: &mut Unstructured<'_>, length: usize| u.int_in_range(0..=length);
    let at = place(u, export.len())?;
    match u.int_in_range(0..=10)? {
        0 => export.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1),
        1 => {
            let with: u8 = u.arbitrary()?;
            export.iter_mut().skip(at).take(1).for_each(|byte| *byte = with);
        }
        2 => {
            let bytes: Vec<u8> = u.arbitrary()?;
            export.splice(at..at, bytes);
        }
        3 => drop(export.drain(at..(at + usize::from(u.arbitrary::<u8>()?)).min(export.len()))),
        4 => export.truncate(at),
        5 => {
            let (from, to) = (place(u, export.len())?, place(u, export.len())?);
            let copied = export[from.min(to)..from.max(to)].to_vec();
            export.splice(at..at, copied);
        }
        choice => {
            let mut lines: Vec<Vec<u8>> = export.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            if lines.is_empty() {
                return Ok(export);
            }
            let (one, other) = (place(u, lines.len() - 1)?, place(u, lines.len() - 1)?);
            match choice {
                6 => drop(lines.remove(one)),
                7 => lines.swap(one, other),
                8 => lines.insert(other, lines[one].clone()),
                9 => lines.truncate(one),
                _ => lines[one] = written_otherwise(&lines[one]),
            }
            export = lines.concat();
        }
    }
    Ok(export)
}

/// The same JSON in another order, or with blanks.
fn written_otherwise(line: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<Map<String, Value>>(line) {
        Ok(members) if members.len() > 1 => {
            let turned: Map<String, Value> = members.into_iter().rev().collect();
            format!("{}\n", Value::Object(turned)).into_bytes()
        }
        _ => [line.strip_suffix(b"}\n").unwrap_or(line), b" }\n"].concat(),
    }
}

/// A chain of the records that are there: places, digests and checkpoints agree with
/// each other again, as far as that can be done without the key.
fn chained(export: &[u8]) -> Option<Vec<u8>> {
    let (mut seq, mut hash, mut out) = (0_u64, ORIGIN, String::new());
    for line in std::str::from_utf8(export).ok()?.lines() {
        let line: Map<String, Value> = serde_json::from_str(line).ok()?;
        if let Some(Value::Object(record)) = line.get("record") {
            let mut record = record.clone();
            record.insert("seq".to_owned(), Value::from(seq + 1));
            record.insert("prev".to_owned(), Value::from(hash.to_string()));
            let record = RawValue::from_string(Value::Object(record).to_string()).ok()?;
            (seq, hash) = (seq + 1, Digest::of(record.get().as_bytes()));
            writeln!(out, "{{\"hash\":\"{hash}\",\"record\":{record}}}").ok()?;
        } else if let Some(Value::Object(checkpoint)) = line.get("checkpoint") {
            let mut checkpoint = checkpoint.clone();
            checkpoint.insert("seq".to_owned(), Value::from(seq));
            checkpoint.insert("hash".to_owned(), Value::from(hash.to_string()));
            writeln!(out, "{{\"checkpoint\":{}}}", Value::Object(checkpoint)).ok()?;
        }
    }
    Some(out.into_bytes())
}
