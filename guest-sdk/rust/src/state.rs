//! Durable state: keys with values of bytes, over `wasi:keyvalue/store` and
//! `atomics`, `@0.2.0-draft`.
//!
//! A call runs in a fresh instance, so this is the only thing that a skill can
//! leave behind for its next call.
//!
//! ```no_run
//! # fn main() -> Result<(), bailiwick_guest::state::Error> {
//! use bailiwick_guest::state::Bucket;
//!
//! let bucket = Bucket::open()?;
//! bucket.set("last-query", b"lisbon")?;
//! let calls = bucket.increment("calls", 1)?;
//! # Ok(()) }
//! ```

use std::fmt;

use bindings::wasi::keyvalue::{atomics, store};

/// An open bucket: a collection of keys, each with a value of bytes.
pub struct Bucket {
    inner: store::Bucket,
    name: String,
}

/// The name of the bucket that the host keeps for each skill.
const DEFAULT_BUCKET: &str = "";

/// No real store answers more pages than this that hold no key at all; a host
/// that does would otherwise keep the skill in a loop.
const MAX_EMPTY_PAGES: usize = 16;

impl Bucket {
    /// Opens the bucket that the host keeps for this skill.
    pub fn open() -> Result<Self, Error> {
        Self::open_named(DEFAULT_BUCKET)
    }

    /// Opens another bucket by the name that the host knows it by.
    pub fn open_named(name: &str) -> Result<Self, Error> {
        let inner = store::open(name).map_err(|error| Error::new(name, "opening it", error))?;
        Ok(Self { inner, name: name.to_owned() })
    }

    /// The value of a key, or `None` when the bucket does not hold the key.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.inner.get(key).map_err(|error| self.failed("reading", key, error))
    }

    /// Stores a value, in place of an older one.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.inner.set(key, value).map_err(|error| self.failed("writing", key, error))
    }

    /// Removes a key; does nothing when the bucket does not hold it.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        self.inner.delete(key).map_err(|error| self.failed("deleting", key, error))
    }

    /// Whether the bucket holds the key.
    pub fn exists(&self, key: &str) -> Result<bool, Error> {
        self.inner.exists(key).map_err(|error| self.failed("looking for", key, error))
    }

    /// Adds `delta` to the number at a key in one step that no other call can
    /// come between, and answers the sum. A key that is not there counts as 0.
    pub fn increment(&self, key: &str, delta: u64) -> Result<u64, Error> {
        atomics::increment(&self.inner, key, delta).map_err(|error| self.failed("incrementing", key, error))
    }

    /// Up to `limit` keys, in no particular order. The host answers keys in
    /// pages; this asks for as many as it takes.
    pub fn keys(&self, limit: usize) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut cursor = None;
        let mut empty_pages = 0;
        while keys.len() < limit && empty_pages < MAX_EMPTY_PAGES {
            let page =
                self.inner.list_keys(cursor).map_err(|error| Error::new(&self.name, "listing its keys", error))?;
            if page.keys.is_empty() {
                empty_pages += 1;
            }
            keys.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        keys.truncate(limit);
        Ok(keys)
    }

    fn failed(&self, doing: &str, key: &str, error: store::Error) -> Error {
        Error::new(&self.name, &format!("{doing} the key `{key}`"), error)
    }
}

/// Why an operation on a bucket failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The skill was not granted this bucket, or not this use of it.
    Denied {
        /// The name of the bucket; empty for the skill's own.
        bucket: String,
    },
    /// The host knows no bucket of this name.
    NoSuchBucket {
        /// The name that was asked for.
        bucket: String,
    },
    /// The store failed, or refused the value.
    Failed {
        /// The name of the bucket; empty for the skill's own.
        bucket: String,
        /// What was tried and why it failed.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Denied { bucket } => {
                write!(f, "the host refused the use of {}", Named(bucket))
            }
            Error::NoSuchBucket { bucket } => {
                write!(f, "the host does not have {}", Named(bucket))
            }
            Error::Failed { bucket, reason } => {
                write!(f, "{} failed: {reason}", Named(bucket))
            }
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    fn new(bucket: &str, operation: &str, error: store::Error) -> Self {
        let bucket = bucket.to_owned();
        match error {
            store::Error::AccessDenied => Error::Denied { bucket },
            store::Error::NoSuchStore => Error::NoSuchBucket { bucket },
            store::Error::Other(reason) => Error::Failed { bucket, reason: format!("{operation}: {reason}") },
        }
    }
}

/// The default bucket has an empty name, which would read badly in a sentence.
struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            DEFAULT_BUCKET => f.write_str("the default bucket"),
            name => write!(f, "the bucket `{name}`"),
        }
    }
}

mod bindings {
    wit_bindgen::generate!({ world: "state", path: "wit", generate_all });
}
