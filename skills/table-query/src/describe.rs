//! What a table holds.

use crate::cell::{Cell, Key};
use crate::failure::{count, quoted};
use crate::table::Table;
use crate::wire;
use crate::wit::{self, ColumnSummary, Summary};
use std::collections::HashSet;

pub fn summary(table: &Table) -> Summary {
    let columns = (0..table.columns.len()).map(|column| column_summary(table, column));
    Summary { rows: count(table.rows.len()), columns: columns.collect() }
}

fn column_summary(table: &Table, column: usize) -> ColumnSummary {
    let cells = || table.rows.iter().map(|row| &row.cells[column]);
    let present = || cells().filter(|cell| !cell.is_null());
    let distinct: HashSet<Key> = present().map(Cell::key).collect();
    let edge = |cell: Option<&Cell>| cell.map_or(wit::Cell::Null, short);
    ColumnSummary {
        name: table.columns[column].clone(),
        kind: wire::kind(table.kind(column)),
        nulls: count(cells().filter(|cell| cell.is_null()).count()),
        distinct: count(distinct.len()),
        min: edge(present().min_by(|a, b| a.order(b))),
        max: edge(present().max_by(|a, b| a.order(b))),
    }
}

/// A cell for a summary, where a long text would say no more than its beginning.
fn short(cell: &Cell) -> wit::Cell {
    match cell {
        Cell::Text(text) => wit::Cell::Text(quoted(text)),
        Cell::Json(text) => wit::Cell::Json(quoted(text)),
        other => wire::to_wit(other),
    }
}
