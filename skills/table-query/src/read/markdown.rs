//! A Markdown table (GitHub Flavored Markdown) to untyped rows.

use super::{Untyped, numbered};
use crate::failure::{Place, invalid_table};
use crate::table::check_size;
use crate::wit::Failure;

pub fn read(name: &str, text: &str) -> Result<Untyped, Failure> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let place = |line, field| Place { table: name, line, field };
    let Some((line, header)) = lines.next() else {
        return Err(invalid_table(place(1, 0), text, "there is no table"));
    };
    let columns = names(place(line, 0), header)?;
    match lines.next() {
        Some((_, rule)) if is_rule(rule, columns.len()) => {}
        other => {
            let (line, rule) = other.unwrap_or((line, header));
            let message = format!("expected a row such as `| --- |` with {} columns below the header", columns.len());
            return Err(invalid_table(place(line, 0), rule, message));
        }
    }
    check_size(name, columns.len(), 0)?;
    let mut rows = Vec::new();
    for (line, row) in lines {
        let row_cells = cells(row);
        if row_cells.len() != columns.len() {
            let message = format!("the row has {} cells, but there are {} columns", row_cells.len(), columns.len());
            return Err(invalid_table(place(line, row_cells.len().min(columns.len()) + 1), row, message));
        }
        rows.push(row_cells);
        check_size(name, columns.len(), rows.len())?;
    }
    Ok(Untyped { columns, rows })
}

fn names(place: Place, header: &str) -> Result<Vec<String>, Failure> {
    let mut columns: Vec<String> = Vec::new();
    for (index, cell) in cells(header).into_iter().enumerate() {
        let column = if cell.is_empty() { numbered(index) } else { cell };
        if columns.contains(&column) {
            let place = Place { field: index + 1, ..place };
            return Err(invalid_table(place, &column, "two columns have this name"));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn is_rule(line: &str, columns: usize) -> bool {
    let cells = cells(line);
    let dashes = |cell: &String| {
        let cell = cell.strip_prefix(':').unwrap_or(cell);
        let cell = cell.strip_suffix(':').unwrap_or(cell);
        !cell.is_empty() && cell.bytes().all(|b| b == b'-')
    };
    cells.len() == columns && cells.iter().all(dashes)
}

/// The cells of a line: the pipes at its ends may be left out, and `\|` is a
/// pipe inside of a cell.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut ended = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        ended = false;
        match c {
            '\\' if chars.next_if_eq(&'|').is_some() => cell.push('|'),
            '|' => {
                cells.push(plain(&std::mem::take(&mut cell)));
                ended = true;
            }
            c => cell.push(c),
        }
    }
    if !ended {
        cells.push(plain(&cell));
    }
    cells
}

/// Markdown has no line breaks inside of a cell, so they are written as `<br>`.
fn plain(cell: &str) -> String {
    cell.trim().replace("<br>", "\n")
}
