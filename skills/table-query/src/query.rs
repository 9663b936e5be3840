//! A request, step by step.

use crate::cell::{Cell, Kind};
use crate::dialect::Dialect;
use crate::failure::{check_length, count, invalid_request};
use crate::limits::{CELL_BYTES, DEFAULT_ROWS, MAX_ANSWER_BYTES, MAX_COLUMNS, MAX_KEYS, MAX_ROWS};
use crate::table::{Row, Table};
use crate::wit::{Answer, Column, Failure, OutputFormat, Request, SortKey, TableFormat};
use crate::write::{self, Rows};
use crate::{compute, filter, group, wire};
use std::cmp::Ordering;

/// Does what the request says, in the order that the interface gives.
pub fn answer(mut table: Table, request: &Request) -> Result<Answer, Failure> {
    let limit = limit(request.limit)?;
    let mut notes = Vec::new();
    compute::add_columns(&mut table, request.compute.as_deref().unwrap_or_default())?;
    if let Some(conditions) = &request.filter {
        filter::keep(&mut table, conditions)?;
    }
    let by = request.group_by.as_deref().unwrap_or_default();
    let aggregates = request.aggregates.as_deref().unwrap_or_default();
    if !by.is_empty() || !aggregates.is_empty() {
        table = group::rows(&table, by, aggregates, &mut notes)?;
    }
    sort(&mut table, request.sort.as_deref().unwrap_or_default())?;
    select(&mut table, request.select.as_deref().unwrap_or_default())?;
    let kinds: Vec<Kind> = (0..table.columns.len()).map(|column| table.kind(column)).collect();
    let total = table.rows.len();
    let offset = request.offset.map_or(0, |offset| offset as usize).min(total);
    let rows = &table.rows[offset..];
    let rows = &rows[..fitting(rows, limit)];

    let output = request.output.unwrap_or(OutputFormat::Rows);
    let written = Rows { columns: &table.columns, kinds: &kinds, rows };
    Ok(Answer {
        text: text_format(output).map(|format| write::text(&written, format, Dialect::new(None)?)).transpose()?,
        columns: columns(&table.columns, &kinds),
        rows: rows.iter().map(|row| row.cells.iter().map(wire::to_wit).collect()).collect(),
        total_rows: count(total),
        truncated: offset + rows.len() < total,
        notes,
    })
}

/// Names and types for an answer.
pub fn columns(names: &[String], kinds: &[Kind]) -> Vec<Column> {
    let pairs = names.iter().zip(kinds);
    pairs.map(|(name, kind)| Column { name: name.clone(), kind: wire::kind(*kind) }).collect()
}

fn limit(asked: Option<u32>) -> Result<usize, Failure> {
    let limit = asked.unwrap_or(DEFAULT_ROWS);
    if limit > MAX_ROWS {
        return Err(invalid_request(format!("limit is {limit}, but must be from 0 to {MAX_ROWS}")));
    }
    Ok(limit as usize)
}

fn sort(table: &mut Table, keys: &[SortKey]) -> Result<(), Failure> {
    check_length("sort", keys, MAX_KEYS)?;
    let keys: Vec<(usize, bool)> = keys
        .iter()
        .map(|key| Ok((table.find(&key.column)?, key.descending.unwrap_or(false))))
        .collect::<Result<_, Failure>>()?;
    table.rows.sort_by(|a, b| {
        let mut orders = keys.iter().map(|&(column, descending)| order(&a.cells[column], &b.cells[column], descending));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    Ok(())
}

/// Nulls stay last in both directions.
fn order(a: &Cell, b: &Cell, descending: bool) -> Ordering {
    let order = a.order(b);
    match descending && !a.is_null() && !b.is_null() {
        true => order.reverse(),
        false => order,
    }
}

/// Keeps these columns, or all where none is named.
fn select(table: &mut Table, names: &[String]) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    check_length("select", names, MAX_COLUMNS)?;
    let columns = table.find_all(names)?;
    for (index, column) in columns.iter().enumerate() {
        if columns[..index].contains(column) {
            return Err(invalid_request(format!("column {:?} is selected twice", names[index])));
        }
    }
    for row in &mut table.rows {
        row.cells = columns.iter().map(|column| row.cells[*column].clone()).collect();
    }
    table.columns = names.to_vec();
    Ok(())
}

/// How many of the first rows an answer holds: up to the limit, and up to the
/// bytes of an answer.
fn fitting(rows: &[Row], limit: usize) -> usize {
    let mut bytes = 0;
    let fits = |row: &&Row| {
        let sizes = row.cells.iter().map(|cell| cell.text().len() + CELL_BYTES);
        bytes += sizes.sum::<usize>();
        bytes <= MAX_ANSWER_BYTES
    };
    rows.iter().take(limit).take_while(fits).count()
}

fn text_format(output: OutputFormat) -> Option<TableFormat> {
    match output {
        OutputFormat::Rows => None,
        OutputFormat::Csv => Some(TableFormat::Csv),
        OutputFormat::JsonLines => Some(TableFormat::JsonLines),
        OutputFormat::Markdown => Some(TableFormat::Markdown),
    }
}
