//! Every error that an author can meet has its place in `troubleshooting.md`.
//!
//! What errors there are is read from the sources, so that a new one without a cure
//! fails here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::literals::literals;
use super::{blocks, files, root};

/// Where errors are enums whose texts stand in `#[error(…)]`: files, and folders with all in them.
const ENUMS: &[&str] = &[
    "host/authoring/src",
    "host/distribution/src/bundle.rs",
    "host/distribution/src/install/error.rs",
    "host/distribution/src/key.rs",
    "host/distribution/src/lock.rs",
    "host/distribution/src/oci.rs",
    "host/distribution/src/pack.rs",
    "host/distribution/src/signature.rs",
    "host/distribution/src/source.rs",
    "host/domain/src/authority",
    "host/domain/src/component.rs",
    "host/domain/src/digest.rs",
    "host/domain/src/permit.rs",
    "host/domain/src/sandbox.rs",
    "host/domain/src/skill_id.rs",
    "host/domain/src/state.rs",
    "host/domain/src/units.rs",
    "host/sandbox/src/capabilities",
    "host/sandbox/src/meter.rs",
    "host/skills/src/approvals/error.rs",
    "host/skills/src/catalog.rs",
    "host/skills/src/execute/error.rs",
    "host/skills/src/grants/error.rs",
    "host/skills/src/observe",
    "host/skills/src/package",
    "host/skills/src/policy/refusal.rs",
    "host/skills/src/registry/admission.rs",
    "host/skills/src/schema",
    "host/skills/src/skill.rs",
];

/// Where errors are put together from texts: each literal of these is one, or a part of one.
const TEXTS: &[&str] = &[
    "host/authoring/src/build/error.rs",
    "host/authoring/src/cases/raw.rs",
    "host/authoring/src/wit/error.rs",
    "host/distribution/src/bundle/path.rs",
    "host/distribution/src/install/error.rs",
    "host/distribution/src/store.rs",
    "host/domain/src/services.rs",
    "host/journal/src/state.rs",
    "host/sandbox/src/capabilities",
    "host/sandbox/src/component/imports.rs",
    "host/sandbox/src/component/signature.rs",
    "host/sandbox/src/invoke.rs",
    "host/sandbox/src/value/lower.rs",
    "host/server/src/commands/grant/parse.rs",
    "host/skills/src/content",
    "host/skills/src/content.rs",
    "host/skills/src/execute/models.rs",
    "host/skills/src/execute/nested.rs",
    "host/skills/src/execute/provided.rs",
    "host/skills/src/package",
    "host/skills/src/package.rs",
    "host/skills/src/registry/admission.rs",
    "host/skills/src/schema",
];

/// Commands that also say much that is no error: of these, what says what was expected.
const COMMANDS: &[&str] = &[
    "host/server/src/commands/grant.rs",
    "host/server/src/commands/skills/install.rs",
    "host/server/src/commands/skills/publish.rs",
];

/// Texts that no author meets, each for its reason.
const ELSEWHERE: &[&str] = &[
    // What was tried, in front of a path.
    "get flags of",
    "get type of",
    "hash metadata of",
    "set size of",
    "set times of",
    // What a review lists.
    "a folder of its own for each call, or for each task of a run",
    // How the SKILL.md of a package is described among its resources.
    "What the skill is for, and how to use it.",
    // The title of the manifest's schema.
    "Manifest of a Bailiwick skill (skill.toml)",
    // For the log of the host alone.
    "a leftover of an installation can't be removed",
    "a provider of models refuses this host",
    // What a model is told whose answer is not as it was asked for.
    "Your answer does not fit the JSON Schema: {misfit}. Answer again, with JSON that fits and nothing else.",
    // How the engine's own text begins.
    "resource limit exceeded: instance count",
    // The end of a command's error, behind what stands for it.
    "stderr can't be read",
];

/// Words that a text must have to be told from others.
const MIN_WORDS: usize = 3;

#[test]
fn every_error_has_its_cure_on_the_page() {
    let page = Page::read();
    let texts = texts();
    assert!(texts.len() > 350, "there were only {} texts", texts.len());
    let missing: Vec<_> = texts.iter().filter(|(_, text)| !page.has(text)).collect();
    let told: Vec<_> = missing.iter().map(|(file, text)| format!("{file}: {text}")).collect();
    assert!(missing.is_empty(), "docs/authors/troubleshooting.md doesn't have:\n{}", told.join("\n"));
}

#[test]
fn every_code_of_a_check_is_on_the_page() {
    let page = fs::read_to_string(root().join("docs/authors/troubleshooting.md")).unwrap();
    let is_code = |text: &String| {
        text.contains('-')
            && text.split('-').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase()))
    };
    let codes: BTreeSet<_> =
        sources("host/authoring/src/check").iter().flat_map(|path| all(path)).filter(is_code).collect();
    assert!(codes.len() > 20, "there were only {} codes", codes.len());
    let missing: Vec<_> = codes.iter().filter(|code| !page.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/authors/troubleshooting.md doesn't have {missing:?}");
}

