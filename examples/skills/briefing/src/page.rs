//! The page, as Markdown.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

/// What `bailiwick/table-query describe` answers, as far as it is needed here.
#[derive(Deserialize)]
pub(crate) struct Summary {
    pub(crate) rows: u32,
    columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    kind: String,
    nulls: u32,
    min: Value,
    max: Value,
}

/// What `bailiwick/table-query query` answers, as far as it is needed here.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Answer {
    rows: Vec<Vec<Value>>,
    pub(crate) total_rows: u32,
    text: Option<String>,
    notes: Vec<String>,
}

/// Writes the page.
pub(crate) fn write(title: &str, path: &str, summary: &Summary, totals: &Answer) -> String {
    let mut page = format!("# {title}\n\n");
    if let Some(first) = totals.rows.first() {
        let (group, total) = (cell(first.first()), cell(first.get(1)));
        let _ = writeln!(page, "**{group}** leads with {total}. {} rows of `{path}` are counted.\n", summary.rows);
    }
    page.push_str(totals.text.as_deref().unwrap_or_default().trim_end());
    page.push_str("\n\n## What the file holds\n\n");
    for Column { name, kind, nulls, min, max } in &summary.columns {
        let _ = write!(page, "- `{name}`, {kind}: {} to {}", cell(Some(min)), cell(Some(max)));
        page.push_str(&if *nulls == 0 { "\n".to_owned() } else { format!(", {nulls} empty\n") });
    }
    for note in &totals.notes {
        let _ = write!(page, "\n> {note}\n");
    }
    page
}

/// A cell as a person reads it: `{"text": "Rome"}` is Rome.
fn cell(cell: Option<&Value>) -> String {
    match cell {
        Some(Value::Object(cell)) => cell.values().next().map(plain).unwrap_or_default(),
        _ => "nothing".to_owned(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
