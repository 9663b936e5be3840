//! Text to tables.

mod csv;
mod infer;
mod json_lines;
mod markdown;

use crate::failure::{check_length, too_large};
use crate::limits::{MAX_NULL_TEXTS, MAX_TEXT_BYTES};
use crate::table::Table;
use crate::wit::{self, Failure, TableFormat};

/// Rows of fields that have no types yet.
struct Untyped {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Reads a table. `name` names it in failures.
pub fn table(name: &str, table: &wit::Table) -> Result<Table, Failure> {
    if table.text.len() > MAX_TEXT_BYTES {
        return Err(too_large(format!("{name} has {} bytes; at most {MAX_TEXT_BYTES} are read", table.text.len())));
    }
    let nulls = table.null_texts.as_deref().unwrap_or_default();
    check_length("null-texts", nulls, MAX_NULL_TEXTS)?;
    let untyped = match table.format {
        TableFormat::JsonLines => return json_lines::read(name, &table.text),
        TableFormat::Csv => csv::read(name, &table.text, table.csv.as_ref())?,
        TableFormat::Markdown => markdown::read(name, &table.text)?,
    };
    infer::typed(untyped, nulls, table.text_columns.as_deref().unwrap_or_default())
}

/// Names a column that has none.
fn numbered(index: usize) -> String {
    format!("column-{}", index + 1)
}
