//! One type for each column of a format that has only text.

use super::Untyped;
use crate::cell::{Cell, Kind};
use crate::number::Number;
use crate::table::{Row, Table};
use crate::wit::Failure;

/// Types the columns. A cell is null when it is empty or one of `nulls`.
pub fn typed(untyped: Untyped, nulls: &[String], text_columns: &[String]) -> Result<Table, Failure> {
    let Untyped { columns, rows } = untyped;
    let mut table = Table { columns, rows: Vec::new() };
    let as_text = table.find_all(text_columns)?;
    let is_null = |field: &str| field.is_empty() || nulls.iter().any(|null| null == field);

    let kinds: Vec<Kind> = (0..table.columns.len())
        .map(|index| match as_text.contains(&index) {
            true => Kind::Text,
            false => common_kind(rows.iter().map(|row| row[index].as_str()).filter(|f| !is_null(f))),
        })
        .collect();
    let cell = |(field, kind): (String, &Kind)| match is_null(&field) {
        true => Cell::Null,
        false => read(&field, *kind).unwrap_or_else(|| Cell::Text(field.into())),
    };
    let row = |(number, fields): (usize, Vec<String>)| Row {
        number,
        cells: fields.into_iter().zip(&kinds).map(cell).collect(),
    };
    table.rows = (1..).zip(rows).map(row).collect();
    Ok(table)
}

/// What all fields can be read as.
fn common_kind<'a>(fields: impl Iterator<Item = &'a str>) -> Kind {
    let mut common = Kind::Null;
    for field in fields {
        let kind = boolean(field).or_else(|| Number::parse(field).map(Cell::Number));
        common = common.with(kind.map_or(Kind::Text, |cell| cell.kind()));
        if matches!(common, Kind::Text | Kind::Mixed) {
            return Kind::Text;
        }
    }
    common
}

fn read(field: &str, kind: Kind) -> Option<Cell> {
    match kind {
        Kind::Bool => boolean(field),
        Kind::Integer | Kind::Number => Number::parse(field).map(Cell::Number),
        Kind::Null | Kind::Text | Kind::Json | Kind::Mixed => None,
    }
}

fn boolean(field: &str) -> Option<Cell> {
    match field {
        "true" | "True" | "TRUE" => Some(Cell::Bool(true)),
        "false" | "False" | "FALSE" => Some(Cell::Bool(false)),
        _ => None,
    }
}
