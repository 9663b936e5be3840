//! The door of the fuzz targets in `fuzz/`: grants as texts, and what they are held
//! against, without a journal.

use std::path::Path;

use bailiwick_domain::grant::{Capabilities, Grant};
use bailiwick_domain::manifest::Permissions;
use serde_json::Value;

use super::{GrantError, json, raw, within};

/// The grants of a file with this text.
pub fn parse(text: &str) -> Result<Vec<Grant>, GrantError> {
    raw::parse(Path::new("grants.toml"), text)
}

/// The text of a file with `grants`.
pub fn write(grants: &[Grant]) -> Result<String, String> {
    raw::write(grants)
}

/// The grant as JSON, nothing hidden.
pub fn to_json(grant: &Grant) -> Result<Value, String> {
    json::whole(grant)
}

/// The grant as those who look are told of it.
pub fn told(grant: &Grant) -> Result<Value, String> {
    json::told(grant)
}

/// The grant that such JSON says.
pub fn from_json(value: &Value) -> Result<Grant, String> {
    json::from_json(value)
}

/// Whether a manifest that asks for `asked` lets `granted` be given.
pub fn is_within(asked: &Permissions, granted: &Capabilities) -> bool {
    within::check(asked, granted).is_ok()
}

/// As much of `granted` as `asked` covers.
pub fn cut(asked: &Permissions, granted: &Capabilities) -> Capabilities {
    within::cut(asked, granted)
}
