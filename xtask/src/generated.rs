//! Files that come from the code and are committed, so that readers and tools
//! find them without building anything.

use std::fs;
use std::path::Path;

use bailiwick_domain::run::{EventKind, Status};
use serde_json::Value;

/// What stands before and behind a part of a document that comes from the code.
const BEGIN: &str = "<!-- generated: transitions -->\n";
const END: &str = "<!-- end -->\n";

/// Path and content of every generated file.
fn files(root: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|e| e.to_string());
    let openapi = serde_json::to_value(bailiwick_api::openapi()).map_err(|error| error.to_string())?;
    Ok(vec![
        ("docs/openapi.json", pretty(&openapi)?),
        ("docs/schemas/skill-manifest.schema.json", pretty(&bailiwick_skills::package::manifest_schema())?),
        ("docs/schemas/config.schema.json", pretty(&bailiwick_server::config::schema())?),
        ("docs/runs.md", runs(&fs::read_to_string(root.join("docs/runs.md")).map_err(|error| error.to_string())?)?),
    ])
}

/// The page on runs with the diagram and the table of the code's own transitions.
fn runs(page: &str) -> Result<String, String> {
    let marks = page.split_once(BEGIN).and_then(|(head, rest)| rest.split_once(END).map(|(_, tail)| (head, tail)));
    let (head, tail) = marks.ok_or_else(|| format!("docs/runs.md has no `{}`", BEGIN.trim()))?;
    Ok(format!("{head}{BEGIN}{}{END}{tail}", transitions()))
}

/// Every change of a run's status as a diagram, and every event that may meet a status as a table.
fn transitions() -> String {
    let mut diagram = vec!["```mermaid".to_owned(), "stateDiagram-v2".to_owned(), "    [*] --> queued".to_owned()];
    let mut table =
        vec!["| where it stands | what may happen there, and leaves it there |".to_owned(), "|---|---|".to_owned()];
    for from in Status::ALL {
        for to in Status::ALL.into_iter().filter(|to| *to != from) {
            let names = names(from, to);
            if !names.is_empty() {
                diagram.push(format!("    {from} --> {to}: {}", names.join(", ")));
            }
        }
        let names: Vec<_> = names(from, from).iter().map(|event| format!("`{event}`")).collect();
        let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        table.push(format!("| `{from}` | {names} |"));
    }
    diagram.extend([Status::Completed, Status::Cancelled].map(|over| format!("    {over} --> [*]")));
    format!("{}\n```\n\n{}\n", diagram.join("\n"), table.join("\n"))
}

/// The events by which a run gets from one status to another.
fn names(from: Status, to: Status) -> Vec<&'static str> {
    let ways = EventKind::ALL.into_iter().filter(|event| from.after(*event).contains(&to));
    ways.map(EventKind::name).collect()
}

/// Writes them.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    for (path, text) in files(root)? {
        let full = root.join(path);
        fs::create_dir_all(full.parent().unwrap_or(&full)).map_err(|error| format!("{path}: {error}"))?;
        fs::write(&full, text).map_err(|error| format!("{path}: {error}"))?;
        println!("generated: {path}");
    }
    Ok(())
}

/// Fails when one is not what the code would write.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let stale = |(path, text): &(&str, String)| fs::read_to_string(root.join(path)).map_or(true, |old| old != *text);
    let stale: Vec<_> = files(root)?.into_iter().filter(stale).map(|(path, _)| path).collect();
    if stale.is_empty() {
        println!("generated: all files are what the code writes");
        return Ok(());
    }
    Err(format!("stale: {}; run `make schemas` and commit what changes", stale.join(", ")))
}
