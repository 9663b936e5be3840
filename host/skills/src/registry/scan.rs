//! Which folders are packages.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::{Broken, BrokenReason};
use crate::package::{INSTRUCTIONS_FILE, MANIFEST_FILE};

/// Packages of one skills folder that are read. Each is kept in memory, code
/// included, so that many more would need another design.
const MAX_PACKAGES: usize = 4096;

/// What was found.
pub(super) struct Scan {
    /// Packages in the order of the skills folders, and of their names in each.
    pub(super) folders: Vec<PathBuf>,
    /// Skills folders that can't be read.
    pub(super) broken: Vec<Broken>,
}

/// Lists the packages of all `directories`. A package may be a symlink to a
/// folder elsewhere: whoever may write in a skills folder decides what runs.
pub(super) fn scan(directories: &[PathBuf]) -> Scan {
    let mut scan = Scan { folders: Vec::new(), broken: Vec::new() };
    // A folder that is named twice is read once.
    let mut seen = BTreeSet::new();
    for directory in directories.iter().filter(|directory| seen.insert(directory.as_path())) {
        match packages(directory) {
            Ok(mut folders) => {
                if folders.len() > MAX_PACKAGES {
                    folders.truncate(MAX_PACKAGES);
                    let reason = BrokenReason::TooMany { path: directory.clone(), max: MAX_PACKAGES };
                    scan.broken.push(broken(directory, reason));
                }
                scan.folders.append(&mut folders);
            }
            Err(error) => {
                let reason = BrokenReason::Directory { path: directory.clone(), error };
                scan.broken.push(broken(directory, reason));
            }
        }
    }
    scan
}

/// The packages in `directory`, at most one more than are read.
fn packages(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && is_package(&entry.path()) {
            folders.push(entry.path());
        }
        if folders.len() > MAX_PACKAGES {
            break;
        }
    }
    folders.sort();
    Ok(folders)
}

fn is_package(folder: &Path) -> bool {
    [MANIFEST_FILE, INSTRUCTIONS_FILE].iter().any(|name| fs::symlink_metadata(folder.join(name)).is_ok())
}

fn broken(directory: &Path, reason: BrokenReason) -> Broken {
    Broken { folder: directory.to_owned(), id: None, version: None, error: Arc::new(reason) }
}
