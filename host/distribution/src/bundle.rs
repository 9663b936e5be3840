//! A package as one run of bytes: its files, in a tar that is the same wherever it is made.
//!
//! Paths are sorted, and times, owners and modes are all the same. Reading takes
//! far less than tar can say: regular files alone, at relative paths, each once.

mod path;
mod tar;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bailiwick_domain::digest::Digest;
use sha2::{Digest as _, Sha256};

use crate::durable;

pub use self::path::InvalidPath;

/// Files of a package: hundreds of times what the skills that ship have.
pub const MAX_FILES: usize = 1000;

/// Bytes of all files: the largest component that a host takes, and as much
/// beside it as instructions, schemas and examples may need.
pub const MAX_BYTES: u64 = (128 + 16) << 20;

/// Bytes of a tar: its files, a header and the padding of each, and as much for
/// folders and the end, which other tools fill up to ten kibibytes.
pub const MAX_TAR_BYTES: u64 = MAX_BYTES + (MAX_FILES as u64) * 2048 + (64 << 10);

/// The files of a package by their paths, which are relative and have slashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    files: BTreeMap<String, Vec<u8>>,
}

/// Why something is not the bundle of a package.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A path that no file of a package can have.
    #[error("the path `{path}` {problem}")]
    Path {
        /// The path, cut where it is long.
        path: String,
        /// What is wrong with it, and what was expected.
        problem: InvalidPath,
    },
    /// A link, a device, or a record that changes how others are read.
    #[error("`{path}` is {what}: expected regular files and folders alone")]
    Kind {
        /// The path.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// Two entries for one path.
    #[error("`{0}` stands twice: expected each file once")]
    Twice(String),
    /// Two paths that one file can't have on every system.
    #[error(
        "`{first}` and `{second}` can't both be in a package: they differ by case alone, or one is a file where the other needs a folder"
    )]
    Clash {
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// Too many files.
    #[error("it has more than {MAX_FILES} files")]
    TooMany,
    /// Too many bytes.
    #[error("its files have more than {MAX_BYTES} bytes")]
    TooLarge,
    /// No file at all.
    #[error("it has no files")]
    Empty,
    /// The bytes are no tar, or are one that was cut off.
    #[error("it is no tar that can be read: {problem} at byte {at}; `bailiwick skills pack` makes one")]
    Malformed {
        /// Where.
        at: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The system can't read or write.
    #[error("`{path}`: {error}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl Bundle {
    /// Reads a tar. Nothing is written anywhere.
    pub fn read(tar: &[u8]) -> Result<Self, BundleError> {
        Self::of_files(tar::read(tar)?)
    }

    /// The bundle of files that came one by one.
    pub fn of_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, BundleError> {
        let mut bundle = Self::default();
        let mut names = Names::default();
        let mut bytes = 0;
        for (path, content) in files {
            names.take(&path)?;
            bytes += content.len() as u64;
            if bytes > MAX_BYTES {
                return Err(BundleError::TooLarge);
            }
            bundle.files.insert(path, content);
        }
        if bundle.files.is_empty() { Err(BundleError::Empty) } else { Ok(bundle) }
    }

    /// Every file below `folder`.
    pub fn of_folder(folder: &Path) -> Result<Self, BundleError> {
        let mut files = BTreeMap::new();
        each_file(folder, &mut |path, content| drop(files.insert(path.to_owned(), content)))?;
        Ok(Self { files })
    }

    /// The file at `path`.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Every file, in the order of the paths.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, content)| (path.as_str(), content.as_slice()))
    }

    /// Every file by itself.
    pub fn into_files(self) -> impl Iterator<Item = (String, Vec<u8>)> {
        self.files.into_iter()
    }

    /// The same without the file at `path`, and that file.
    pub fn split(mut self, path: &str) -> (Self, Option<Vec<u8>>) {
        let file = self.files.remove(path);
        (self, file)
    }

    /// The only tar that this bundle has.
    pub fn to_tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        for (path, content) in &self.files {
            tar.extend_from_slice(&tar::header(path, content.len() as u64));
            tar.extend_from_slice(content);
            tar.resize(tar.len().next_multiple_of(tar::BLOCK), 0);
        }
        tar.extend_from_slice(&tar::END);
        tar
    }

    /// The digest of that tar.
    pub fn digest(&self) -> Digest {
        let mut hash = Hash::default();
        self.files.iter().for_each(|(path, content)| hash.file(path, content));
        hash.end()
    }

    /// Writes every file below `folder`, which is new, and has the disk keep them.
    pub fn unpack(&self, folder: &Path) -> Result<(), BundleError> {
        let failed = |path: &Path, error| BundleError::Io { path: path.to_owned(), error };
        let mut folders = BTreeSet::from([folder.to_owned()]);
        for (path, content) in &self.files {
            let path = folder.join(path);
            let parents = path.ancestors().skip(1).take_while(|parent| parent.starts_with(folder));
            folders.extend(parents.map(Path::to_owned));
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
            durable::write_new(&path, content, 0o644).map_err(|error| failed(&path, error))?;
        }
        // The innermost first, so that no folder names what isn't there yet.
        folders.iter().rev().try_for_each(|folder| durable::sync(folder).map_err(|error| failed(folder, error)))
    }
}

