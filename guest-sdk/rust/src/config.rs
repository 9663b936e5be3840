//! Configuration values that the host gives to the skill, over
//! `wasi:config/store@0.2.0-rc.1`.
//!
//! ```no_run
//! # fn main() -> Result<(), bailiwick_guest::config::Error> {
//! let units = bailiwick_guest::config::get("units")?.unwrap_or_else(|| "metric".into());
//! # Ok(()) }
//! ```

use std::fmt;

use bindings::wasi::config::store;

/// The value of a key, or `None` when the host has no such key.
pub fn get(key: &str) -> Result<Option<String>, Error> {
    store::get(key).map_err(|error| Error::new(&format!("reading the key `{key}`"), error))
}

/// All keys that the host gives to this skill, with their values.
pub fn get_all() -> Result<Vec<(String, String)>, Error> {
    store::get_all().map_err(|error| Error::new("reading all keys", error))
}

/// Why a configuration value could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The source behind the host, such as a vault, failed.
    Upstream(String),
    /// The host could not read.
    Io(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Upstream(reason) => {
                write!(f, "the source of the configuration failed: {reason}")
            }
            Error::Io(reason) => write!(f, "the configuration could not be read: {reason}"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    fn new(operation: &str, error: store::Error) -> Self {
        match error {
            store::Error::Upstream(reason) => Error::Upstream(format!("{operation}: {reason}")),
            store::Error::Io(reason) => Error::Io(format!("{operation}: {reason}")),
        }
    }
}

mod bindings {
    wit_bindgen::generate!({ world: "config", path: "wit", generate_all });
}
