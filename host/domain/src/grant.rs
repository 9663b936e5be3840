//! What a person allowed, and to exactly which bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::authority::{CommandRule, FsMount, HttpDeny, HttpRule, SecretDestination};
use crate::digest::Digest;
use crate::limits::LimitsRequest;
use crate::quota::{Quota, StateQuota};
use crate::skill_id::{SkillId, SkillSelector};

/// Capabilities and limits that a person gave to one digest of one skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The skill.
    pub skill: SkillId,
    /// The bytes. Others under the same id have no grant.
    pub digest: Digest,
    /// Who gave it.
    pub giver: String,
    /// When.
    pub given_at: SystemTime,
    /// From when on it is void.
    pub expires_at: Option<SystemTime>,
    /// What for.
    pub reason: Option<String>,
    /// What may be touched.
    pub capabilities: Capabilities,
    /// Risk tags that this grant accepts for every call.
    pub accepted_risks: BTreeSet<String>,
    /// Limits below those that the manifest asks for.
    pub limits: LimitsRequest,
    /// Whether it is for one call only.
    pub one_shot: bool,
    /// When that call began.
    pub used_at: Option<SystemTime>,
    /// What the giver was shown.
    pub seen: Seen,
}

/// What could be known of the bytes when they were granted something, so that the
/// next ones under the same id can be held against them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The release.
    pub version: Option<String>,
    /// What the component imported.
    pub imports: BTreeSet<String>,
    /// What the manifest asked for, a line for each permission.
    pub asked: BTreeSet<String>,
}

/// What a grant allows a guest to touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Folders.
    pub fs: Vec<FsMount>,
    /// Outgoing requests.
    pub http: Vec<HttpRule>,
    /// Requests that are not sent, whatever the rules above say.
    pub http_deny: Vec<HttpDeny>,
    /// Secrets by name, and where each may be sent.
    pub secrets: BTreeMap<String, Vec<SecretDestination>>,
    /// A folder of its own for each call, or for each task of a run.
    pub workspace: Option<Quota>,
    /// Durable state.
    pub state: Option<StateQuota>,
    /// Configuration values by key.
    pub config: BTreeMap<String, String>,
    /// Commands of the host.
    pub shell: Vec<CommandRule>,
    /// Other skills, each once.
    pub skills: Vec<SkillSelector>,
    /// Models by name, the one that is asked where none is named first.
    pub models: Vec<String>,
}

impl Grant {
    /// Whether the grant still holds at `now`.
    pub fn holds_at(&self, now: SystemTime) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}
