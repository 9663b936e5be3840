//! Why nothing was installed, or removed.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use bailiwick_domain::digest::Digest;

use crate::bundle::BundleError;
use crate::lock::{LockError, Locked};
use crate::oci::OciError;
use crate::signature::Untrusted;
use crate::source::Source;
use crate::trust::Signer;

/// Why nothing was installed, or removed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The path can't be read.
    #[error("can't read `{from}`: {error}")]
    Unreadable {
        /// The path.
        from: String,
        /// What the system said.
        error: io::Error,
    },
    /// The bytes are no package's.
    #[error("`{from}` is no package: {error}")]
    Bundle {
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        error: BundleError,
    },
    /// The package is no skill.
    #[error("`{from}` can't be installed: {problem}")]
    Invalid {
        /// Where it came from.
        from: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody vouches for it.
    #[error("`{from}` is refused: {error}")]
    Untrusted {
        /// Where it came from.
        from: String,
        /// Why not.
        error: Untrusted,
    },
    /// It is another one than was asked for.
    #[error("`{from}` is refused: its {what} has the digest {found}, and {expected} was asked for")]
    Digest {
        /// Where it came from.
        from: String,
        /// Of what the digest is.
        what: &'static str,
        /// What was asked for.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// It is another one than stands in the lock.
    #[error("{0}")]
    Conflict(String),
    /// There is room for no more.
    #[error("as many packages are installed as may be: remove one with `bailiwick skills remove ID`")]
    Full,
    /// The registry gave nothing.
    #[error(transparent)]
    Registry(#[from] OciError),
    /// The lock can't be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// No such package is there.
    #[error(
        "`{skill}` is not installed: `bailiwick skills list` shows what there is, and skills in `skills.directories` are removed by hand"
    )]
    NotInstalled {
        /// What was asked for.
        skill: String,
    },
    /// The data folder can't be written.
    #[error("the folder of installed packages: {0}")]
    Disk(io::Error),
    /// The audit chain can't be written, so that nothing was done.
    #[error("the audit log can't be written, so that nothing was done")]
    Record(#[source] Box<dyn Error + Send + Sync>),
    /// A fault of this code.
    #[error("the installation broke off")]
    Broke(#[source] Box<dyn Error + Send + Sync>),
}

/// What kind of answer an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// What was to be installed is no package.
    Invalid,
    /// It may not be installed here.
    Refused,
    /// The lock says otherwise.
    Conflict,
    /// The source gave nothing.
    Unavailable,
    /// The lock can't be used.
    Lock,
    /// There is no such package.
    Unknown,
    /// The host failed.
    Host,
}

impl InstallError {
    /// What kind of answer it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Unreadable { .. } | Self::Bundle { error: BundleError::Io { .. }, .. } => Class::Unavailable,
            Self::Bundle { .. }
            | Self::Invalid { .. }
            | Self::Full
            | Self::Registry(OciError::NotASkill { .. } | OciError::Bundle { .. }) => Class::Invalid,
            Self::Untrusted { .. }
            | Self::Digest { .. }
            | Self::Registry(OciError::Digest { .. } | OciError::Plain { .. }) => Class::Refused,
            Self::Conflict(_) => Class::Conflict,
            Self::Registry(_) => Class::Unavailable,
            Self::Lock(_) => Class::Lock,
            Self::NotInstalled { .. } => Class::Unknown,
            Self::Disk(_) | Self::Record(_) | Self::Broke(_) => Class::Host,
        }
    }

    pub(super) fn invalid(source: &Source, problem: String) -> Self {
        Self::Invalid { from: source.to_string(), problem }
    }

    /// The same for what was found in files that lie in `folder` for the moment.
    pub(super) fn package(source: &Source, folder: &Path, error: &dyn fmt::Display) -> Self {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let text = error.to_string();
        let text = text.replace(&format!("{}/", folder.display()), "").replace(&format!("{}/", real.display()), "");
        Self::invalid(source, text)
    }

    /// The skill is installed in the same version with other bytes.
    pub(super) fn conflict(before: &Locked, now: &Locked) -> Self {
        let what = |locked: &Locked| match locked.manifest {
            Some(manifest) => format!("{} (manifest {manifest})", locked.source),
            None => format!("{} (bundle {})", locked.source, locked.bundle),
        };
        Self::Conflict(format!(
            "{} {} stands in the lock with other bytes: from {}, and now comes {}; its author should give other bytes another version, or remove the one that is there with `bailiwick skills remove {}@{}`",
            now.skill,
            now.version,
            what(before),
            what(now),
            now.skill,
            now.version
        ))
    }

    /// The source of a package of the lock has something else.
    pub(super) fn other_than_locked(locked: &Locked, found: &Locked) -> Self {
        let differs = [
            ("skill", locked.skill.to_string(), found.skill.to_string()),
            ("version", locked.version.to_string(), found.version.to_string()),
            ("bundle", locked.bundle.to_string(), found.bundle.to_string()),
            ("digest", locked.digest.to_string(), found.digest.to_string()),
            ("signed_by", signer(&locked.signer), signer(&found.signer)),
        ];
        let differs = differs.into_iter().find(|(_, locked, found)| locked != found);
        let (key, expected, found) = differs.unwrap_or(("source", locked.source.to_string(), found.source.to_string()));
        Self::Conflict(format!(
            "{} {} is not what stands in the lock: its `{key}` is {found}, and the lock says {expected}; find out who changed it before you install it anew",
            locked.skill, locked.version
        ))
    }
}

fn signer(signer: &Signer) -> String {
    match signer {
        Signer::Key { name, key } => format!("{name} ({key})"),
        Signer::Unsigned => "nobody".to_owned(),
    }
}
