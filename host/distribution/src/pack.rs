//! What an author does: packing a folder, and signing what was packed.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::manifest::SkillManifest;
use bailiwick_skills::package::{self, LoadOptions, PackageError};

use crate::bundle::{Bundle, BundleError, MAX_TAR_BYTES};
use crate::durable;
use crate::key::{PrivateKey, Signature};
use crate::store;

/// Bytes of a signature's file: base64 of 64 bytes, and a line break or two.
const MAX_SIGNATURE_FILE: u64 = 1024;

/// A package, ready to go.
#[derive(Debug)]
pub struct Packed {
    /// All its files.
    pub bundle: Bundle,
    /// What its author claims and asks for.
    pub manifest: SkillManifest,
    /// What grants will be bound to.
    pub digest: Digest,
}

/// Why a folder can't be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It is no package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// Its files can't travel.
    #[error("`{folder}` can't be packed: {error}", folder = folder.display())]
    Bundle {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        error: BundleError,
    },
    /// The component is reached through a symlink, or changed meanwhile.
    #[error("`{folder}` can't be packed: its component is not one of its files", folder = folder.display())]
    NoComponent {
        /// The folder.
        folder: PathBuf,
    },
    /// A file can't be written.
    #[error("can't write `{path}`: {error}", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl Packed {
    /// Packs the package in `folder`, which a host that is as strict as can be would take.
    pub fn of(folder: &Path, options: &LoadOptions) -> Result<Self, PackError> {
        let wrong = |error| PackError::Bundle { folder: folder.to_owned(), error };
        let package = package::load(folder, options)?;
        let bundle = Bundle::of_folder(&package.root).map_err(wrong)?;
        let digest = store::digest_in(&bundle, package.manifest.component.as_deref());
        let digest = digest.ok_or_else(|| PackError::NoComponent { folder: folder.to_owned() })?;
        Ok(Self { bundle, manifest: package.manifest, digest })
    }

    /// Where the component lies in it; none for prompts.
    pub fn component(&self) -> Option<&str> {
        self.manifest.component.as_deref().and_then(Path::to_str)
    }

    /// Writes the package to `path`, and a signature of it to `path` with `.sig`,
    /// each in place of what was there.
    pub fn write(&self, path: &Path, key: Option<&PrivateKey>) -> Result<(), PackError> {
        let tar = self.bundle.to_tar();
        let put = |path: &Path, content: &[u8]| {
            let unwritable = |error| PackError::Unwritable { path: path.to_owned(), error };
            durable::replace(path, content, 0o644).map_err(unwritable)
        };
        let beside = signature_path(path);
        match key {
            Some(key) => put(&beside, format!("{}\n", key.sign(&tar)).as_bytes())?,
            None => remove_stale(&beside)?,
        }
        put(path, &tar)
    }
}

/// Where the signature of the file at `path` is.
pub fn signature_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// A tar and the signature beside it.
pub(crate) struct SignedTar {
    pub(crate) tar: Vec<u8>,
    pub(crate) signature: Option<Signature>,
}

impl SignedTar {
    /// Reads a tar that may come from anywhere, and the signature where there is one.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let tar = limited(path, MAX_TAR_BYTES)?;
        let beside = signature_path(path);
        let signature = match limited(&beside, MAX_SIGNATURE_FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            text => {
                let text = text?;
                let signature = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
                let wrong = || {
                    io::Error::other(format!(
                        "`{}` is no signature: {}",
                        beside.display(),
                        crate::key::InvalidSignature
                    ))
                };
                Some(signature.ok_or_else(wrong)?)
            }
        };
        Ok(Self { tar, signature })
    }
}

/// The signature of another package under the same name would only be in the way.
fn remove_stale(path: &Path) -> Result<(), PackError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(PackError::Unwritable { path: path.to_owned(), error })
        }
        _ => Ok(()),
    }
}

fn limited(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(io::Error::other(format!("`{}` has more than {max} bytes", path.display())));
    }
    Ok(bytes)
}
