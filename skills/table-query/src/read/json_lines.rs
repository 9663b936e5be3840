//! JSON lines to a table. Numbers and nested values keep their text.

use crate::cell::Cell;
use crate::failure::{Place, invalid_table};
use crate::number::Number;
use crate::table::{Row, Table, check_size};
use crate::wit::Failure;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;

pub fn read(name: &str, text: &str) -> Result<Table, Failure> {
    let mut table = Table::default();
    let mut indices: HashMap<String, usize> = HashMap::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let place = Place { table: name, line, field: 0 };
        let Members(members) = parse(place, text)?;
        let mut cells = vec![None; table.columns.len()];
        for (key, value) in members {
            let index = *indices.entry(key).or_insert_with_key(|key| {
                table.columns.push(key.clone());
                cells.push(None);
                table.columns.len() - 1
            });
            let place = Place { field: index + 1, ..place };
            if cells[index].is_some() {
                let message = "the object has this key twice";
                return Err(invalid_table(place, &table.columns[index], message));
            }
            cells[index] = Some(cell(place, value.get())?);
        }
        let cells = cells.into_iter().map(|cell| cell.unwrap_or(Cell::Null)).collect();
        table.rows.push(Row { number: table.rows.len() + 1, cells });
        check_size(name, table.columns.len(), table.rows.len())?;
    }
    // Rows that came before a key was first seen lack its cell.
    for row in &mut table.rows {
        row.cells.resize(table.columns.len(), Cell::Null);
    }
    Ok(table)
}

fn parse<'a>(place: Place, text: &'a str) -> Result<Members<'a>, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let full = error.to_string();
        // The line within the line is always 1; ours is the text's.
        let reason = full.split(" at line ").next().unwrap_or(&full);
        let mut message = format!("expected one JSON object a line, but: {reason}");
        if error.column() > 0 {
            message.push_str(&format!(" (character {})", error.column()));
        }
        invalid_table(place, text, message)
    })
}

fn cell(place: Place, raw: &str) -> Result<Cell, Failure> {
    let unreadable = |message: &str| invalid_table(place, raw, message);
    Ok(match raw.as_bytes().first() {
        Some(b'n') => Cell::Null,
        Some(b't') => Cell::Bool(true),
        Some(b'f') => Cell::Bool(false),
        Some(b'"') => {
            let text: String = serde_json::from_str(raw).map_err(|e| unreadable(&e.to_string()))?;
            Cell::Text(text.into())
        }
        Some(b'[' | b'{') => Cell::Json(raw.into()),
        _ => Cell::Number(Number::parse(raw).ok_or_else(|| unreadable("expected a number"))?),
    })
}

/// An object's members in order, with duplicates, and values as text.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
