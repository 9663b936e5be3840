//! Rows to text.

use crate::cell::{Cell, Kind};
use crate::dialect::Dialect;
use crate::failure::too_large;
use crate::limits::MAX_CONVERTED_BYTES;
use crate::table::Row;
use crate::wit::{Failure, TableFormat};
use csv::{QuoteStyle, WriterBuilder};

/// What is written: names, types, and rows.
pub struct Rows<'a> {
    pub columns: &'a [String],
    pub kinds: &'a [Kind],
    pub rows: &'a [Row],
}

pub fn text(rows: &Rows, format: TableFormat, dialect: Dialect) -> Result<String, Failure> {
    match format {
        TableFormat::Csv => csv(rows, dialect),
        TableFormat::JsonLines => json_lines(rows),
        TableFormat::Markdown => markdown(rows),
    }
}

fn csv(rows: &Rows, dialect: Dialect) -> Result<String, Failure> {
    let mut writer = WriterBuilder::new()
        .delimiter(dialect.delimiter)
        .quote(dialect.quote)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    if dialect.header {
        writer.write_record(rows.columns).map_err(unwritable)?;
    }
    let mut bytes = 0;
    for row in rows.rows {
        for cell in &row.cells {
            let text = cell.text();
            bytes += text.len() + 1;
            writer.write_field(text.as_bytes()).map_err(unwritable)?;
        }
        writer.write_record(None::<&[u8]>).map_err(unwritable)?;
        check_size(bytes)?;
    }
    let written = writer.into_inner().map_err(unwritable)?;
    String::from_utf8(written).map_err(unwritable)
}

fn json_lines(rows: &Rows) -> Result<String, Failure> {
    let names: Vec<String> = rows.columns.iter().map(|name| json_string(name)).collect();
    let mut out = String::new();
    for row in rows.rows {
        for (index, (name, cell)) in names.iter().zip(&row.cells).enumerate() {
            out.push(if index == 0 { '{' } else { ',' });
            out.push_str(name);
            out.push(':');
            match cell {
                Cell::Null => out.push_str("null"),
                Cell::Text(text) => out.push_str(&json_string(text)),
                other => out.push_str(&other.text()),
            }
        }
        out.push_str(if row.cells.is_empty() { "{}\n" } else { "}\n" });
        check_size(out.len())?;
    }
    Ok(out)
}

fn markdown(rows: &Rows) -> Result<String, Failure> {
    let mut out = String::new();
    markdown_row(rows.columns.iter().map(|name| markdown_cell(name)), &mut out);
    let rule = |kind: &Kind| match kind {
        Kind::Integer | Kind::Number => "---:".to_owned(),
        _ => "---".to_owned(),
    };
    markdown_row(rows.kinds.iter().map(rule), &mut out);
    for row in rows.rows {
        markdown_row(row.cells.iter().map(|cell| markdown_cell(&cell.text())), &mut out);
        check_size(out.len())?;
    }
    Ok(out)
}

fn markdown_row(cells: impl Iterator<Item = String>, out: &mut String) {
    out.push('|');
    for cell in cells {
        out.push(' ');
        out.push_str(&cell);
        out.push_str(" |");
    }
    out.push('\n');
}

/// A cell has no line breaks and no bare pipes.
fn markdown_cell(text: &str) -> String {
    text.replace('|', "\\|").replace("\r\n", "<br>").replace(['\n', '\r'], "<br>")
}

fn json_string(text: &str) -> String {
    // A string always serializes.
    serde_json::to_string(text).unwrap_or_default()
}

fn check_size(bytes: usize) -> Result<(), Failure> {
    match bytes > MAX_CONVERTED_BYTES {
        true => Err(too_large(format!("the text written has more than {MAX_CONVERTED_BYTES} bytes"))),
        false => Ok(()),
    }
}

fn unwritable(error: impl std::fmt::Display) -> Failure {
    too_large(format!("the rows can't be written as CSV: {error}"))
}