/// The digest of the bundle that `folder` would make, without holding more than one file of it.
pub fn digest_of(folder: &Path) -> Result<Digest, BundleError> {
    let mut hash = Hash::default();
    each_file(folder, &mut |path, content| hash.file(path, &content))?;
    Ok(hash.end())
}

/// Every path below `folder` and the folder itself, for those who watch it.
/// Whatever can't be listed is left out.
pub fn paths_of(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).filter(|_| found.len() <= 2 * MAX_FILES).cloned() {
        next += 1;
        // A symlink is not followed: what it leads to is not part of the package.
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
            let entries = fs::read_dir(&path).into_iter().flatten().filter_map(Result::ok);
            found.extend(entries.map(|entry| entry.path()).take(2 * MAX_FILES));
        }
    }
    found.sort();
    found
}

/// Paths that were taken, so that no two of them are in each other's way.
#[derive(Default)]
struct Names {
    /// Files and folders in lower case, with the path that has brought each.
    taken: BTreeMap<String, (String, bool)>,
    files: usize,
}

impl Names {
    fn take(&mut self, path: &str) -> Result<(), BundleError> {
        path::check(path).map_err(|problem| BundleError::Path { path: path::short(path), problem })?;
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(BundleError::TooMany);
        }
        let ends = path.match_indices('/').map(|(end, _)| (end, true)).chain([(path.len(), false)]);
        for (end, is_folder) in ends {
            let part = &path[..end];
            let before = self.taken.insert(part.to_lowercase(), (part.to_owned(), is_folder));
            match before {
                None => {}
                Some((other, true)) if is_folder && other == part => {}
                Some((other, false)) if !is_folder && other == part => return Err(BundleError::Twice(other)),
                Some((first, _)) => return Err(BundleError::Clash { first, second: path.to_owned() }),
            }
        }
        Ok(())
    }
}

/// The digest of a tar that is never whole in memory.
#[derive(Default)]
struct Hash(Sha256);

impl Hash {
    fn file(&mut self, path: &str, content: &[u8]) {
        self.0.update(tar::header(path, content.len() as u64));
        self.0.update(content);
        let padding = content.len().next_multiple_of(tar::BLOCK) - content.len();
        self.0.update(&[0; tar::BLOCK][..padding]);
    }

    fn end(mut self) -> Digest {
        self.0.update(tar::END);
        Digest::from_bytes(self.0.finalize().into())
    }
}

/// Reads every file below `folder`, in the order of their paths.
fn each_file(folder: &Path, take: &mut dyn FnMut(&str, Vec<u8>)) -> Result<(), BundleError> {
    let mut paths = Vec::new();
    list(folder, "", &mut paths)?;
    paths.sort();
    if paths.is_empty() {
        return Err(BundleError::Empty);
    }
    let mut names = Names::default();
    let mut left = MAX_BYTES;
    for path in &paths {
        names.take(path)?;
        let content = read_file(&folder.join(path), left)?;
        left -= content.len() as u64;
        take(path, content);
    }
    Ok(())
}

/// The depth is bounded by that of the paths, which is checked on the way down.
fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> Result<(), BundleError> {
    let failed = |path: &Path, error| BundleError::Io { path: path.to_owned(), error };
    let here = folder.join(prefix);
    for entry in fs::read_dir(&here).map_err(|error| failed(&here, error))? {
        let entry = entry.map_err(|error| failed(&here, error))?;
        let name = entry.file_name();
        let path = format!("{prefix}{}", name.to_string_lossy());
        let wrong = |problem| BundleError::Path { path: path::short(&path), problem };
        name.to_str().ok_or_else(|| wrong(InvalidPath::NotText))?;
        path::check(&path).map_err(wrong)?;
        let kind = entry.file_type().map_err(|error| failed(&entry.path(), error))?;
        if kind.is_dir() {
            list(folder, &format!("{path}/"), paths)?;
        } else if kind.is_file() {
            paths.push(path);
        } else {
            let what = if kind.is_symlink() { "a symlink" } else { "a device, a pipe or a socket" };
            return Err(BundleError::Kind { path, what });
        }
        if paths.len() > MAX_FILES {
            return Err(BundleError::TooMany);
        }
    }
    Ok(())
}

fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, BundleError> {
    let failed = |error| BundleError::Io { path: path.to_owned(), error };
    let mut content = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    File::open(path).map_err(failed)?.take(max + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > max { Err(BundleError::TooLarge) } else { Ok(content) }
}

#[cfg(test)]
mod tests;
