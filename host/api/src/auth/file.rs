//! The file that holds the keys, and its changes.
//!
//! A change reads the file, writes a whole new one beside it, and renames that
//! over the old one, all under a lock; so readers see the old or the new file
//! and never a part, and two changes at once both take effect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bailiwick_domain::digest::Digest;
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use super::scope::Scope;
use super::token::{self, Token};
use crate::storage::{self, StorageError};
use crate::time;

/// Bytes that the file may have: room for all keys with long names.
const MAX_BYTES: u64 = 8 << 20;

/// Keys that the file may hold: more than a team hands out, and few enough to keep in memory.
const MAX_KEYS: usize = 10_000;

/// Characters of a key's name, which stands in every record of its calls.
const MAX_NAME: usize = 64;

/// What stands at the head of the file.
const HEAD: &str = "# API keys of this host. `bailiwick key` changes this file; only hashes are kept.\n\n";

/// What can be shown of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// 16 hex digits, part of the token.
    pub id: String,
    /// What people call it; records say `key:NAME`.
    pub name: String,
    /// What it is good for; never empty.
    pub scopes: BTreeSet<Scope>,
    /// When it was made.
    pub created_at: SystemTime,
    /// From when on it is void.
    pub expires_at: Option<SystemTime>,
}

/// What a new key shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Not the name of another key.
    pub name: String,
    /// At least one.
    pub scopes: BTreeSet<Scope>,
    /// In the future.
    pub expires_at: Option<SystemTime>,
}

/// A key that was made just now.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatedKey {
    /// What can be shown of it at any time.
    pub info: KeyInfo,
    /// The token, to be shown this once: the host doesn't keep it.
    pub token: String,
}

impl fmt::Debug for CreatedKey {
    /// Leaves the token out, so that it can't slip into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKey").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Why the key file can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file system didn't do as asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Not the TOML that is expected.
    #[error("{path}, line {line}: {reason}", path = .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What the parser said.
        reason: String,
    },
    /// A key in the file that can't be.
    #[error("{path}: key number {number}: {reason}", path = .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// More keys than the host takes.
    #[error("{path} has {found} keys; the host takes at most {MAX_KEYS}", path = .path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// Keys found.
        found: usize,
    },
    /// The name of a new key is not one.
    #[error("`{0}` can't name a key: expected 1 to {MAX_NAME} letters, digits and `.`, `_`, `-`, `@`")]
    Name(String),
    /// Another key has the name.
    #[error("there is a key `{0}` already; revoke it first or take another name")]
    NameTaken(String),
    /// A new key that would be good for nothing.
    #[error("a key needs at least one scope")]
    NoScope,
    /// A new key that would be void from the start.
    #[error("the key would expire at {0}, which is past")]
    Expired(String),
    /// No such key.
    #[error("no key has the id or the name `{0}`")]
    Unknown(String),
    /// The system gave no random bytes.
    #[error("the system's random source failed: {0}")]
    Random(getrandom::Error),
}

/// The key file of a host. It holds nothing; each function reads anew.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

/// A key as the host keeps it.
#[derive(Clone, Debug)]
pub(crate) struct StoredKey {
    pub(crate) info: KeyInfo,
    pub(crate) digest: Digest,
}

impl KeyFile {
    /// The key file at `path`. It need not be there; then there are no keys.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All keys, in the order in which they were made.
    pub fn list(&self) -> Result<Vec<KeyInfo>, KeyFileError> {
        Ok(self.read()?.into_iter().map(|key| key.info).collect())
    }

    /// Makes a key at the time `now`. The host follows within a second.
    pub fn create(&self, new: NewKey, now: SystemTime) -> Result<CreatedKey, KeyFileError> {
        validate_new(&new, now)?;
        let now = time::whole_seconds(now);
        let text = token::generate().map_err(KeyFileError::Random)?;
        let token = Token::parse(&text).ok_or(KeyFileError::Random(getrandom::Error::UNEXPECTED))?;
        let (id, digest) = (token.id().to_owned(), token.digest());
        let info = KeyInfo { id, name: new.name, scopes: new.scopes, created_at: now, expires_at: new.expires_at };
        self.change(|keys| {
            if keys.iter().any(|key| key.info.name == info.name) {
                return Err(KeyFileError::NameTaken(info.name.clone()));
            }
            if keys.len() >= MAX_KEYS {
                return Err(KeyFileError::TooMany { path: self.path.clone(), found: keys.len() + 1 });
            }
            keys.push(StoredKey { info: info.clone(), digest });
            Ok(())
        })?;
        Ok(CreatedKey { info, token: text })
    }

