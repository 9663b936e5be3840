//! What is said of each tool.

use std::path::Path;

use bailiwick_domain::manifest::Language;
use bailiwick_skills::package::MANIFEST_FILE;
use bailiwick_skills::skill::{Passing, Skill, Tool};

use crate::component::Facts;
use crate::finding::{Finding, Severity};

/// Tools that nobody says anything of: a model can't know when to use them.
pub(super) fn check(root: &Path, facts: &Facts, skill: &Skill) -> Vec<Finding> {
    let silent = skill.tools.iter().filter(|tool| tool.description.trim().is_empty());
    let finding = |tool: &Tool| {
        let file = skill.manifest.component.clone().unwrap_or_default();
        let message = format!("the tool `{}` has no description, expected what it does and when to use it", tool.name);
        let in_manifest = format!("write `description` into `[tools.{}]` in {MANIFEST_FILE}", tool.name);
        let cure = match tool.passing {
            Passing::Types => format!("{}; or {in_manifest}", where_docs_go(root, facts, skill)),
            // The WIT of such a tool is the host's, and says nothing of this one.
            Passing::Json | Passing::NamedJson => in_manifest,
        };
        Finding::new(Severity::Warning, "no-description", file, message, cure)
    };
    silent.map(finding).collect()
}

/// How a description is written in the language of the package.
fn where_docs_go(root: &Path, facts: &Facts, skill: &Skill) -> &'static str {
    match language(root, facts, skill) {
        Some(Language::Python) => "write a docstring below the `def` line of the function, and build again",
        Some(Language::JavaScript) => "write a `/** … */` comment above the exported function, and build again",
        Some(Language::Rust | Language::C) => "write a `///` comment above the function in `wit/`, and build again",
        None => {
            "write a `///` comment above the function in the WIT (in Python a docstring, in JavaScript a `/** … */` \
             comment), and build again with `bailiwick build`"
        }
    }
}

/// The language that the manifest names for the build, else the one that the files show.
fn language(root: &Path, facts: &Facts, skill: &Skill) -> Option<Language> {
    let files = [
        ("skill.py", Language::Python),
        ("skill.js", Language::JavaScript),
        ("skill.ts", Language::JavaScript),
        ("Cargo.toml", Language::Rust),
    ];
    let named = skill.manifest.build.as_ref().map(|build| build.language);
    let by_file = || files.iter().find(|(file, _)| root.join(file).is_file()).map(|(_, language)| *language);
    named.or_else(by_file).or_else(|| facts.made_by("rustc").then_some(Language::Rust))
}
