//! What is served of a package: copies, of which the last good one stays.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use bailiwick_authoring::build;
use bailiwick_skills::package::{self, LoadOptions, MANIFEST_FILE};

use super::super::build::{Terminal, options};
use super::below;
use crate::output::{Exit, Failure, Output};

/// Folders that are no part of what runs.
const LEFT_OUT: [&str; 4] = ["target", "node_modules", "tests", "__pycache__"];

/// Bytes of the largest file that is copied: the largest component that a host takes.
const MAX_FILE: u64 = 128 << 20;

/// Copies that are kept: the one that is served, and the one before it, of which calls
/// may be under way.
const KEPT: u64 = 2;

/// Copies of a package, and which of them is served.
pub(super) struct Stage {
    folder: PathBuf,
    skills: PathBuf,
    /// The component that the author builds by other means, relative to the package.
    component: Option<PathBuf>,
    made: u64,
    serves: bool,
}

impl Stage {
    pub(super) fn new(root: &Path, folder: &Path) -> Result<Self, Failure> {
        let skills = folder.join("skills");
        fs::create_dir(&skills).map_err(|error| failed(&skills, &error))?;
        let component = component(root);
        Ok(Self { folder: folder.to_owned(), skills, component, made: 0, serves: false })
    }

    /// The folder of skills that the host reads.
    pub(super) fn skills(&self) -> &Path {
        &self.skills
    }

    /// The component, where it isn't built here, so that its change is what counts.
    pub(super) fn watched_component(&self) -> Option<PathBuf> {
        self.component.clone()
    }

    /// Whether a version is served.
    pub(super) const fn serves(&self) -> bool {
        self.serves
    }

    /// Builds the package, where its manifest says in which language.
    pub(super) fn build(root: &Path, out: Output) -> Result<(), Failure> {
        let package = package::load_source(root, &LoadOptions::default());
        let package = package.map_err(|error| Failure::new(Exit::Usage, error))?;
        if package.manifest.build.is_none() {
            return Ok(());
        }
        let mut terminal = Terminal::new(out);
        let built = build::build(root, &options()?, &mut terminal);
        terminal.end();
        built.map(drop).map_err(|error| terminal.failed(&error))
    }

    /// A copy of the package as it is now.
    pub(super) fn copy(&mut self, root: &Path) -> Result<PathBuf, Failure> {
        self.made += 1;
        let to = self.version(self.made);
        copy(root, &to).map_err(|error| failed(root, &error))?;
        Ok(to)
    }

    /// Puts a copy in the place of the one before, in one step.
    pub(super) fn serve(&mut self, version: &Path) -> Result<(), Failure> {
        let (link, beside) = (self.skills.join("package"), self.skills.join(".next"));
        let put = symlink(version, &beside).and_then(|()| fs::rename(&beside, &link));
        put.map_err(|error| failed(&link, &error))?;
        self.serves = true;
        if let Some(old) = self.made.checked_sub(KEPT) {
            // What is left goes with the session.
            let _ = fs::remove_dir_all(self.version(old));
        }
        Ok(())
    }

    fn version(&self, number: u64) -> PathBuf {
        self.folder.join(format!("version-{number}"))
    }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Host, format!("{}: {error}", path.display()))
}

/// The component of a manifest that says nothing of a build.
fn component(root: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(root.join(MANIFEST_FILE)).ok()?;
    let table: toml::Table = text.parse().ok()?;
    if table.contains_key("build") {
        return None;
    }
    table.get("component").and_then(toml::Value::as_str).map(PathBuf::from)
}

/// Copies what belongs to a package. Links are left out, as they are in a bundle.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let shown = name.to_string_lossy();
        if shown.starts_with('.') || LEFT_OUT.contains(&&*shown) {
            continue;
        }
        if kind.is_dir() {
            copy(&entry.path(), &to.join(&name))?;
        } else if kind.is_file() {
            if entry.metadata()?.len() > MAX_FILE {
                let file = below(from, &entry.path());
                return Err(io::Error::other(format!("{} is larger than a skill can be", file.display())));
            }
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
