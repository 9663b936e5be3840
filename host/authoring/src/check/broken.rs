//! What the host says of a broken package, with the cure.

use std::path::Path;

use bailiwick_domain::component::ComponentError;
use bailiwick_skills::catalog::BrokenReason;
use bailiwick_skills::package::{Package, PackageError, Problem};
use bailiwick_skills::skill::SkillError;

use super::{about_manifest, manifest};
use crate::finding::{Finding, Severity};

/// What stands in the way of the package as a skill.
pub(super) fn finding(reason: &BrokenReason, package: &Package) -> Finding {
    let component = package.manifest.component.clone().unwrap_or_default();
    match reason {
        BrokenReason::Component { error, .. } => self::component(error, &component),
        BrokenReason::Skill(error) => disagreement(error),
        BrokenReason::Outside(_) => Finding::new(
            Severity::Error,
            "component-outside",
            component,
            reason.to_string(),
            "put the file itself into the package, not a link to it",
        ),
        other => Finding::new(
            Severity::Error,
            "unreadable",
            package.root.clone(),
            other.to_string(),
            "mend what the message names, and run `bailiwick check` again",
        ),
    }
}

/// All that is wrong with the files of a package, each by itself.
pub(super) fn package(error: PackageError) -> Vec<Finding> {
    match error {
        PackageError::Invalid(problems) => problems.into_iter().map(problem).collect(),
        PackageError::Unreadable { path, source } => vec![Finding::new(
            Severity::Error,
            "unreadable",
            path,
            format!("can't be read: {source}"),
            "check that it is there and that you may read it",
        )],
        PackageError::NotAPackage { root } => vec![Finding::new(
            Severity::Error,
            "no-package",
            root,
            "found no `skill.toml` and no `SKILL.md`, expected one of them: they are what makes a folder a package",
            "name the folder of the package, or make a package with `bailiwick new NAME`",
        )],
        PackageError::Unusable { path, reason } => vec![Finding::new(
            Severity::Error,
            "unusable-file",
            path,
            reason,
            "put a plain text file of a sensible size in its place",
        )],
    }
}

fn problem(problem: Problem) -> Finding {
    let cure = manifest::cure(&problem);
    let finding =
        Finding::new(Severity::Error, "invalid", problem.file, problem.message, cure).at(problem.position.line);
    if problem.key.is_empty() { finding } else { finding.of_key(problem.key) }
}

/// Why the component can't run, and what to do.
pub(super) fn component(error: &ComponentError, file: &Path) -> Finding {
    let (code, cure) = match error {
        ComponentError::Unreadable(_) => {
            ("component-unreadable", "build it with `bailiwick build`, and check that you may read it")
        }
        ComponentError::TooLarge { .. } => (
            "component-too-large",
            "build for size, strip debug information, and leave large data out of the component",
        ),
        ComponentError::NotWasm { .. } => {
            ("not-wasm", "build it with `bailiwick build`, and name in `component` the file that the build writes")
        }
        ComponentError::CoreModule => (
            "core-module",
            "build it with `bailiwick build`; of a module with its WIT embedded, `bailiwick wit componentize FILE -o \
             OUT` makes a component",
        ),
        ComponentError::UnknownVersion { .. } => {
            ("unknown-version", "build it with a toolchain that writes components of today, such as `bailiwick build`")
        }
        ComponentError::Invalid(_) => (
            "invalid-component",
            "build it again with `bailiwick build`; if it was copied, copy it again, for a part may be missing",
        ),
        ComponentError::UnknownImports(_) => (
            "unknown-import",
            "leave out of the code and of the WIT world what uses these; `bailiwick inspect FILE` tells what each \
             import is good for",
        ),
        ComponentError::UnsupportedFunction { .. } => {
            ("unsupported-function", "change the function in the WIT world as the message says, and build again")
        }
        ComponentError::UnknownExport { .. } => (
            "unknown-world",
            "build against the WIT of this host, which `bailiwick build` writes to `.build/sdk/wit`, or run the skill on \
             a newer host",
        ),
        ComponentError::NoTools => (
            "no-tools",
            "export at least one function from the WIT world, such as `export run: func() -> string;`, and build again",
        ),
        ComponentError::Host(_) => ("host", "this is no fault of the package: mend what the message names"),
    };
    Finding::new(Severity::Error, code, file, error.to_string(), cure)
}

/// The manifest says what the component doesn't bear out.
fn disagreement(error: &SkillError) -> Finding {
    let message = error.to_string();
    let (code, key, cure) = match error {
        SkillError::UnknownTool { name, tools } => {
            let names = tools.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            ("unknown-tool", format!("tools.{name}"), format!("name one of {names} in its place, or remove the table"))
        }
        SkillError::ToolTwice { first, second } => (
            "tool-twice",
            format!("tools.{second}"),
            format!("put all that is to be said into `[tools.{first}]`, and remove the other"),
        ),
        SkillError::NotNarrower { tool, direction, .. } => (
            "schema-not-narrower",
            format!("tools.{tool}.{direction}_schema"),
            "let the schema allow no more than the WIT type does: `bailiwick inspect` prints the schema of each tool"
                .to_owned(),
        ),
        SkillError::Schema { tool, direction, .. } => (
            "schema-unusable",
            format!("tools.{tool}.{direction}_schema"),
            "write it in JSON Schema 2020-12, with no reference out of the file".to_owned(),
        ),
        SkillError::SchemaOfOurs { function, direction } => (
            "schema-of-ours",
            format!("tools.\"{function}\".{direction}_schema"),
            "remove the key: what the function takes and answers is written in the WIT of `bailiwick:skill`".to_owned(),
        ),
        SkillError::NoWorkflow => (
            "kind",
            "kind".to_owned(),
            "export `bailiwick:skill/workflow` from the WIT world (`include bailiwick:skill/workflow-skill`) and build \
             again, or set `kind = \"tool\"`"
                .to_owned(),
        ),
        SkillError::UnnamedWorkflow => (
            "kind",
            "kind".to_owned(),
            "set `kind = \"workflow\"` in skill.toml, or leave the export out of the WIT world and build again".to_owned(),
        ),
    };
    about_manifest(Severity::Error, code, message, cure).of_key(key)
}
