//! CSV to untyped rows.

use super::{Untyped, numbered};
use crate::dialect::Dialect;
use crate::failure::{Place, invalid_table};
use crate::table::check_size;
use crate::wit::{CsvOptions, Failure};
use csv::{ReaderBuilder, StringRecord, Trim};

pub fn read(name: &str, text: &str, options: Option<&CsvOptions>) -> Result<Untyped, Failure> {
    let dialect = Dialect::new(options)?;
    if let Some(line) = unclosed_quote(text.as_bytes(), dialect) {
        let place = Place { table: name, line, field: 0 };
        let quoted = text.lines().nth(line - 1).unwrap_or_default();
        return Err(invalid_table(place, quoted, "a quoted field begins here and is not closed"));
    }
    let mut records = reader(text, dialect).into_records();
    let first = match records.next() {
        Some(record) => record.map_err(|error| unreadable(name, &error))?,
        None => {
            let place = Place { table: name, line: 1, field: 0 };
            return Err(invalid_table(place, text, "there is no row, not even a header"));
        }
    };
    let mut rows = Vec::new();
    let columns: Vec<String> = if dialect.header {
        header(name, &first)?
    } else {
        rows.push(fields(&first));
        (0..first.len()).map(numbered).collect()
    };
    check_size(name, columns.len(), rows.len())?;
    for record in records {
        let record = record.map_err(|error| unreadable(name, &error))?;
        check_width(name, &record, columns.len())?;
        rows.push(fields(&record));
        check_size(name, columns.len(), rows.len())?;
    }
    Ok(Untyped { columns, rows })
}

fn reader(text: &str, dialect: Dialect) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .quote(dialect.quote)
        .trim(if dialect.trim { Trim::All } else { Trim::None })
        // Widths are checked here, where the failure can name the row.
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

fn header(name: &str, record: &StringRecord) -> Result<Vec<String>, Failure> {
    let mut columns: Vec<String> = Vec::with_capacity(record.len());
    for (index, field) in record.iter().enumerate() {
        let column = if field.is_empty() { numbered(index) } else { field.to_owned() };
        if columns.contains(&column) {
            let place = Place { table: name, line: line(record), field: index + 1 };
            let message = "two columns have this name: rename one, or read the table without header";
            return Err(invalid_table(place, &column, message));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn check_width(name: &str, record: &StringRecord, columns: usize) -> Result<(), Failure> {
    if record.len() == columns {
        return Ok(());
    }
    let field = record.len().min(columns) + 1;
    let text = record.get(columns).or_else(|| record.get(record.len() - 1)).unwrap_or_default();
    let message = format!("the row has {} fields, but there are {columns} columns", record.len());
    Err(invalid_table(Place { table: name, line: line(record), field }, text, message))
}

fn fields(record: &StringRecord) -> Vec<String> {
    record.iter().map(str::to_owned).collect()
}

fn line(record: &StringRecord) -> usize {
    let line = record.position().map_or(1, |position| position.line());
    usize::try_from(line).unwrap_or(usize::MAX)
}

fn unreadable(name: &str, error: &csv::Error) -> Failure {
    let line = error.position().map_or(1, |position| position.line());
    let place = Place { table: name, line: usize::try_from(line).unwrap_or(usize::MAX), field: 0 };
    invalid_table(place, "", error.to_string())
}

/// Where a scan for quotes stands. The line is where the quoted field began.
#[derive(Clone, Copy)]
enum Scan {
    FieldStart,
    Unquoted,
    Quoted(usize),
    /// After a quote in a quoted field: a second one goes on with the field.
    Closed(usize),
}

/// The line where a quoted field begins that never ends. The csv crate would
/// take all that follows as that one field, and say nothing.
fn unclosed_quote(text: &[u8], dialect: Dialect) -> Option<usize> {
    let mut line = 1;
    let mut scan = Scan::FieldStart;
    for &byte in text {
        let quote = byte == dialect.quote;
        let ends_field = byte == dialect.delimiter || matches!(byte, b'\n' | b'\r');
        scan = match scan {
            Scan::Quoted(began) if quote => Scan::Closed(began),
            Scan::Closed(began) if quote => Scan::Quoted(began),
            Scan::FieldStart if quote => Scan::Quoted(line),
            Scan::Quoted(began) => Scan::Quoted(began),
            _ if ends_field => Scan::FieldStart,
            _ => Scan::Unquoted,
        };
        line += usize::from(byte == b'\n');
    }
    match scan {
        Scan::Quoted(began) => Some(began),
        Scan::FieldStart | Scan::Unquoted | Scan::Closed(_) => None,
    }
}
