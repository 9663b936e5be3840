//! Two tables to one.

use crate::cell::{Cell, Key};
use crate::failure::{check_length, invalid_request};
use crate::limits::MAX_KEYS;
use crate::table::{Row, Table, check_size};
use crate::wit::{Failure, JoinKind, JoinRequest};
use std::collections::HashMap;

/// Joins on equal keys.
pub fn tables(left: &Table, right: &Table, request: &JoinRequest) -> Result<Table, Failure> {
    let keys = Keys::new(left, right, request)?;
    let others: Vec<usize> = (0..right.columns.len()).filter(|column| !keys.right.contains(column)).collect();
    let suffix = request.suffix.as_deref().unwrap_or("_right");
    let columns = column_names(left, right, &others, suffix)?;
    let kind = request.kind.unwrap_or(JoinKind::Inner);
    let keep_left = matches!(kind, JoinKind::Left | JoinKind::Full);
    let keep_right = matches!(kind, JoinKind::Right | JoinKind::Full);

    let partners = index(&right.rows, &keys.right);
    let mut met = vec![false; right.rows.len()];
    let mut joined = Table { columns, rows: Vec::new() };
    for row in &left.rows {
        let key = key(row, &keys.left);
        let found = key.and_then(|key| partners.get(&key)).map_or(&[][..], Vec::as_slice);
        for &partner in found {
            met[partner] = true;
            let rest = others.iter().map(|&column| right.rows[partner].cells[column].clone());
            push(&mut joined, row.cells.iter().cloned().chain(rest))?;
        }
        if found.is_empty() && keep_left {
            let rest = others.iter().map(|_| Cell::Null);
            push(&mut joined, row.cells.iter().cloned().chain(rest))?;
        }
    }
    let alone = right.rows.iter().zip(&met).filter(|(_, met)| keep_right && !**met);
    for (row, _) in alone {
        let keys_of_row = (0..left.columns.len()).map(|column| keys.left_cell(column, row));
        let rest = others.iter().map(|&column| row.cells[column].clone());
        push(&mut joined, keys_of_row.chain(rest))?;
    }
    Ok(joined)
}

/// Key columns of both tables, pair by pair.
struct Keys {
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Keys {
    fn new(left: &Table, right: &Table, request: &JoinRequest) -> Result<Self, Failure> {
        check_length("keys", &request.keys, MAX_KEYS)?;
        if request.keys.is_empty() {
            return Err(invalid_request("a join needs at least one pair of keys"));
        }
        let mut keys = Self { left: Vec::new(), right: Vec::new() };
        for pair in &request.keys {
            let (a, b) = (left.find(&pair.left)?, right.find(&pair.right)?);
            let (a_kind, b_kind) = (left.kind(a), right.kind(b));
            if !a_kind.comparable(b_kind) {
                return Err(invalid_request(format!(
                    "the left column {:?} holds {} and the right column {:?} holds {}, which are never equal",
                    pair.left,
                    a_kind.plural(),
                    pair.right,
                    b_kind.plural()
                )));
            }
            keys.left.push(a);
            keys.right.push(b);
        }
        Ok(keys)
    }

    /// What a left column holds in a row that only the right table has.
    fn left_cell(&self, column: usize, row: &Row) -> Cell {
        let pair = self.left.iter().position(|key| *key == column);
        pair.map_or(Cell::Null, |pair| row.cells[self.right[pair]].clone())
    }
}

fn column_names(left: &Table, right: &Table, others: &[usize], suffix: &str) -> Result<Vec<String>, Failure> {
    let mut columns = left.columns.clone();
    for &column in others {
        let name = &right.columns[column];
        let taken = left.columns.contains(name);
        let name = if taken { format!("{name}{suffix}") } else { name.clone() };
        if columns.contains(&name) {
            return Err(invalid_request(format!(
                "two columns of the join would be called {name:?}: choose another suffix"
            )));
        }
        columns.push(name);
    }
    Ok(columns)
}

/// Rows by their keys.
fn index(rows: &[Row], columns: &[usize]) -> HashMap<Vec<Key>, Vec<usize>> {
    let mut index: HashMap<Vec<Key>, Vec<usize>> = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        if let Some(key) = key(row, columns) {
            index.entry(key).or_default().push(place);
        }
    }
    index
}

/// A row's key, or none where a part is null: null equals nothing.
fn key(row: &Row, columns: &[usize]) -> Option<Vec<Key>> {
    let part = |&column: &usize| {
        let cell = &row.cells[column];
        (!cell.is_null()).then(|| cell.key())
    };
    columns.iter().map(part).collect()
}

fn push(table: &mut Table, cells: impl Iterator<Item = Cell>) -> Result<(), Failure> {
    let number = table.rows.len() + 1;
    check_size("the joined table", table.columns.len(), number)?;
    table.rows.push(Row { number, cells: cells.collect() });
    Ok(())
}
