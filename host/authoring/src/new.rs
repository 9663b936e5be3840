//! New packages, from the templates in the binary.

use std::io;
use std::path::{Path, PathBuf};

use bailiwick_domain::manifest::{Kind, Language};

use crate::embedded::{self, File};
use crate::files;
use crate::names::{self, InvalidName};

/// The namespace of a package that nobody named one for. Prompts without a manifest are in it too.
pub const NAMESPACE: &str = "local";

/// What is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whose it is: the part of its id before the slash.
    pub namespace: &'a str,
    /// What it is written in; `None` for a prompt that is only text.
    pub language: Option<Language>,
    /// What it is.
    pub kind: Kind,
    /// Where it goes: a folder that is new or empty.
    pub folder: &'a Path,
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// The skill's id.
    pub id: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Its files, as paths below the folder, without the library for its build.
    pub files: Vec<String>,
}

/// Why no package was made.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// A name that can't be one.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Nothing is ever overwritten.
    #[error(
        "`{}` is there already and isn't empty, and nothing is overwritten: choose another folder with --path, or remove it",
        folder.display()
    )]
    Occupied {
        /// The folder.
        folder: PathBuf,
    },
    /// A file can't be written.
    #[error("can't write `{}`: {error}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is no template, which is a fault of this program.
    #[error("there is no template for {language} and {kind}")]
    NoTemplate {
        /// In this language,
        language: &'static str,
        /// of this kind.
        kind: &'static str,
    },
}

/// Makes a package.
pub fn new(wanted: &Wanted<'_>) -> Result<Made, NewError> {
    names::check("name", wanted.name)?;
    names::check("namespace", wanted.namespace)?;
    let templates = templates_of(wanted)?;
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |error| NewError::Unwritable { path, error }
    };
    if !is_free(wanted.folder).map_err(unwritable(wanted.folder))? {
        return Err(NewError::Occupied { folder: wanted.folder.to_owned() });
    }
    let mut written = Vec::new();
    for (path, content) in templates {
        let path = fill(path, wanted);
        let target = wanted.folder.join(&path);
        files::write_changed(&target, &fill_bytes(content, wanted)).map_err(unwritable(&target))?;
        written.push(path);
    }
    if let Some(language) = wanted.language {
        embedded::write_sdk(wanted.folder, language.name()).map_err(unwritable(wanted.folder))?;
    }
    let id = format!("{}/{}", wanted.namespace, wanted.name);
    Ok(Made { id, folder: wanted.folder.to_owned(), files: written })
}

/// The files of the template, as their paths in the package and their content.
fn templates_of(wanted: &Wanted<'_>) -> Result<Vec<(&'static str, &'static [u8])>, NewError> {
    let (language, kind) = (wanted.language.map_or("text", Language::name), kind_name(wanted.kind));
    let prefix = format!("{language}/{kind}/");
    let below = |file: &'static File| Some((file.path.strip_prefix(&prefix)?, file.content));
    let mut files: Vec<_> = embedded::templates().iter().filter_map(below).collect();
    // The id of a prompt without a manifest is `local/NAME`, so that another namespace needs one.
    if wanted.language.is_none() && wanted.namespace == NAMESPACE {
        files.retain(|(path, _)| *path != "skill.toml");
    }
    if files.is_empty() { Err(NewError::NoTemplate { language, kind }) } else { Ok(files) }
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Tool => "tool",
        Kind::Prompt => "prompt",
        Kind::Workflow => "workflow",
    }
}

/// Whether nothing is in the folder, or there is no folder.
fn is_free(folder: &Path) -> io::Result<bool> {
    match folder.read_dir() {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

/// The text with the names in their places.
fn fill(text: &str, wanted: &Wanted<'_>) -> String {
    text.replace("{{name}}", wanted.name)
        .replace("{{ident}}", &names::ident(wanted.name))
        .replace("{{namespace}}", wanted.namespace)
}

/// The same for a file, which stays as it is where it is no text.
fn fill_bytes(content: &[u8], wanted: &Wanted<'_>) -> Vec<u8> {
    match std::str::from_utf8(content) {
        Ok(text) => fill(text, wanted).into_bytes(),
        Err(_) => content.to_vec(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use bailiwick_skills::package::{LoadOptions, load_source};

    use super::*;

    fn wanted(language: Option<Language>, kind: Kind, folder: &Path) -> Wanted<'_> {
        Wanted { name: "word-watch", namespace: "acme", language, kind, folder }
    }

    #[test]
    fn every_template_is_a_package_with_all_names_filled_in() {
        let kinds = [Kind::Tool, Kind::Prompt, Kind::Workflow];
        let mut all: Vec<_> = Language::ALL.iter().flat_map(|it| kinds.map(|kind| (Some(*it), kind))).collect();
        all.push((None, Kind::Prompt));
        for (language, kind) in all {
            let folder = tempfile::tempdir().unwrap();
            let made = new(&wanted(language, kind, folder.path())).unwrap();
            assert_eq!(made.id, "acme/word-watch");
            for file in &made.files {
                let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
                assert!(!file.contains("{{") && !text.contains("{{name") && !text.contains("{{ident"), "{file}");
            }
            let package = load_source(folder.path(), &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(package.manifest.id.as_str(), made.id);
            assert_eq!(package.manifest.build.map(|build| build.language), language);
            assert!(package.instructions.is_some(), "{language:?} {kind:?} has no SKILL.md");
        }
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("SKILL.md"), "mine").unwrap();
        let error = new(&wanted(Some(Language::Rust), Kind::Tool, folder.path())).unwrap_err();
        assert!(matches!(error, NewError::Occupied { .. }), "{error}");
        let error = new(&wanted(None, Kind::Prompt, &folder.path().join("SKILL.md"))).unwrap_err();
        assert!(matches!(error, NewError::Occupied { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(folder.path().join("SKILL.md")).unwrap(), "mine");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_prompt_of_nobodys_namespace_is_text_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = new(&Wanted { namespace: NAMESPACE, ..wanted(None, Kind::Prompt, folder.path()) }).unwrap();
        assert!(made.files.iter().all(|file| Path::new(file).extension() == Some("md".as_ref())), "{:?}", made.files);
        let package = load_source(folder.path(), &LoadOptions::default()).unwrap();
        assert_eq!(package.manifest.id.as_str(), "local/word-watch");
    }
}
