//! `new`: a package that works as it stands.

use std::path::PathBuf;

use bailiwick_authoring::new::{self, Made, NewError, Wanted};
use bailiwick_domain::manifest;
use serde_json::json;

use crate::cli::author::{Kind, Language, New};
use crate::output::{Done, Exit, Failure, Output};

pub(super) fn run(new: &New, out: Output) -> Done {
    let folder = new.path.clone().unwrap_or_else(|| PathBuf::from(&new.name));
    let wanted = Wanted {
        name: &new.name,
        namespace: &new.namespace,
        language: new.lang.map(Into::into),
        kind: new.kind.into(),
        folder: &folder,
    };
    if wanted.language.is_none() && new.kind != Kind::Prompt {
        let problem = "only a prompt can be text alone: say what it is written in with `--lang rust`, `--lang python`, \
                       `--lang javascript` or `--lang c`, or that it is a prompt with `--kind prompt`";
        return Err(Failure::new(Exit::Usage, problem));
    }
    let made = new::new(&wanted).map_err(failed)?;
    if out.json {
        out.value(&json!({
            "skill": made.id,
            "folder": made.folder,
            "language": wanted.language.map(manifest::Language::name),
            "kind": wanted.kind,
            "files": made.files,
        }));
        return Ok(());
    }
    say(&made, wanted.language.is_some(), out);
    Ok(())
}

fn say(made: &Made, has_code: bool, out: Output) {
    let folder = made.folder.display();
    out.line(format!("made {} in {folder}", out.bold(&made.id)));
    if !has_code {
        out.line("Next:");
        out.line(format!("  write {folder}/SKILL.md, and what it points to in {folder}/references"));
        out.line(format!("  bailiwick check {folder}"));
        out.line("  put it into a folder of `skills.directories`, where a host finds it");
        return;
    }
    // Prompts have no tools, so that there is nothing to test by cases.
    let has_cases = made.files.iter().any(|file| file.starts_with("tests/"));
    let next = if has_cases { "test" } else { "check" };
    out.line("Next:");
    out.line(format!("  bailiwick build {folder}"));
    out.line(format!("  bailiwick {next} {folder}"));
    out.line(format!("  bailiwick dev {folder}       builds and runs it again whenever you save"));
}

fn failed(error: NewError) -> Failure {
    let exit = match error {
        NewError::Name(_) | NewError::Occupied { .. } => Exit::Usage,
        NewError::Unwritable { .. } | NewError::NoTemplate { .. } => Exit::Host,
    };
    Failure::new(exit, error)
}

impl From<Language> for manifest::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::Rust => Self::Rust,
            Language::Python => Self::Python,
            Language::JavaScript => Self::JavaScript,
            Language::C => Self::C,
        }
    }
}

impl From<Kind> for manifest::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Tool => Self::Tool,
            Kind::Prompt => Self::Prompt,
            Kind::Workflow => Self::Workflow,
        }
    }
}
