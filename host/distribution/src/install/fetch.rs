//! From a source to bytes that somebody vouches for.

use std::path::Path;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;

use super::{InstallError, blocking};
use crate::bundle::Bundle;
use crate::key::Signature;
use crate::lock::Locked;
use crate::oci::{Access, Repository};
use crate::pack::SignedTar;
use crate::signature::{Signatures, Untrusted};
use crate::source::{Pointer, Reference, Source};
use crate::store::Store;
use crate::trust::{Signer, Trust};

/// What whoever asks expects of a package.
pub(super) struct Wanted<'a> {
    /// What it must be.
    pub(super) digest: Option<Digest>,
    /// Whether it may come without a signature that counts.
    pub(super) allow_unsigned: bool,
    /// How a registry is asked.
    pub(super) access: &'a Access,
}

/// A package in memory.
pub(super) struct Fetched {
    pub(super) bundle: Bundle,
    pub(super) manifest: Option<Digest>,
    pub(super) signed: Evidence,
}

/// What was found to vouch for a package.
pub(super) enum Evidence {
    /// A file's bytes, by their signature.
    File(Vec<u8>, Option<Signature>),
    /// A manifest.
    Manifest(Digest, Signatures),
    /// A folder has none.
    None,
}

impl Evidence {
    /// Whether it is enough to read on.
    fn admits(&self, trust: &Trust, allow_unsigned: bool) -> Result<(), Untrusted> {
        match self {
            Self::File(bytes, signature) => trust.admits(&trust.of_file(bytes, signature.as_ref()), allow_unsigned),
            Self::Manifest(digest, found) => trust.admits(&trust.of_manifest(digest, found)?, allow_unsigned),
            Self::None => trust.admits(&crate::signature::Signed::No, allow_unsigned),
        }
    }

    /// Who vouches for `skill`.
    pub(super) fn vouch(&self, trust: &Trust, skill: &SkillId, allow_unsigned: bool) -> Result<Signer, Untrusted> {
        match self {
            Self::File(bytes, signature) => {
                trust.vouch(skill, &trust.of_file(bytes, signature.as_ref()), allow_unsigned)
            }
            Self::Manifest(digest, found) => trust.vouch(skill, &trust.of_manifest(digest, found)?, allow_unsigned),
            Self::None => trust.vouch(skill, &crate::signature::Signed::No, allow_unsigned),
        }
    }
}

/// Where a package of the lock is to be had: by its digest where the source is a registry.
pub(super) fn pinned(locked: &Locked, lock: &Path) -> Source {
    match (&locked.source, locked.manifest) {
        (Source::Registry(reference), Some(manifest)) => Source::Registry(reference.at(Pointer::Digest(manifest))),
        (Source::Path(path), _) => Source::Path(lock.parent().unwrap_or(Path::new("")).join(path)),
        (source @ Source::Registry(_), None) => source.clone(),
    }
}

/// Fetches a package. Who vouches for it is known before it is taken apart, and for
/// one of a registry before more than its manifest is fetched.
pub(super) async fn fetch(source: &Source, store: &Store, wanted: &Wanted<'_>) -> Result<Fetched, InstallError> {
    let refused = |error| InstallError::Untrusted { from: source.to_string(), error };
    match source {
        Source::Registry(reference) => from_registry(reference, store, wanted).await,
        Source::Path(path) => {
            let shown = source.to_string();
            let path = path.clone();
            let (bundle, signed) = match blocking(move || read(&path)).await? {
                Read::Folder(bundle) => (Some(bundle), Evidence::None),
                Read::Tar(SignedTar { tar, signature }) => (None, Evidence::File(tar, signature)),
            };
            signed.admits(store.trust(), wanted.allow_unsigned).map_err(refused)?;
            let bundle = match (bundle, &signed) {
                (Some(bundle), _) => bundle,
                (None, Evidence::File(tar, _)) => {
                    Bundle::read(tar).map_err(|error| InstallError::Bundle { from: shown.clone(), error })?
                }
                (None, _) => Bundle::default(),
            };
            check_digest(&shown, "bundle", wanted.digest, bundle.digest())?;
            Ok(Fetched { bundle, manifest: None, signed })
        }
    }
}

enum Read {
    Folder(Bundle),
    Tar(SignedTar),
}

fn read(path: &Path) -> Result<Read, InstallError> {
    let source = || path.display().to_string();
    if path.is_dir() {
        return Bundle::of_folder(path)
            .map(Read::Folder)
            .map_err(|error| InstallError::Bundle { from: source(), error });
    }
    SignedTar::read(path).map(Read::Tar).map_err(|error| InstallError::Unreadable { from: source(), error })
}

async fn from_registry(reference: &Reference, store: &Store, wanted: &Wanted<'_>) -> Result<Fetched, InstallError> {
    let source = || reference.to_string();
    let repository = Repository::new(reference, wanted.access);
    let found = repository.find().await?;
    check_digest(&source(), "manifest", wanted.digest, found.digest)?;
    let signed = Evidence::Manifest(found.digest, repository.signatures(&found.digest).await?);
    let refused = |error| InstallError::Untrusted { from: source(), error };
    signed.admits(store.trust(), wanted.allow_unsigned).map_err(refused)?;
    Ok(Fetched { bundle: repository.fetch(&found).await?, manifest: Some(found.digest), signed })
}

fn check_digest(source: &str, what: &'static str, expected: Option<Digest>, found: Digest) -> Result<(), InstallError> {
    match expected {
        Some(expected) if expected != found => {
            Err(InstallError::Digest { from: source.to_owned(), what, expected, found })
        }
        _ => Ok(()),
    }
}
