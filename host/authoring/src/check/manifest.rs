//! What `skill.toml` says.

use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_skills::package::{MANIFEST_FILE, Package, Problem};

use super::about_manifest;
use crate::finding::{Finding, Severity};

/// The component that a manifest names, as far as it can be read.
pub(super) fn component(root: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(root.join(MANIFEST_FILE)).ok()?;
    let table: toml::Table = text.parse().ok()?;
    table.get("component")?.as_str().map(PathBuf::from)
}

/// What is good to know of a manifest that is right.
pub(super) fn notes(package: &Package) -> Vec<Finding> {
    let mut notes = Vec::new();
    if !package.manifest.permissions.shell.is_empty() {
        let message = "asks to run commands of the host, which most hosts refuse".to_owned();
        let cure = "say in SKILL.md that a host needs `skills.allow_shell = true` for it".to_owned();
        notes.push(about_manifest(Severity::Note, "shell", message, cure).of_key("permissions.shell"));
    }
    notes
}

/// What to do about a problem, which says what was found and what was expected.
pub(super) fn cure(problem: &Problem) -> String {
    let line = problem.position.line;
    let file = problem.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (key, message) = (problem.key.as_str(), problem.message.as_str());
    match key {
        _ if message.starts_with("unknown key") => {
            format!("give the key in line {line} the name that was meant, or remove the line")
        }
        "component" if message.contains("build the skill") => {
            "build it with `bailiwick build`, or name in `component` the file that your build writes".to_owned()
        }
        "kind" if file == MANIFEST_FILE && message.contains("prompt") => {
            "write a SKILL.md with a front matter and the instructions, or set `kind = \"tool\"`".to_owned()
        }
        "name" => format!("write the expected name in line {line}, or change `skill_id` in {MANIFEST_FILE}"),
        "" => format!("mend line {line} of {file}"),
        _ if message.contains("found nothing, expected") => format!("add `{key}` to {file}"),
        _ if key.ends_with("_schema") => format!("mend the schema file, or name another one in line {line} of {file}"),
        _ => format!("change `{key}` in line {line} of {file} to what was expected"),
    }
}
