//! Keys that sign packages: ed25519, in the forms that `openssl` reads and writes.
//!
//! A public key is SPKI DER in base64, on one line or as PEM; a private one is
//! PKCS#8 in PEM, in a file that its owner alone reads.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::durable;

/// What stands before the 32 bytes of a public key in SPKI DER (RFC 8410).
const SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What stands before the 32 bytes of a private key in PKCS#8 DER (RFC 8410).
const PKCS8: &[u8] = &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Bytes of a key, of either kind.
const KEY_BYTES: usize = 32;

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 64;

/// Bytes of a file with a key; `openssl` writes 119.
const MAX_KEY_FILE: u64 = 16 << 10;

/// What checks signatures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; KEY_BYTES]);

/// What makes signatures.
pub struct PrivateKey(Ed25519KeyPair);

/// A signature: 88 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; SIGNATURE_BYTES]);

/// The text is not a public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not an ed25519 public key: expected what `bailiwick skills keygen` or `openssl pkey -pubout` prints, as PEM or as its base64 on one line"
)]
pub struct InvalidPublicKey;

/// The text is not a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the 64 bytes of an ed25519 signature in base64")]
pub struct InvalidSignature;

/// Why a private key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateKeyError {
    /// The file can't be read.
    #[error("can't read the private key `{path}`: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file can't be made.
    #[error("can't write the private key `{path}`: {error}", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others can read the file.
    #[error(
        "the private key `{path}` can be read by others (mode {mode:o}): whoever has it signs in your name; make it `chmod 600`",
        path = path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Something else stands in the file.
    #[error(
        "`{path}` holds no ed25519 private key: expected the PEM that `bailiwick skills keygen` or `openssl genpkey -algorithm ed25519` writes, without a password",
        path = path.display()
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness for a new key.
    #[error("the system has no randomness for a key")]
    NoRandomness,
}

impl PublicKey {
    /// Whether `signature` was made over `bytes` with the key's other half.
    pub fn verifies(&self, bytes: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(bytes, &signature.0).is_ok()
    }

    /// The key as PEM.
    pub fn to_pem(self) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{self}\n-----END PUBLIC KEY-----\n")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode([SPKI, &self.0].concat()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let der = match pem(text, "PUBLIC KEY") {
            Some(der) => der,
            None => STANDARD.decode(text).map_err(|_| InvalidPublicKey)?,
        };
        let key = der.strip_prefix(SPKI).and_then(|key| key.try_into().ok());
        key.map(Self).ok_or(InvalidPublicKey)
    }
}

impl PrivateKey {
    /// The key in the file at `path`, which nobody but its owner may read.
    pub fn open(path: &Path) -> Result<Self, PrivateKeyError> {
        let unreadable = |error| PrivateKeyError::Unreadable { path: path.to_owned(), error };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(PrivateKeyError::Open { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_KEY_FILE).read_to_string(&mut text).map_err(unreadable)?;
        let not_a_key = || PrivateKeyError::NotAKey { path: path.to_owned() };
        let der = Zeroizing::new(pem(text.trim(), "PRIVATE KEY").ok_or_else(not_a_key)?);
        // Newer forms also hold the public key, which is then held against the private one.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|_| not_a_key())
    }

    /// Makes a key in a file of mode 0600, which must be new.
    pub fn generate(path: &Path) -> Result<Self, PrivateKeyError> {
        let mut seed = Zeroizing::new([0; KEY_BYTES]);
        SystemRandom::new().fill(&mut *seed).map_err(|_| PrivateKeyError::NoRandomness)?;
        // Without the public key beside it, or `openssl` would not read it.
        let der = Zeroizing::new([PKCS8, &*seed].concat());
        let text = Zeroizing::new(STANDARD.encode(&*der));
        let pem = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", &*text));
        let unwritable = |error| PrivateKeyError::Unwritable { path: path.to_owned(), error };
        durable::write_new(path, pem.as_bytes(), 0o600).map_err(unwritable)?;
        durable::sync(durable::parent(path)).map_err(unwritable)?;
        Self::open(path)
    }

    /// What others check signatures with.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; KEY_BYTES];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Signs `bytes`.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        let mut signature = [0; SIGNATURE_BYTES];
        signature.copy_from_slice(self.0.sign(bytes).as_ref());
        Signature(signature)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrivateKey").field(&self.public()).finish()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signature {
    type Err = InvalidSignature;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| InvalidSignature)?;
        bytes.try_into().map(Self).map_err(|_| InvalidSignature)
    }
}

/// Whether a file is there, for those who would make one.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// The bytes between the lines that name `what`, if `text` is such a PEM and nothing else.
fn pem(text: &str, what: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix(&format!("-----BEGIN {what}-----"))?;
    let inner = inner.strip_suffix(&format!("-----END {what}-----"))?;
    let digits = Zeroizing::new(inner.split_whitespace().collect::<String>());
    STANDARD.decode(&*digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From RFC 8410, section 10.
    const RFC_PUBLIC: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    const RFC_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        durable::write_new(&path, text.as_bytes(), mode).expect("written");
        (folder, path)
    }

    #[test]
    fn keys_have_the_forms_of_the_standard() {
        let (_folder, path) = file(RFC_PRIVATE, 0o600);
        let key = PrivateKey::open(&path).expect("a key");
        assert_eq!(key.public().to_string(), RFC_PUBLIC);
        for text in [RFC_PUBLIC.to_owned(), format!("{RFC_PUBLIC}\n"), key.public().to_pem()] {
            assert_eq!(text.parse(), Ok(key.public()), "{text}");
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        // A key for another algorithm (X25519) differs in one byte.
        let other = STANDARD
            .encode([&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00], &[7; 32][..]].concat());
        let private = RFC_PRIVATE.to_owned();
        for text in ["", "ed25519:abc", &RFC_PUBLIC[..40], &format!("{RFC_PUBLIC}AAAA"), &other, &private] {
            assert_eq!(text.parse::<PublicKey>(), Err(InvalidPublicKey), "{text}");
        }
    }

    #[test]
    fn a_new_key_signs_and_its_file_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        let key = PrivateKey::generate(&path).expect("made");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let signature = key.sign(b"bytes");
        assert!(key.public().verifies(b"bytes", &signature));
        assert!(!key.public().verifies(b"bytez", &signature));
        let again: Signature = signature.to_string().parse().expect("a signature");
        assert_eq!(again, signature);
        let mut changed = signature;
        changed.0[0] ^= 1;
        assert!(!key.public().verifies(b"bytes", &changed));
        // It never takes the place of another.
        assert!(matches!(PrivateKey::generate(&path), Err(PrivateKeyError::Unwritable { .. })));
    }

    #[test]
    fn a_private_key_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o644] {
            let (_folder, path) = file(RFC_PRIVATE, mode);
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
            assert!(matches!(PrivateKey::open(&path), Err(PrivateKeyError::Open { mode: found, .. }) if found == mode));
        }
        for text in ["", RFC_PUBLIC, &RFC_PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE")] {
            let (_folder, path) = file(text, 0o600);
            assert!(matches!(PrivateKey::open(&path), Err(PrivateKeyError::NotAKey { .. })), "{text}");
        }
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in ["", "AAAA", &STANDARD.encode([1; 63]), &STANDARD.encode([1; 65]), "!"] {
            assert_eq!(text.parse::<Signature>(), Err(InvalidSignature), "{text}");
        }
    }
}
