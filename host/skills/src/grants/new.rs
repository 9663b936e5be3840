//! A grant that is to be given, as those who give it say it.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant, Seen};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::skill_id::SkillId;
use serde_json::Value;

use super::error::GrantError;
use super::{json, rfc3339, whole_seconds};

/// Characters of a reason: a few sentences.
const MAX_REASON: usize = 1000;

/// A grant that is to be given. The skill, its bytes and the time are added by the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewGrant {
    /// Who gives it.
    pub giver: String,
    /// From when on it is void.
    pub expires_at: Option<SystemTime>,
    /// What for.
    pub reason: Option<String>,
    /// What may be touched. Host folders may be given by any path that leads to them.
    pub capabilities: Capabilities,
    /// Risk tags that it accepts for every call.
    pub accepted_risks: BTreeSet<String>,
    /// Limits below those that the manifest asks for.
    pub limits: LimitsRequest,
    /// Whether it is for one call only.
    pub one_shot: bool,
}

impl NewGrant {
    /// A grant to be given by `giver`, from JSON with the keys of a file of grants but
    /// those that the store adds itself; and the digest of the bytes that it is for.
    pub fn from_json(skill: &SkillId, giver: &str, mut value: Value) -> Result<(Digest, Self), String> {
        let Some(members) = value.as_object_mut() else {
            return Err("expected an object with the keys of a grant".to_owned());
        };
        for key in ["skill", "giver", "given_at", "used_at", "seen", "fingerprint", "problem"] {
            if members.contains_key(key) {
                return Err(format!("`{key}` is not for the caller to say"));
            }
        }
        members.insert("skill".to_owned(), Value::String(skill.to_string()));
        members.insert("giver".to_owned(), Value::String(giver.to_owned()));
        members.insert("given_at".to_owned(), Value::String(rfc3339(SystemTime::UNIX_EPOCH)));
        let grant = json::from_json(&value)?;
        let new = Self {
            giver: grant.giver,
            expires_at: grant.expires_at,
            reason: grant.reason,
            capabilities: grant.capabilities,
            accepted_risks: grant.accepted_risks,
            limits: grant.limits,
            one_shot: grant.one_shot,
        };
        Ok((grant.digest, new))
    }

    /// The JSON that [`Self::from_json`] reads, for these bytes.
    pub fn to_json(&self, skill: &SkillId, digest: Digest) -> Result<Value, GrantError> {
        let grant = Grant {
            skill: skill.clone(),
            digest,
            giver: self.giver.clone(),
            given_at: SystemTime::UNIX_EPOCH,
            // Seconds are whole there; an end that is rounded down might be past.
            expires_at: self.expires_at.map(|end| whole_seconds(end + Duration::from_millis(999))),
            reason: self.reason.clone(),
            capabilities: self.capabilities.clone(),
            accepted_risks: self.accepted_risks.clone(),
            limits: self.limits.clone(),
            one_shot: self.one_shot,
            used_at: None,
            seen: Seen::default(),
        };
        let mut value = json::whole(&grant).map_err(GrantError::Inexpressible)?;
        if let Some(members) = value.as_object_mut() {
            members.retain(|key, _| !matches!(key.as_str(), "skill" | "giver" | "given_at"));
        }
        Ok(value)
    }
}

/// Refuses a reason that is too long to be one. What is in the journal already is read
/// whatever it has.
pub(super) fn check_reason(skill: &SkillId, reason: Option<&str>) -> Result<(), GrantError> {
    match reason.map_or(0, |reason| reason.chars().count()) {
        found if found > MAX_REASON => Err(GrantError::LongReason { skill: skill.clone(), found, max: MAX_REASON }),
        _ => Ok(()),
    }
}
