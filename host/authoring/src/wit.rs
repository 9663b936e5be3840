//! WIT for languages whose compilers don't know it: sources that speak the
//! canonical ABI, and the component of the module that they were linked into.
//!
//! C is one of them. [`bindings`] writes a header and a source file for the world
//! of a package, and [`componentize`] does what `wasm-component-ld` would.

mod bindings;
mod componentize;
mod error;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use wit_parser::{Package, PackageName, Resolve, UnresolvedPackage, UnresolvedPackageGroup, WorldId};

pub use bindings::{Bindings, bindings};
pub use componentize::componentize;
pub use error::WitError;

/// What generated names begin with, whatever the world is called, so that code
/// which is the same for all skills can name them.
pub const PREFIX: &str = "skill";

/// A world of a package.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The package: a folder of .wit files, with those that it uses in its `deps/`.
    pub folder: &'a Path,
    /// More packages that it may use, a folder each. One of its own `deps/` with the same
    /// name comes first.
    pub deps: Option<&'a Path>,
    /// Which world; may be left out where the package has only one.
    pub world: Option<&'a str>,
}

impl Wanted<'_> {
    fn resolve(&self) -> Result<(Resolve, WorldId), WitError> {
        let folder = self.folder;
        if !folder.is_dir() {
            return Err(WitError::NoFolder { folder: folder.to_owned() });
        }
        let package = UnresolvedPackageGroup::parse_dir(folder).map_err(|error| WitError::unreadable(folder, error))?;
        let used = needed(&package, self.offered()?);
        let mut resolve = Resolve::default();
        let pushed = resolve.push_groups(package, used);
        let package = pushed.map_err(|error| WitError::Unreadable {
            folder: folder.to_owned(),
            reason: error.render(&resolve.source_map),
        })?;
        let id = self.choose(&resolve.packages[package])?;
        Ok((resolve, id))
    }

    /// The packages that this one may use.
    fn offered(&self) -> Result<Vec<UnresolvedPackageGroup>, WitError> {
        let mut offered: Vec<UnresolvedPackageGroup> = Vec::new();
        let own = self.folder.join("deps");
        for place in [Some(own.as_path()), self.deps].into_iter().flatten() {
            for folder in folders(place)? {
                let package =
                    UnresolvedPackageGroup::parse_dir(&folder).map_err(|error| WitError::unreadable(&folder, error))?;
                if offered.iter().all(|other| other.main.name != package.main.name) {
                    offered.push(package);
                }
            }
        }
        Ok(offered)
    }

    fn choose(&self, package: &Package) -> Result<WorldId, WitError> {
        let worlds = &package.worlds;
        let id = match self.world {
            Some(name) => worlds.get(name),
            None if worlds.len() == 1 => worlds.values().next(),
            None => None,
        };
        id.copied().ok_or_else(|| WitError::World {
            folder: self.folder.to_owned(),
            wanted: self.world.map(str::to_owned),
            there: worlds.keys().cloned().collect(),
        })
    }
}

/// The packages that this one uses, and those that they use. The others are left out,
/// because names in C have a version in them where there are two of a package.
fn needed(package: &UnresolvedPackageGroup, mut offered: Vec<UnresolvedPackageGroup>) -> Vec<UnresolvedPackageGroup> {
    let mut names: Vec<_> = used_by(package).collect();
    let mut needed: Vec<UnresolvedPackageGroup> = Vec::new();
    while let Some(name) = names.pop() {
        if let Some(at) = offered.iter().position(|other| other.main.name == name) {
            let found = offered.swap_remove(at);
            names.extend(used_by(&found));
            needed.push(found);
        } else if !needed.iter().chain([package]).any(|other| packages(other).any(|package| package.name == name)) {
            // The parser says that it isn't there, and which are.
            needed.append(&mut offered);
        }
    }
    needed
}

/// A package, and those that stand in its own files.
fn packages(group: &UnresolvedPackageGroup) -> impl Iterator<Item = &UnresolvedPackage> {
    std::iter::once(&group.main).chain(&group.nested)
}

fn used_by(group: &UnresolvedPackageGroup) -> impl Iterator<Item = PackageName> {
    packages(group).flat_map(|package| package.foreign_deps.keys().cloned())
}

/// The folders in `place`, by name; none where there is no such place.
fn folders(place: &Path) -> Result<Vec<PathBuf>, WitError> {
    let entries = match place.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let entries = entries.map_err(WitError::io("read", place))?;
    let mut folders: Vec<_> = entries.iter().map(DirEntry::path).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}
