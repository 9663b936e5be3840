//! `SKILL.md` against the Agent Skills format, beyond what a host insists on.

use std::fs;
use std::path::{Component, Path, PathBuf};

use bailiwick_skills::package::{INSTRUCTIONS_FILE, MANIFEST_FILE};

use super::about_instructions;
use crate::finding::{Finding, Severity};

/// Lines of a body that the format recommends to stay below.
const MAX_LINES: usize = 500;

/// Characters of a body that the format recommends to stay below: 5000 tokens of some four each.
const MAX_CHARS: usize = 20_000;

/// Folders that the format has for what a body refers to.
const FOLDERS: [&str; 3] = ["references/", "scripts/", "assets/"];

/// What is to be said of the instructions of the package in `root`.
pub(super) fn check(root: &Path) -> Vec<Finding> {
    let Ok(text) = fs::read_to_string(root.join(INSTRUCTIONS_FILE)) else {
        return missing(root).into_iter().collect();
    };
    let lines: Vec<&str> = text.lines().collect();
    let fence = |line: &&str| line.trim_end() == "---";
    // Without a front matter the package is refused, which says more.
    let Some(end) = lines.iter().skip(1).position(fence).map(|end| end + 1) else { return Vec::new() };
    let (front, body) = lines.split_at(end.min(lines.len()));
    let mut findings: Vec<Finding> = folder(root, front).into_iter().collect();
    findings.extend(size(body));
    findings.extend(references(root, body, end));
    findings
}

/// A package that runs without instructions, and that agents don't find.
fn missing(root: &Path) -> Option<Finding> {
    (root.join(MANIFEST_FILE).is_file() && !root.join(INSTRUCTIONS_FILE).exists()).then(|| {
        let message = "found none, expected one: agents read in it when to use the skill".to_owned();
        let cure = "write a SKILL.md with `name` and `description` in its front matter, and how to use the tools below";
        about_instructions(Severity::Warning, "no-instructions", message, cure.to_owned())
    })
}

/// The format wants the folder to have the skill's name.
fn folder(root: &Path, front: &[&str]) -> Option<Finding> {
    let root = root.canonicalize().ok()?;
    let folder = root.file_name()?.to_str()?;
    let (line, name) = front.iter().enumerate().find_map(|(line, text)| Some((line, text.strip_prefix("name:")?)))?;
    let name = name.trim().trim_matches(['"', '\'']);
    (name != folder).then(|| {
        let message = format!("found the name `{name}` in the folder `{folder}`, expected them to be the same");
        let cure = format!("rename the folder to `{name}`: other readers of the format look for it there");
        about_instructions(Severity::Warning, "folder-name", message, cure).at(line + 1).of_key("name")
    })
}

/// Whoever uses the skill reads the whole body, each time.
fn size(body: &[&str]) -> Option<Finding> {
    let chars: usize = body.iter().map(|line| line.chars().count() + 1).sum();
    (body.len() > MAX_LINES || chars > MAX_CHARS).then(|| {
        let message = format!(
            "found {} lines and {chars} characters of instructions, expected at most {MAX_LINES} lines and {MAX_CHARS} \
             characters: all of it is read at each use",
            body.len()
        );
        let cure = "move what is seldom needed to files in `references/`, and say in SKILL.md when to read which";
        about_instructions(Severity::Warning, "long-instructions", message, cure.to_owned())
    })
}

/// Files that the body names, which must be there.
fn references(root: &Path, body: &[&str], before: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_code = false;
    for (index, line) in body.iter().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let at = before + index + 1;
        findings.extend(links(line).filter_map(|target| link(root, target)).map(|finding| finding.at(at)));
        findings.extend(paths(line).filter_map(|path| path_in_text(root, path)).map(|finding| finding.at(at)));
    }
    findings
}

/// The targets of Markdown links in a line, without titles.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let ends = line.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| {
        let target = target.split_whitespace().next().unwrap_or_default();
        target.trim_start_matches('<').trim_end_matches('>')
    })
}

/// The words in backticks that are paths of the format's own folders.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|text| FOLDERS.iter().any(|folder| text.starts_with(folder)) && is_path(text))
}

/// Whether a text is one path, and not a pattern or a command.
fn is_path(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

fn link(root: &Path, target: &str) -> Option<Finding> {
    let has_scheme = target.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    let path = target.split(['#', '?']).next().unwrap_or_default().replace("%20", " ");
    if has_scheme || path.is_empty() {
        return None;
    }
    let message = match place(root, Path::new(&path)) {
        Place::There => return None,
        Place::Missing => format!("found a link to `{path}`, and there is no such file in the package"),
        Place::Outside => {
            format!("found a link to `{path}`, which leads out of the package: nobody else has that file")
        }
    };
    let cure = format!("add the file `{path}` to the package, or mend the link");
    let cure = if message.contains("leads out") {
        "put the file into `references/` and link to it there".to_owned()
    } else {
        cure
    };
    Some(about_instructions(Severity::Error, "missing-reference", message, cure))
}

fn path_in_text(root: &Path, path: &str) -> Option<Finding> {
    matches!(place(root, Path::new(path)), Place::Missing).then(|| {
        let message = format!("names `{path}`, and there is no such file in the package");
        let cure = format!("add `{path}` to the package, or mend the name");
        about_instructions(Severity::Warning, "missing-reference", message, cure)
    })
}

enum Place {
    There,
    Missing,
    Outside,
}

fn place(root: &Path, path: &Path) -> Place {
    let outside = |part: Component<'_>| !matches!(part, Component::Normal(_) | Component::CurDir);
    if path.components().any(outside) {
        return Place::Outside;
    }
    let file: PathBuf = root.join(path);
    if file.exists() { Place::There } else { Place::Missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, body: &str) -> Vec<Finding> {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("greet");
        fs::create_dir_all(root.join("references")).expect("made");
        fs::write(root.join("references/there.md"), "x").expect("written");
        fs::write(root.join("SKILL.md"), format!("---\nname: {name}\ndescription: x\n---\n\n{body}")).expect("written");
        check(&root)
    }

    #[test]
    fn links_lead_to_files_of_the_package() {
        let body = "See [there](references/there.md#part), [the web](https://example.com) and [above](#top).\n\
                    ```\n[no link](nowhere.md)\n```\nAlso `references/there.md` and `scripts/*.py`.\n";
        assert_eq!(found("greet", body), []);
        let gone = found("greet", "one\n[gone](references/gone.md \"title\") and [out](../other/SKILL.md)\n");
        assert_eq!(gone.iter().map(|it| (it.severity, it.line)).collect::<Vec<_>>(), [(Severity::Error, Some(7)); 2]);
        assert!(gone[0].message.contains("`references/gone.md`") && gone[1].message.contains("leads out"));
        assert_eq!(found("greet", "Run `scripts/gone.py`.")[0].severity, Severity::Warning);
    }

    #[test]
    fn the_folder_has_the_skills_name_and_the_body_a_sensible_size() {
        assert_eq!(found("other", "x")[0].code, "folder-name");
        assert_eq!(found("\"greet\"", &"a line\n".repeat(490)), []);
        assert_eq!(found("greet", &"a line\n".repeat(501))[0].code, "long-instructions");
        assert_eq!(found("greet", &"x".repeat(20_001))[0].code, "long-instructions");
    }
}