    /// Removes the key that has this id or, if none has, this name. The host
    /// follows within a second.
    pub fn revoke(&self, id_or_name: &str) -> Result<KeyInfo, KeyFileError> {
        self.change(|keys| {
            let by_id = keys.iter().position(|key| key.info.id == id_or_name);
            let by_name = || keys.iter().position(|key| key.info.name == id_or_name);
            let index = by_id.or_else(by_name).ok_or_else(|| KeyFileError::Unknown(id_or_name.to_owned()))?;
            Ok(keys.remove(index).info)
        })
    }

    /// The keys of the file; none where there is no file.
    pub(crate) fn read(&self) -> Result<Vec<StoredKey>, KeyFileError> {
        match storage::read_private(&self.path, MAX_BYTES)? {
            Some(text) => parse(&self.path, &text),
            None => Ok(Vec::new()),
        }
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<StoredKey>) -> Result<T, KeyFileError>,
    ) -> Result<T, KeyFileError> {
        let _lock = storage::lock(&self.path)?;
        let mut keys = self.read()?;
        let done = change(&mut keys)?;
        storage::replace(&self.path, render(&keys).as_bytes())?;
        Ok(done)
    }
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    keys: Vec<Entry>,
}

/// One key as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    name: String,
    sha256: String,
    scopes: BTreeSet<Scope>,
    created_at: Datetime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Datetime>,
}

fn parse(path: &Path, text: &str) -> Result<Vec<StoredKey>, KeyFileError> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
        KeyFileError::Syntax { path: path.to_owned(), line, reason: error.message().to_owned() }
    })?;
    if document.keys.len() > MAX_KEYS {
        return Err(KeyFileError::TooMany { path: path.to_owned(), found: document.keys.len() });
    }
    let (mut keys, mut seen) = (Vec::with_capacity(document.keys.len()), BTreeMap::new());
    for (index, entry) in document.keys.into_iter().enumerate() {
        let number = index + 1;
        let invalid = |reason| KeyFileError::Invalid { path: path.to_owned(), number, reason };
        let key = entry.validate().map_err(invalid)?;
        for unique in [format!("id `{}`", key.info.id), format!("name `{}`", key.info.name)] {
            if let Some(first) = seen.insert(unique.clone(), number) {
                return Err(invalid(format!("the {unique} is taken by key number {first}")));
            }
        }
        keys.push(key);
    }
    Ok(keys)
}

impl Entry {
    fn validate(self) -> Result<StoredKey, String> {
        let digest = format!("sha256:{}", self.sha256)
            .parse()
            .map_err(|_| "`sha256` is not 64 lowercase hex digits".to_owned())?;
        if !token::is_id(&self.id) {
            return Err(format!("the id `{}` is not 16 lowercase hex digits", self.id));
        }
        if !is_name(&self.name) {
            return Err(KeyFileError::Name(self.name).to_string());
        }
        if self.scopes.is_empty() {
            return Err(KeyFileError::NoScope.to_string());
        }
        let moment =
            |key: &str, time: Datetime| time::parse(&time.to_string()).map_err(|error| format!("`{key}`: {error}"));
        let created_at = moment("created_at", self.created_at)?;
        let expires_at = self.expires_at.map(|time| moment("expires_at", time)).transpose()?;
        let info = KeyInfo { id: self.id, name: self.name, scopes: self.scopes, created_at, expires_at };
        Ok(StoredKey { info, digest })
    }
}

fn render(keys: &[StoredKey]) -> String {
    let moment = |time| time::format(time).parse().expect("what is written as RFC 3339 is a TOML time");
    let entry = |key: &StoredKey| Entry {
        id: key.info.id.clone(),
        name: key.info.name.clone(),
        sha256: key.digest.hex(),
        scopes: key.info.scopes.clone(),
        created_at: moment(key.info.created_at),
        expires_at: key.info.expires_at.map(moment),
    };
    let document = Document { keys: keys.iter().map(entry).collect() };
    let body = toml::to_string(&document).expect("strings and arrays of strings are always valid TOML");
    format!("{HEAD}{body}")
}

fn validate_new(new: &NewKey, now: SystemTime) -> Result<(), KeyFileError> {
    if !is_name(&new.name) {
        return Err(KeyFileError::Name(new.name.clone()));
    }
    if new.scopes.is_empty() {
        return Err(KeyFileError::NoScope);
    }
    match new.expires_at {
        Some(end) if end <= now => Err(KeyFileError::Expired(time::format(end))),
        _ => Ok(()),
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-' | b'@');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed)
}
