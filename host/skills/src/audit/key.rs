//! The key that signs checkpoints: ed25519, in a file that its owner alone reads.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

/// What a public key begins with when it is written down.
const PREFIX: &str = "ed25519:";

/// Bytes of a public key.
const PUBLIC_BYTES: usize = 32;

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 64;

/// A host's own key.
pub struct AuditKey(Ed25519KeyPair);

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuditKey").field(&self.public()).finish()
    }
}

/// Why the key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AuditKeyError {
    /// The file can't be read.
    #[error("can't read the audit key `{path}`: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file can't be made.
    #[error("can't write the audit key `{path}`: {error}", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others can read the file.
    #[error("`{path}` can be read by others (mode {mode:o}): expected 600, because it signs the audit log", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Something else stands in the file.
    #[error("`{path}` holds no ed25519 key in PKCS#8: expected the file that this host made", path = path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness for a new key.
    #[error("the host has no randomness for an audit key")]
    NoRandomness,
}

impl AuditKey {
    /// The key in the file at `path`, which is made where there is none.
    pub fn open(path: &Path) -> Result<Self, AuditKeyError> {
        match fs::read(path) {
            Ok(bytes) => Self::read(path, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(AuditKeyError::Unreadable { path: path.to_owned(), error }),
        }
    }

    fn read(path: &Path, bytes: &[u8]) -> Result<Self, AuditKeyError> {
        let unreadable = |error| AuditKeyError::Unreadable { path: path.to_owned(), error };
        let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(AuditKeyError::Open { path: path.to_owned(), mode });
        }
        let pair = Ed25519KeyPair::from_pkcs8(bytes);
        pair.map(Self).map_err(|_| AuditKeyError::NotAKey { path: path.to_owned() })
    }

    /// The key is whole on disk before it signs anything.
    fn make(path: &Path) -> Result<Self, AuditKeyError> {
        let unwritable = |error| AuditKeyError::Unwritable { path: path.to_owned(), error };
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| AuditKeyError::NoRandomness)?;
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(error)),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).map_err(unwritable)?;
        file.write_all(document.as_ref()).and_then(|()| file.sync_all()).map_err(unwritable)?;
        fs::rename(&new, path).map_err(unwritable)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)?;
        Self::read(path, document.as_ref())
    }

    /// What others check signatures with.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; PUBLIC_BYTES];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }

    pub(super) fn sign(&self, text: &str) -> Signature {
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes.copy_from_slice(self.0.sign(text.as_bytes()).as_ref());
        Signature(bytes)
    }
}

/// What checks signatures: `ed25519:` and 44 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; PUBLIC_BYTES]);

/// A signature: 88 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature([u8; SIGNATURE_BYTES]);

impl PublicKey {
    /// Whether `signature` was made over `text` with the key's other half.
    pub(super) fn verifies(&self, text: &str, signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(text.as_bytes(), &signature.0).is_ok()
    }

    /// The same for bytes and a signature from elsewhere.
    pub fn verifies_bytes(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(bytes, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

/// The text is not a public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a public key: expected `ed25519:` and 44 characters of base64")]
pub struct InvalidPublicKey(String);

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.strip_prefix(PREFIX).and_then(|digits| STANDARD.decode(digits).ok());
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| InvalidPublicKey(text.to_owned()))
    }
}

impl FromStr for Signature {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = STANDARD.decode(text).map_err(drop)?;
        bytes.try_into().map(Self).map_err(drop)
    }
}
