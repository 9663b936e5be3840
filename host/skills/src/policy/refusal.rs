//! Why a call is not allowed.

use std::time::SystemTime;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;

use super::Now;
use crate::grants::{Grants, rfc3339};
use crate::near::quoted;
use crate::skill::Skill;

/// Why a call is not allowed. Each says what a person can do about it; none
/// names a folder or a value of the host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody granted it anything.
    #[error("nothing is granted to `{skill}`: review it with `bailiwick grant add {skill}`")]
    NoGrant {
        /// The skill.
        skill: SkillId,
    },
    /// Its bytes are others than those that were granted something.
    #[error(
        "`{skill}` is suspended: its code is {digest}, and the grant is for {}; look at the difference with \
         `bailiwick grant review {skill}`",
        quoted(granted.iter().map(ToString::to_string), ", ")
    )]
    Suspended {
        /// The skill.
        skill: SkillId,
        /// The bytes that would run.
        digest: Digest,
        /// The bytes that have grants.
        granted: Vec<Digest>,
    },
    /// The grant's time is over.
    #[error("the grant of `{skill}` ended at {}: renew it with `bailiwick grant add {skill}`", rfc3339(*at))]
    Expired {
        /// The skill.
        skill: SkillId,
        /// When.
        at: SystemTime,
    },
    /// The grant was for one call, which has begun.
    #[error(
        "the grant of `{skill}` was for one call, and is used up: grant it anew with `bailiwick grant add {skill}`"
    )]
    UsedUp {
        /// The skill.
        skill: SkillId,
    },
    /// The grant can't be given effect.
    #[error("the grant of `{skill}` can't be used as it stands: `bailiwick grant list` says why")]
    GrantInvalid {
        /// The skill.
        skill: SkillId,
        /// Why not, for the operator: it may name folders of the host.
        problem: String,
    },
    /// The file of grants can't be read.
    #[error("the grants of this host can't be read, so nothing is granted: its log says why")]
    GrantsUnreadable {
        /// Why not, for the operator: it may name folders of the host.
        problem: String,
    },
    /// A risk that nobody accepted.
    #[error("the tool `{tool}` of `{skill}` is tagged {}, which needs approval", quoted(tags, ", "))]
    ApprovalRequired {
        /// The skill.
        skill: SkillId,
        /// The tool.
        tool: String,
        /// The tags that nobody accepted.
        tags: Vec<String>,
    },
    /// There is nothing to execute.
    #[error("`{skill}` is a prompt: it has instructions to read and no tools to call")]
    Prompt {
        /// The skill.
        skill: SkillId,
    },
}

impl Refusal {
    /// A stable name for records and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoGrant { .. } => "no-grant",
            Self::Suspended { .. } => "suspended",
            Self::Expired { .. } => "grant-expired",
            Self::UsedUp { .. } => "grant-used-up",
            Self::GrantInvalid { .. } => "grant-invalid",
            Self::GrantsUnreadable { .. } => "grants-unreadable",
            Self::ApprovalRequired { .. } => "approval-required",
            Self::Prompt { .. } => "prompt",
        }
    }
}

/// What to say of a skill whose bytes have no grant.
pub(super) fn without_grant(skill: &Skill, grants: &Grants, now: Now) -> Refusal {
    let id = skill.manifest.id.clone();
    let others = grants.of_skill(&id).iter().filter(|entry| entry.grant.holds_at(now.time));
    let granted: Vec<Digest> = others.map(|entry| entry.grant.digest).collect();
    if granted.is_empty() {
        Refusal::NoGrant { skill: id }
    } else {
        Refusal::Suspended { skill: id, digest: skill.digest, granted }
    }
}
