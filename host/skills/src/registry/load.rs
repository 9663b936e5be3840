//! One package, read if it has to be.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick_domain::digest::Digest;

use super::Reading;
use super::admission::{Admission, NotAdmitted};
use crate::catalog::{Broken, BrokenReason};
use crate::package::{self, INSTRUCTIONS_FILE, LoadOptions, MANIFEST_FILE, Package};
use crate::skill::{self, Skill};
use crate::stamp::Stamp;

/// What reading a package gave, and the files that it was read from.
pub(super) struct Loaded {
    pub(super) skill: Result<Arc<Skill>, Broken>,
    files: Files,
}

/// The files that a skill was made of, as they were just before they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Files {
    stamps: Vec<(PathBuf, Option<Stamp>)>,
    /// Whether nothing may come or go in the package's folder either.
    whole: bool,
}

impl Loaded {
    /// The folders of the files, for those who watch them.
    pub(super) fn folders(&self) -> impl Iterator<Item = PathBuf> {
        let whole = self.files.whole;
        let folder_of = move |(file, _): &(PathBuf, _)| {
            if whole { Some(file.clone()).filter(|file| file.is_dir()) } else { file.parent().map(Path::to_owned) }
        };
        self.files.stamps.iter().filter_map(folder_of)
    }
}

/// Reads the package in `folder`, unless `before` is of the same files. What was
/// broken is always read again, because the cause may lie outside of the files.
pub(super) fn load(folder: &Path, options: LoadOptions, before: Option<Loaded>, reading: Reading<'_>) -> Loaded {
    if let Some(before) = &before
        && before.skill.is_ok()
        && before.files.are_unchanged(folder)
    {
        return Loaded { skill: before.skill.clone(), files: before.files.clone() };
    }
    let (skill, files) = match reading.admission {
        None => read(folder, options, reading),
        Some(admission) => read_installed(folder, options, reading, admission),
    };
    let skill = skill.map(|skill| keep_same(skill, before.and_then(|before| before.skill.ok())));
    Loaded { skill, files }
}

/// The skill from before if nothing is different, so that those who hold it go
/// on with it; else the new one, which counts its calls together with the old
/// one's if both are the same release of the same bytes.
fn keep_same(mut skill: Skill, before: Option<Arc<Skill>>) -> Arc<Skill> {
    match before {
        Some(before) if before.same_as(&skill) => before,
        Some(before) if before.manifest.id == skill.manifest.id && before.digest == skill.digest => {
            skill.gate = Arc::clone(&before.gate);
            Arc::new(skill)
        }
        _ => Arc::new(skill),
    }
}

/// Reads the package. The first reading only tells which files it consists of,
/// so that their stamps are older than what the second one reads: a file that
/// changes meanwhile is then noticed by the next reload.
fn read(folder: &Path, options: LoadOptions, reading: Reading<'_>) -> (Result<Skill, Broken>, Files) {
    let files = match package::load(folder, &options) {
        Ok(package) => Files::of(folder, &package),
        Err(error) => return (Err(broken(folder, None, error.into())), Files::default()),
    };
    let package = match package::load(folder, &options) {
        Ok(package) => package,
        Err(error) => return (Err(broken(folder, None, error.into())), files),
    };
    let claim = package.clone();
    let skill = make(package, reading).map_err(|reason| broken(folder, Some(claim), reason));
    (skill, files)
}

/// Reads a package that was installed, if it is as it was then. The stamps are
/// older than the look at its bytes, and that is older than the reading.
fn read_installed(
    folder: &Path,
    options: LoadOptions,
    reading: Reading<'_>,
    admission: &dyn Admission,
) -> (Result<Skill, Broken>, Files) {
    let paths = admission.files(folder).into_iter().chain([admission.lock().to_owned()]);
    let files = Files { whole: true, ..Files::stamped(paths) };
    let refused = |refusal: NotAdmitted| Broken {
        folder: folder.to_owned(),
        id: refusal.id.clone(),
        version: refusal.version.clone(),
        error: Arc::new(BrokenReason::NotAdmitted(refusal)),
    };
    let admitted = match admission.admit(folder) {
        Ok(admitted) => admitted,
        Err(refusal) => return (Err(refused(refusal)), files),
    };
    let (skill, _) = read(folder, options, reading);
    let skill = skill.and_then(|skill| admitted.check(&skill).map(|()| skill).map_err(refused));
    (skill, files)
}

fn make(package: Package, reading: Reading<'_>) -> Result<Skill, BrokenReason> {
    let Some(component) = package.component_path() else {
        let file = package.root.join(INSTRUCTIONS_FILE);
        let text = fs::read(&file).map_err(|source| package::PackageError::Unreadable { path: file, source })?;
        return Ok(skill::prompt(package, Digest::of(&text)));
    };
    let path = inside(&package, &component)?;
    if !reading.sandbox.is_quick(&path) && reading.preparation.puts_off(&path) {
        return Err(BrokenReason::Preparing);
    }
    let inspection = reading.sandbox.load(&path).map_err(|error| BrokenReason::Component { path: component, error })?;
    Ok(skill::with_component(package, inspection)?)
}

/// The component's path without symlinks. That it lies inside was checked with
/// the package; between the two, it may have been replaced.
fn inside(package: &Package, component: &Path) -> Result<PathBuf, BrokenReason> {
    let unreadable = |source| package::PackageError::Unreadable { path: component.to_owned(), source };
    let path = fs::canonicalize(component).map_err(unreadable)?;
    if path.starts_with(&package.root) { Ok(path) } else { Err(BrokenReason::Outside(component.to_owned())) }
}

fn broken(folder: &Path, package: Option<Package>, reason: BrokenReason) -> Broken {
    let (id, version) = package.map(|package| (package.manifest.id, package.manifest.version)).unzip();
    Broken { folder: folder.to_owned(), id, version, error: Arc::new(reason) }
}

impl Files {
    fn of(folder: &Path, package: &Package) -> Self {
        let root = &package.root;
        let main = [folder.to_owned(), root.join(MANIFEST_FILE), root.join(INSTRUCTIONS_FILE)];
        let schemas = package.schemas.keys().map(|file| root.join(file));
        Self::stamped(main.into_iter().chain(package.component_path()).chain(schemas))
    }

    /// The folder itself counts only by which one it is: files beside those of
    /// the skill may come and go in it.
    fn stamped(files: impl Iterator<Item = PathBuf>) -> Self {
        Self { stamps: files.map(|file| (file.clone(), Stamp::of(&file))).collect(), whole: false }
    }

    fn are_unchanged(&self, folder: &Path) -> bool {
        self.stamps.iter().all(|(file, before)| {
            let now = Stamp::of(file);
            if file == folder && !self.whole {
                now.map(Stamp::identity) == before.map(Stamp::identity)
            } else {
                now == *before
            }
        })
    }
}
