//! A table in memory.

use crate::cell::{Cell, Kind};
use crate::failure::{quoted, too_large, unknown_column};
use crate::limits::{MAX_CELLS, MAX_COLUMNS, MAX_LISTED_COLUMNS};
use crate::wit::Failure;

#[derive(Debug, Default)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone)]
pub struct Row {
    /// Where the row stood when it was read or joined, from 1, so that a failure
    /// can name it after others have been filtered out.
    pub number: usize,
    /// One for each column.
    pub cells: Vec<Cell>,
}

impl Table {
    /// The index of the column with this name.
    pub fn find(&self, name: &str) -> Result<usize, Failure> {
        self.columns.iter().position(|column| column == name).ok_or_else(|| {
            let mut names: Vec<String> =
                self.columns.iter().take(MAX_LISTED_COLUMNS).map(|name| format!("{name:?}")).collect();
            if self.columns.len() > MAX_LISTED_COLUMNS {
                names.push("…".to_owned());
            }
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            unknown_column(format!("no column {:?}; the columns are {names}", quoted(name)))
        })
    }

    /// The indices of the columns with these names, in the order of the names.
    pub fn find_all(&self, names: &[String]) -> Result<Vec<usize>, Failure> {
        names.iter().map(|name| self.find(name)).collect()
    }

    pub fn kind(&self, column: usize) -> Kind {
        let kinds = self.rows.iter().map(|row| row.cells[column].kind());
        kinds.fold(Kind::Null, Kind::with)
    }
}

/// Fails where a table of this size is over the limits.
pub fn check_size(table: &str, columns: usize, rows: usize) -> Result<(), Failure> {
    if columns > MAX_COLUMNS {
        return Err(too_large(format!("{table} has {columns} columns; at most {MAX_COLUMNS} are read")));
    }
    // A row takes memory even when it has no cell, as `{}` in JSON lines.
    if columns.max(1).saturating_mul(rows) > MAX_CELLS {
        return Err(too_large(format!(
            "{table} has {rows} rows of {columns} columns; at most {MAX_CELLS} cells are held"
        )));
    }
    Ok(())
}