/// The other way round: what the page says of the libraries' own errors is what they say.
#[test]
fn errors_of_the_libraries_are_those_on_the_page() {
    let page = fs::read_to_string(root().join("docs/authors/troubleshooting.md")).unwrap();
    for (title, extensions) in [("## Python", &["py"][..]), ("## JavaScript and TypeScript", &["js", "mjs"][..])] {
        let sources = extensions.iter().flat_map(|extension| files(&root().join("guest-sdk"), extension));
        let said: String = sources.map(|path| joined(&fs::read_to_string(path).unwrap())).collect();
        let section = page.split(&format!("\n{title}\n")).nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
        let shown = section.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        assert!(shown.lines().count() > 5, "{title}");
        for part in shown.lines().flat_map(|line| line.split(['<', '>']).step_by(2)) {
            let part = part.trim_matches([' ', ':']);
            assert!(said.contains(part), "{title}: no source says `{part}`");
        }
    }
}

/// A source with its texts as they are read: those that go on in the next line joined,
/// and without what only the language needs.
fn joined(source: &str) -> String {
    let mut whole = String::new();
    for line in source.lines().map(str::trim) {
        let begins = line.strip_prefix('f').unwrap_or(line).strip_prefix('"');
        if let (Some(rest), true) = (begins, whole.ends_with('"')) {
            whole.pop();
            whole.push_str(rest);
        } else {
            whole.push('\n');
            whole.push_str(line);
        }
    }
    whole.replace("\\`", "`")
}

#[test]
fn an_error_without_a_cure_would_be_noticed() {
    let page = Page::read();
    assert!(page.has("`{skill}` has several tools: name one of {}"));
    assert!(page.has("the {direction} schema of the tool `{tool}`, can't be used: {reason}"));
    for unknown in ["`{skill}` has several tools: name two of {}", "the moon is in the wrong house: {reason}"] {
        assert!(!page.has(unknown), "{unknown}");
    }
}

#[test]
fn no_exception_is_out_of_date() {
    let known: Vec<String> = TEXTS.iter().flat_map(|path| sources(path)).flat_map(|path| all(&path)).collect();
    for text in ELSEWHERE {
        assert!(known.iter().any(|known| known.trim() == *text), "no source says `{text}` any more");
    }
}

/// The lines of the page that are errors.
struct Page {
    lines: Vec<String>,
}

impl Page {
    fn read() -> Self {
        let page = root().join("docs/authors/troubleshooting.md");
        let blocks = blocks(&page).into_iter().filter(|block| block.info == "text");
        let lines = blocks.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        Self { lines }
    }

    /// Whether a line has the fixed parts of `text`, in their order. A text that is
    /// not formatted has its braces as they stand; of one with several lines the first counts.
    fn has(&self, text: &str) -> bool {
        let text = text.lines().next().unwrap_or_default();
        let parts = fixed_parts(text);
        self.lines.iter().any(|line| in_order(line, &parts) || line.contains(text))
    }
}

/// Each text of the sources that the page must have, with its file.
fn texts() -> Vec<(String, String)> {
    let from = |paths: &[&str], wanted: fn(&super::literals::Literal) -> bool| {
        let mut found = Vec::new();
        for path in paths.iter().flat_map(|path| sources(path)) {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            let literals = literals(&fs::read_to_string(&path).unwrap());
            let texts = literals.into_iter().filter(wanted).map(|literal| literal.text.trim().to_owned());
            found.extend(texts.map(|text| (name.clone(), text)));
        }
        found
    };
    let mut all = from(ENUMS, |literal| literal.is_error);
    all.extend(from(TEXTS, |literal| !literal.is_internal));
    all.extend(from(COMMANDS, |literal| literal.text.starts_with('`') || literal.text.contains("expected")));
    all.retain(|(_, text)| words(text) >= MIN_WORDS && !ELSEWHERE.contains(&text.as_str()));
    all
}

fn all(path: &Path) -> Vec<String> {
    literals(&fs::read_to_string(path).unwrap()).into_iter().map(|literal| literal.text).collect()
}

/// The file, or all files of the folder.
fn sources(path: &str) -> Vec<PathBuf> {
    let path = root().join(path);
    if path.is_dir() { files(&path, "rs") } else { vec![path] }
}

fn words(text: &str) -> usize {
    let is_word = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    fixed_parts(text).iter().map(|part| part.split_whitespace().filter(is_word).count()).sum()
}

/// What stands between the placeholders of a format string.
fn fixed_parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let doubled = (c == '{' || c == '}') && characters.next_if_eq(&c).is_some();
        if c == '{' && !doubled {
            characters.by_ref().find(|c| *c == '}');
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

fn in_order(line: &str, parts: &[String]) -> bool {
    let mut rest = line;
    parts.iter().all(|part| match rest.find(part.as_str()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}
