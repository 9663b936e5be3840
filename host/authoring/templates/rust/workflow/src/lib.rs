//! A web page of a document in Markdown: a workflow that has another skill read it.

use bailiwick_guest::skills::{self, Call};
use bailiwick_guest::workflow::{self, Error, Guest};
use bailiwick_guest::{log, progress};
use serde::{Deserialize, Serialize};
use serde_json::json;

const MARKDOWN: &str = "bailiwick/markdown";

/// What the workflow takes, as `schemas/input.json` says it.
#[derive(Deserialize)]
struct Input {
    markdown: String,
    title: Option<String>,
}

/// What it gives, as `schemas/output.json` says it.
#[derive(Serialize)]
struct Output {
    html: String,
    headings: usize,
}

/// What `bailiwick/markdown` says of a heading, as far as it is needed here.
#[derive(Deserialize)]
struct Heading {
    level: usize,
    text: String,
    anchor: String,
}

struct Skill;

impl Guest for Skill {
    fn run(input: String) -> Result<String, Error> {
        workflow::json(&input, page)
    }
}

fn page(input: Input) -> Result<Output, Error> {
    progress::report(0, Some(2), "reading the document");
    let (headings, body) = if input.markdown.trim().is_empty() { Default::default() } else { read(&input.markdown)? };
    log::info(format_args!("{} headings", headings.len()));

    progress::report(1, Some(2), "writing the page");
    let title = input.title.or_else(|| headings.first().map(|it| it.text.clone())).unwrap_or_default();
    let contents: String = headings.iter().map(entry).collect();
    let html = format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{}</title>\n<nav>\n{contents}</nav>\n{body}",
        escape(&title)
    );
    Ok(Output { html, headings: headings.len() })
}

/// The headings of a document, and its HTML.
fn read(markdown: &str) -> Result<(Vec<Heading>, String), Error> {
    // Both calls are made side by side. Where one fails, its error says which, and ends the run.
    let outline = Call::new(MARKDOWN, "outline", &json!({ "markdown": markdown }))?;
    let html = Call::new(MARKDOWN, "to-html", &json!({ "markdown": markdown, "heading-ids": true }))?;
    let [headings, html] = skills::call_each([outline, html])?;
    Ok((headings.parse()?, html.parse()?))
}

fn entry(heading: &Heading) -> String {
    let indent = "  ".repeat(heading.level);
    format!("{indent}<a href=\"#{}\">{}</a><br>\n", escape(&heading.anchor), escape(&heading.text))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

bailiwick_guest::export_workflow!(Skill);
