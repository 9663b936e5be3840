//! `SKILL.md`: the instructions of a skill, in the Agent Skills format.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use bailiwick_domain::manifest::{Kind, SkillManifest};

use super::document::{Content, Document, Node, Syntax, excerpt};
use super::error::PackageError;
use super::findings::Findings;
use super::key_path::KeyPath;
use super::raw::{self, RawFrontMatter};
use super::yaml_source;

/// A `SKILL.md` after validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instructions {
    /// The skill's name: the part of its id behind the slash.
    pub name: String,
    /// What the skill does and when to use it: 1 to 1024 characters.
    pub description: String,
    /// The license, or the file that holds it.
    pub license: Option<String>,
    /// What the skill needs of its surroundings: at most 500 characters.
    pub compatibility: Option<String>,
    /// Whatever else is said, by name.
    pub metadata: BTreeMap<String, String>,
    /// Tools that the author would let the instructions use without asking, as they are written, such as
    /// `Bash(git add:*)`. They are shown and give nothing: grants and approvals decide.
    pub allowed_tools: Vec<String>,
    /// The Markdown below the front matter.
    pub body: String,
}

/// Reads a `SKILL.md`. `None` means that `findings` says why not; the document
/// says where in the file something is.
pub(super) fn read(
    file: PathBuf,
    text: String,
    findings: &mut Findings,
) -> Result<Option<(Instructions, Document)>, PackageError> {
    let (document, body) = parse(file, text)?;
    let Some(raw) = raw::read_front_matter(&document, findings) else { return Ok(None) };
    Ok(validate(raw, body, &document, findings).map(|instructions| (instructions, document)))
}

/// The front matter and the manifest must speak of the same skill.
pub(super) fn check_agreement(
    instructions: &Instructions,
    document: &Document,
    manifest: &SkillManifest,
    findings: &mut Findings,
) {
    let wanted = manifest.id.name();
    if instructions.name != wanted {
        let found = excerpt(&instructions.name);
        let message = format!("found {found}, expected `{wanted}`, the name in the skill's id `{}`", manifest.id);
        findings.problem(document.problem(&KeyPath::root().key("name"), message));
    }
    if manifest.kind == Kind::Prompt && instructions.body.is_empty() {
        let message = "found nothing below the front matter, expected the instructions: a prompt consists of them";
        findings.problem(document.problem(&KeyPath::root(), message));
    }
}

/// The front matter as a document, and the text below it.
fn parse(file: PathBuf, text: String) -> Result<(Document, String), PackageError> {
    // A document without a tree, to say where in the text a fault is.
    let refuse = |text: String, offset: usize, message: &str| {
        let empty = Node { span: 0..0, content: Content::Table(Vec::new()) };
        Document::new(file.clone(), text, Syntax::Yaml, empty).problem_at(offset, &KeyPath::root(), message)
    };
    let (front, body) = match split(&text) {
        Ok(parts) => parts,
        Err((offset, message)) => return Err(refuse(text, offset, message).into()),
    };
    match yaml_source::parse(&text, front) {
        Ok(root) => {
            let body = text[body..].trim_start_matches(['\r', '\n']).trim_end().to_owned();
            Ok((Document::new(file, text, Syntax::Yaml, root), body))
        }
        Err(fault) => Err(refuse(text, fault.offset, &fault.message).into()),
    }
}

/// The range of the YAML between the two `---` lines, and where the body begins.
fn split(text: &str) -> Result<(Range<usize>, usize), (usize, &'static str)> {
    let is_fence = |line: &str| line.trim_end() == "---";
    // Some editors begin a file with a byte order mark.
    let mut offset = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut start = None;
    for line in text[offset..].split_inclusive('\n') {
        let next = offset + line.len();
        match start {
            None if is_fence(line) => start = Some(next),
            None => return Err((offset, "found other text, expected a first line `---` before the front matter")),
            Some(start) if is_fence(line) => return Ok((start..offset, next)),
            Some(_) => {}
        }
        offset = next;
    }
    match start {
        Some(_) => Err((text.len(), "found the end of the file, expected a line `---` behind the front matter")),
        None => Err((0, "found an empty file, expected a first line `---` before the front matter")),
    }
}

fn validate(raw: RawFrontMatter, body: String, document: &Document, findings: &mut Findings) -> Option<Instructions> {
    let path = |key| KeyPath::root().key(key);
    if raw.description.trim().is_empty() {
        let message = "found only spaces, expected what the skill does and when to use it";
        findings.problem(document.problem(&path("description"), message));
    }
    let allowed_tools = match raw.allowed_tools.as_deref().map_or(Ok(Vec::new()), split_tools) {
        Ok(tools) => tools,
        Err(message) => {
            findings.problem(document.problem(&path("allowed-tools"), message));
            return None;
        }
    };
    Some(Instructions {
        name: raw.name,
        description: raw.description,
        license: raw.license,
        compatibility: raw.compatibility,
        metadata: raw.metadata,
        allowed_tools,
        body,
    })
}

/// The entries of `allowed-tools`: spaces part them, except between parentheses,
/// where the arguments of a command stand (`Bash(git add:*)`).
fn split_tools(text: &str) -> Result<Vec<String>, String> {
    let unbalanced = || format!("found {}, expected each `(` to have its `)`", excerpt(text));
    let mut entries = Vec::new();
    let mut entry = String::new();
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or_else(unbalanced)?,
            _ => {}
        }
        if c.is_whitespace() && depth == 0 {
            entries.push(std::mem::take(&mut entry));
        } else {
            entry.push(c);
        }
    }
    entries.push(entry);
    entries.retain(|entry| !entry.is_empty());
    match (depth, entries.is_empty()) {
        (0, false) => Ok(entries),
        (0, true) => Err(format!("found {}, expected names of tools with spaces between", excerpt(text))),
        _ => Err(unbalanced()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_between_parentheses_part_nothing() {
        let tools = split_tools("  Read Bash(git add:*)\tWrite ").expect("balanced");
        assert_eq!(tools, ["Read", "Bash(git add:*)", "Write"]);
        for bad in ["", "  ", "Bash(", "Bash)", "(a))("] {
            assert!(split_tools(bad).is_err(), "{bad}");
        }
    }
}
