//! From an author's source to a component, by the toolchain of its language.
//!
//! Each language has one file here: it finds its programs, and its step leaves
//! the component in `.build/skill.wasm`. What is the same for all is done here
//! after that: the documentation of the author's WIT goes into the component, and
//! the component to where `skill.toml` says that it is.

mod c;
mod docs;
mod error;
mod javascript;
mod python;
mod reproduce;
mod rust;
mod step;

use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::manifest::{Build, Kind, Language};
use bailiwick_skills::package::{self, LoadOptions, MANIFEST_FILE};

pub use docs::{Docs, with_docs};
pub use error::BuildError;
pub use step::Watcher;

use crate::embedded::{self, WORK};
use crate::files;
use crate::toolchain::{Tool, Toolchains};

/// What every language's step leaves.
const COMPONENT: &str = "skill.wasm";

/// How to build.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where programs are looked for.
    pub toolchains: Toolchains,
    /// This program, which steps call back.
    pub bailiwick: PathBuf,
    /// Whether to build a second time in another folder and to compare.
    pub check_reproducible: bool,
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// The skill's id.
    pub id: String,
    /// In which language.
    pub language: Language,
    /// Where the component is.
    pub component: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// What grants will be bound to.
    pub digest: Digest,
    /// Where its documentation comes from.
    pub docs: Docs,
    /// What took part.
    pub tools: Vec<Tool>,
    /// Whether a second build gave the same bytes; false where there was none.
    pub reproduced: bool,
}

/// What a language's step works with.
struct Step<'a> {
    /// The package's folder: absolute, without symlinks.
    root: &'a Path,
    /// Where its environments are: the same, or that of which this is a copy.
    home: &'a Path,
    /// Below `root`.
    source: &'a Path,
    toolchains: &'a Toolchains,
    bailiwick: &'a Path,
}

impl Step<'_> {
    /// Where everything goes that a build makes.
    fn work(&self) -> PathBuf {
        self.root.join(WORK)
    }
}

/// Builds the package in `folder`, and puts the component into its place.
pub fn build(folder: &Path, options: &Options, watcher: &mut dyn Watcher) -> Result<Built, BuildError> {
    let source = Source::of(folder)?;
    let made = source.make(&source.root, options, watcher)?;
    if options.check_reproducible {
        watcher.stage("building again in another folder");
        let copy = reproduce::copy(&source.root, &source.component)?;
        let again = source.make(copy.path(), options, watcher)?;
        reproduce::compare(&made.bytes, &again.bytes, &source.root)?;
    }
    let component = source.root.join(&source.component);
    files::replace(&component, &made.bytes).map_err(BuildError::io("write", &component))?;
    Ok(Built {
        id: source.id,
        language: source.build.language,
        component: folder.join(&source.component),
        size: made.bytes.len() as u64,
        digest: Digest::of(&made.bytes),
        docs: made.docs,
        tools: made.tools,
        reproduced: options.check_reproducible,
    })
}

/// A package that can be built.
struct Source {
    id: String,
    root: PathBuf,
    component: PathBuf,
    build: Build,
    /// The file that the build begins with.
    entry: PathBuf,
}

/// A component that is nowhere yet.
struct Component {
    bytes: Vec<u8>,
    docs: Docs,
    tools: Vec<Tool>,
}

impl Source {
    fn of(folder: &Path) -> Result<Self, BuildError> {
        // Whether commands may be asked for is the host's to say, and none is here.
        let options = LoadOptions { strict: true, allow_shell: true };
        let package = package::load_source(folder, &options)?;
        let manifest = folder.join(MANIFEST_FILE);
        if package.manifest.kind == Kind::Prompt {
            return Err(BuildError::Prompt { folder: folder.to_owned() });
        }
        let (Some(build), Some(component)) = (package.manifest.build, package.manifest.component) else {
            return Err(BuildError::NoLanguage { guess: guess(&package.root), manifest });
        };
        let entry = match &build.source {
            Some(source) => source.clone(),
            None => usual_source(build.language, &package.root),
        };
        if !package.root.join(&entry).is_file() {
            let named = build.source.is_some();
            return Err(BuildError::NoSource { source_file: entry, named, manifest, language: build.language.name() });
        }
        Ok(Self { id: package.manifest.id.to_string(), root: package.root, component, build, entry })
    }

    /// The component of the source in `root`: this package, or a copy of it.
    fn make(&self, root: &Path, options: &Options, watcher: &mut dyn Watcher) -> Result<Component, BuildError> {
        let language = self.build.language;
        embedded::write_sdk(root, language.name()).map_err(BuildError::io("write", &root.join(WORK)))?;
        let step = Step {
            root,
            home: &self.root,
            source: &self.entry,
            toolchains: &options.toolchains,
            bailiwick: &options.bailiwick,
        };
        let path = step.work().join(COMPONENT);
        // What an older build left is no answer of this one.
        files::remove(&path).map_err(BuildError::io("remove", &path))?;
        let tools = match language {
            Language::Rust => rust::run(&step, watcher)?,
            Language::Python => python::run(&step, watcher)?,
            Language::JavaScript => javascript::run(&step, watcher)?,
            Language::C => c::run(&step, watcher)?,
        };
        let bytes = fs::read(&path).map_err(|_| BuildError::NothingBuilt { expected: path.clone() })?;
        check_component(&bytes, &path)?;
        let (bytes, docs) = docs::complete(bytes, root)?;
        Ok(Component { bytes, docs, tools })
    }
}

/// The file that a build begins with where the manifest names none.
fn usual_source(language: Language, root: &Path) -> PathBuf {
    let name = match language {
        Language::Rust => "Cargo.toml",
        Language::Python => "skill.py",
        Language::JavaScript if root.join("skill.ts").is_file() => "skill.ts",
        Language::JavaScript => "skill.js",
        Language::C => "Makefile",
    };
    PathBuf::from(name)
}

/// The language that a folder looks like.
fn guess(root: &Path) -> Option<Language> {
    Language::ALL.into_iter().find(|language| root.join(usual_source(*language, root)).is_file())
}

/// A component says in its first bytes that it is one.
fn check_component(bytes: &[u8], path: &Path) -> Result<(), BuildError> {
    if wasmparser::Parser::is_component(bytes) {
        return Ok(());
    }
    let found = if wasmparser::Parser::is_core_wasm(bytes) { "a core module" } else { "something else" };
    Err(BuildError::NotAComponent { path: path.to_owned(), found })
}
