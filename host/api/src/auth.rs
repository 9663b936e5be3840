//! Who asks, and whether they may.
//!
//! A caller shows an API key as a bearer token. The host keeps only the sha256
//! of each, in one file ([`mod@file`]), and an image of that file in memory
//! ([`keyring`]) that follows its changes. A token has 256 random bits, so
//! one fast hash is enough, and guessing is hopeless; `throttle` is there to
//! keep a client that has gone astray from filling the log.

pub mod file;
pub mod keyring;
pub mod scope;

pub(crate) mod caller;
pub(crate) mod lasting;
pub(crate) mod throttle;
pub(crate) mod token;

pub use file::{CreatedKey, KeyFile, KeyFileError, KeyInfo, NewKey};
pub use keyring::Keyring;
pub use scope::Scope;
