//! Failures as the interface names them.

use crate::limits::MAX_QUOTED_CHARS;
use crate::wit::{CellProblem, Failure, TableProblem};

/// A place in a table's text, for what is wrong there.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// `table`, `left` or `right`.
    pub table: &'a str,
    /// From 1.
    pub line: usize,
    /// From 1; 0 is the whole row.
    pub field: usize,
}

pub fn invalid_table(place: Place, text: &str, message: impl Into<String>) -> Failure {
    Failure::InvalidTable(TableProblem {
        table: place.table.to_owned(),
        line: count(place.line),
        field: count(place.field),
        text: quoted(text),
        message: message.into(),
    })
}

pub fn invalid_cell(row: usize, column: &str, text: &str, message: impl Into<String>) -> Failure {
    Failure::InvalidCell(CellProblem {
        row: count(row),
        column: column.to_owned(),
        text: quoted(text),
        message: message.into(),
    })
}

pub fn unknown_column(message: impl Into<String>) -> Failure {
    Failure::UnknownColumn(message.into())
}

pub fn invalid_request(message: impl Into<String>) -> Failure {
    Failure::InvalidRequest(message.into())
}

pub fn too_large(message: impl Into<String>) -> Failure {
    Failure::TooLarge(message.into())
}

/// Fails where a list of the request is over its limit.
pub fn check_length<T>(what: &str, list: &[T], most: usize) -> Result<(), Failure> {
    match list.len() > most {
        true => Err(too_large(format!("{what} has {} entries; at most {most} are allowed", list.len()))),
        false => Ok(()),
    }
}

/// The text, cut where it is longer than a failure shall quote.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A count for the interface, where tables are too small to overflow it.
pub fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
