//! A briefing about a CSV file: a workflow that drives three other skills.
//!
//! It has no authority of its own. The file is read by `bailiwick/files` under that
//! skill's grant, and what the host refuses there ends this run in words.

mod page;

use bailiwick_guest::skills::{self, Call};
use bailiwick_guest::workflow::{self, Error, Guest};
use bailiwick_guest::{log, progress};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use page::{Answer, Summary};

/// Reading, calculating, writing, and the HTML of it.
const STEPS: u64 = 4;

/// What the workflow takes, as `schemas/input.json` says it.
#[derive(Deserialize)]
struct Input {
    path: String,
    by: String,
    sum: String,
    title: Option<String>,
}

/// What it gives, as `schemas/output.json` says it.
#[derive(Serialize)]
struct Output {
    markdown: String,
    html: String,
    rows: u32,
    groups: u32,
}

/// What `bailiwick/files` answers, as far as it is needed here.
#[derive(Deserialize)]
struct Text {
    content: String,
    truncated: bool,
}

struct Briefing;

impl Guest for Briefing {
    fn run(input: String) -> Result<String, Error> {
        workflow::json(&input, brief)
    }
}

fn brief(input: Input) -> Result<Output, Error> {
    progress::report(0, Some(STEPS), &format!("reading {}", input.path));
    let text: Text = skills::call("bailiwick/files", "read", &json!({ "path": input.path }))?;
    if text.truncated {
        // Totals of half a file would be wrong without looking so.
        return Err(Error::Failed(format!("{} is too long to be read at once", input.path)));
    }

    progress::report(1, Some(STEPS), "calculating");
    let (summary, totals) = calculate(&text.content, &input)?;
    log::info(format_args!("{}: {} rows in {} groups", input.path, summary.rows, totals.total_rows));

    progress::report(2, Some(STEPS), "writing the page");
    let title = input.title.clone().unwrap_or_else(|| format!("{} by {}", input.sum, input.by));
    let markdown = page::write(&title, &input.path, &summary, &totals);

    progress::report(3, Some(STEPS), "making HTML of it");
    let html: String = skills::call("bailiwick/markdown", "to-html", &json!({ "markdown": markdown }))?;
    progress::report(STEPS, Some(STEPS), "done");
    Ok(Output { markdown, html, rows: summary.rows, groups: totals.total_rows })
}

/// What the columns hold, and the totals by group: two calls side by side.
fn calculate(csv: &str, input: &Input) -> Result<(Summary, Answer), Error> {
    let table = json!({ "format": "csv", "text": csv });
    let request = totals_by(&input.by, &input.sum);
    let describe = Call::new("bailiwick/table-query", "describe", &json!({ "table": table }))?;
    let query = Call::new("bailiwick/table-query", "query", &json!({ "table": table, "request": request }))?;
    let [summary, totals] = skills::call_each([describe, query])?;
    Ok((summary.parse()?, totals.parse()?))
}

/// The largest total first.
fn totals_by(group: &str, column: &str) -> Value {
    json!({
        "group-by": [group],
        "aggregates": [
            { "function": "sum", "column": column, "as-name": "total" },
            { "function": "count", "as-name": "rows" },
        ],
        "sort": [{ "column": "total", "descending": true }],
        "output": "markdown",
    })
}

bailiwick_guest::export_workflow!(Briefing);
