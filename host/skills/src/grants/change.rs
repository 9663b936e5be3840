//! A change of one grant, made in one transaction with the record that tells of it.

use std::time::SystemTime;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::Grant;
use bailiwick_journal::{Batch, Shelf, Undone};
use serde_json::value::RawValue;

use super::error::GrantError;
use super::{GrantEntry, fingerprint, json, key, raw};
use crate::audit::record;

/// What a grant is in the journal from now on, and the record that tells of it.
pub(super) struct Change {
    grant: Grant,
    fingerprint: Digest,
    document: Vec<u8>,
    record: String,
}

impl Change {
    /// The change that makes the grant of its bytes be `grant`.
    pub(super) fn of(grant: Grant, at: SystemTime, kind: &'static str, by: &str) -> Result<Self, GrantError> {
        let inexpressible = |error: &dyn std::fmt::Display| GrantError::Inexpressible(error.to_string());
        let document = raw::document(&grant).map_err(|error| inexpressible(&error))?;
        // What is read as something else than was meant must not be kept.
        if raw::read_document(&document).ok().as_ref() != Some(&grant) {
            return Err(inexpressible(&"it would be read as something else than was meant"));
        }
        let fingerprint = fingerprint(&grant).map_err(|error| inexpressible(&error))?;
        let content = json::told(&grant).map_err(|error| inexpressible(&error))?;
        let content = RawValue::from_string(content.to_string()).map_err(|error| inexpressible(&error))?;
        let record = record::grant(at, kind, by, &grant, fingerprint, Some(&content));
        Ok(Self { grant, fingerprint, document: document.into_bytes(), record })
    }

    /// The grant as it is by then.
    pub(super) fn entry(&self) -> GrantEntry {
        GrantEntry { grant: self.grant.clone(), fingerprint: self.fingerprint, problem: None }
    }

    /// Makes the change together with all else in `batch`.
    pub(super) fn make(self, batch: &mut Batch<'_, '_>) {
        batch.put(Shelf::Grants, key(&self.grant), self.document);
        batch.append(self.record);
    }
}

/// What new bytes are given their grant by.
pub(super) struct Basis {
    /// What other bytes have, of which it is made.
    pub(super) old: Grant,
    /// Under which key the grant of the new bytes is kept.
    pub(super) key: String,
    /// What the new bytes have already, as a rule nothing.
    pub(super) own: Option<Grant>,
}

impl Basis {
    /// Whether the journal still has all of it as it was read.
    pub(super) fn is_still(&self, batch: &Batch<'_, '_>) -> Result<bool, Undone> {
        Ok(is_still(batch, &key(&self.old), Some(&self.old))? && is_still(batch, &self.key, self.own.as_ref())?)
    }
}

/// Whether the journal still has `grant` under `key` as it was read, or still nothing. What it
/// says is compared and not its text, which another release may have written in other words.
pub(super) fn is_still(batch: &Batch<'_, '_>, key: &str, grant: Option<&Grant>) -> Result<bool, Undone> {
    Ok(match (batch.get(Shelf::Grants, key)?, grant) {
        (None, None) => true,
        (Some(document), Some(grant)) => {
            raw::read_document(&String::from_utf8_lossy(&document)).is_ok_and(|found| found == *grant)
        }
        _ => false,
    })
}
