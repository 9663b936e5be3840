//! Why a package was not built.

use std::io;
use std::path::{Path, PathBuf};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::manifest::Language;
use bailiwick_skills::package::PackageError;

/// Why a package was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The folder is no package, or its manifest is wrong.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// There is no code.
    #[error("`{}` is a prompt, which has nothing to build: its SKILL.md is what is used", folder.display())]
    Prompt {
        /// The package.
        folder: PathBuf,
    },
    /// The manifest doesn't say how.
    #[error(
        "`{}` doesn't say how to build the component: add a table `[build]` with `language = \"{}\"`{}",
        manifest.display(), guess.unwrap_or(Language::Rust).name(), others(*guess)
    )]
    NoLanguage {
        /// The manifest.
        manifest: PathBuf,
        /// What the folder looks like.
        guess: Option<Language>,
    },
    /// The file to begin with isn't there.
    #[error("{}", no_source(source_file, *named, manifest, language))]
    NoSource {
        /// The file.
        source_file: PathBuf,
        /// Whether the manifest names it.
        named: bool,
        /// The manifest.
        manifest: PathBuf,
        /// The language that has it.
        language: &'static str,
    },
    /// A program, or a part of one, is not installed.
    #[error("{what}. To install it: {cure}")]
    Missing {
        /// What is missing, and where it was looked for.
        what: String,
        /// One command.
        cure: &'static str,
    },
    /// The same, as the program itself has said.
    #[error("{program} lacks a tool that this build needs; how to install it stands above")]
    MissingAsSaid {
        /// The program.
        program: String,
    },
    /// A program said no.
    #[error("{program} ended with {status}; what it said stands above")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
    },
    /// A program can't be run.
    #[error("`{}` can't be started: {error}", program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// All went well, and nothing is there.
    #[error("the build went through and left no `{}`: the source must build that file", expected.display())]
    NothingBuilt {
        /// The file.
        expected: PathBuf,
    },
    /// Cargo built no WebAssembly.
    #[error(
        "cargo built no WebAssembly file for `{}`: it needs `[lib]` with `crate-type = [\"cdylib\"]`",
        manifest.display()
    )]
    NoLibrary {
        /// The crate's manifest.
        manifest: PathBuf,
    },
    /// The result can't be a skill.
    #[error(
        "`{}` is {found}, expected a component: build for `wasm32-wasip2`, or componentize the module",
        path.display()
    )]
    NotAComponent {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// The author's WIT can't be read.
    #[error("`{}` is not WIT that can be read: {reason}", folder.display())]
    Wit {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Two builds differ.
    #[error(
        "two builds of the same source differ: {first} in `{}`, and {second} in another folder, from byte {offset} on{}. \
         Something in the source or its tools depends on the folder, the time or chance",
        folder.display(), tell(near)
    )]
    NotReproducible {
        /// The package.
        folder: PathBuf,
        /// What the first build gave.
        first: Digest,
        /// What the second build gave.
        second: Digest,
        /// Where they part.
        offset: usize,
        /// The text there, where it is text.
        near: String,
    },
    /// A file can't be read or written.
    #[error("can't {doing} `{}`: {error}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl BuildError {
    /// A failure of the system at `path`.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { doing, path, error }
    }
}

fn others(guess: Option<Language>) -> String {
    if guess.is_some() {
        return String::new();
    }
    let names = Language::ALL.map(|language| format!("`{}`", language.name()));
    format!(" (it can be {})", names.join(", "))
}

fn no_source(source: &Path, named: bool, manifest: &Path, language: &str) -> String {
    let (manifest, source) = (manifest.display(), source.display());
    if named {
        return format!("`{manifest}`: build.source: there is no file `{source}` in the package");
    }
    format!(
        "there is no `{source}`, with which the build of a package in {language} begins: write it, or name another file as `source` under `[build]` in `{manifest}`"
    )
}

fn tell(near: &str) -> String {
    if near.is_empty() { String::new() } else { format!(" (near `{near}`)") }
}
