//! Snapshots: what a tool answered once, and shall answer again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Case, Expected, FOLDER};

/// The folder of snapshots below that of the cases.
const SNAPSHOTS: &str = "snapshots";

/// The name of a case as the name of a file.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-').to_owned();
    if slug.is_empty() { "case".to_owned() } else { slug }
}

/// Where the snapshot of a case is, relative to the package.
pub(super) fn path(case: &Case) -> PathBuf {
    Path::new(FOLDER).join(SNAPSHOTS).join(format!("{}.json", slug(&case.name)))
}

/// The text of a snapshot of an answer: the output, or the tool's own failure.
pub(super) fn text(answer: &Result<Value, Value>) -> String {
    let value = match answer {
        Ok(output) => json!({ "output": output }),
        Err(failure) => json!({ "failure": failure }),
    };
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

/// The text that was written down; none where nothing was.
pub(super) fn read(root: &Path, case: &Case) -> io::Result<Option<String>> {
    match fs::read_to_string(root.join(path(case))) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes it down.
pub(super) fn write(root: &Path, case: &Case, text: &str) -> io::Result<()> {
    let path = root.join(path(case));
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}

/// Snapshots of cases that are gone.
pub(super) fn orphans(root: &Path, cases: &[Case]) -> Vec<PathBuf> {
    let folder = Path::new(FOLDER).join(SNAPSHOTS);
    let wanted: Vec<PathBuf> = cases.iter().filter(|case| case.expect.answer == Expected::Snapshot).map(path).collect();
    let Ok(entries) = fs::read_dir(root.join(&folder)) else { return Vec::new() };
    let found = entries.flatten().map(|entry| folder.join(entry.file_name()));
    let mut orphans: Vec<PathBuf> = found.filter(|file| !wanted.contains(file)).collect();
    orphans.sort();
    orphans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_names_of_files() {
        assert_eq!(slug("Sums up: 1 + 2 (two)"), "sums-up-1-2-two");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(slug("Ärger"), "ärger");
        assert_eq!(slug("//"), "case");
    }

    #[test]
    fn a_failure_is_told_from_an_output() {
        assert_eq!(text(&Ok(json!(1))), "{\n  \"output\": 1\n}\n");
        assert_eq!(text(&Err(json!("no"))), "{\n  \"failure\": \"no\"\n}\n");
    }
}
