//! Why there is no execution.

use std::time::Duration;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::receipt::Receipt;
use bailiwick_domain::sandbox::InvokeError;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_journal::JournalError;

use super::ProvidedError;
use crate::approvals::{Approval, ApprovalError};
use crate::catalog::ResolveError;
use crate::near::{hint, quoted};
use crate::policy::Refusal;
use crate::schema::SchemaViolation;

/// Why there is no execution. Where the guest ran, there is a receipt.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The selector means no skill.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The skill has no such tool.
    #[error("`{skill}` has no tool `{name}`{}; it has {}", hint(near), quoted(tools, ", "))]
    UnknownTool {
        /// The skill.
        skill: SkillId,
        /// The name that was asked for.
        name: String,
        /// Names that are like it.
        near: Vec<String>,
        /// The tools that there are.
        tools: Vec<String>,
    },
    /// The skill has several tools and none was named.
    #[error("`{skill}` has several tools: name one of {}", quoted(tools, ", "))]
    NoToolNamed {
        /// The skill.
        skill: SkillId,
        /// The tools that there are.
        tools: Vec<String>,
    },
    /// The run that makes the call began with other bytes of the skill.
    #[error(
        "`{skill}` has other bytes now ({found}) than when the run began ({pinned}): a run calls only what it began with; \
         begin a new one"
    )]
    OtherBytes {
        /// The skill.
        skill: SkillId,
        /// What the run began with.
        pinned: Box<Digest>,
        /// What there is.
        found: Box<Digest>,
    },
    /// The arguments are not as the author's schema wants them.
    #[error("the arguments don't fit: {0}")]
    Arguments(SchemaViolation),
    /// Policy says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A person has to approve the call first.
    #[error(
        "`{}` of `{}` is tagged {}, and waits for approval {}: `bailiwick approvals approve {}`, then make the same call again; or accept the risk for \
         every call with `bailiwick grant add {} --accept-risk {}`",
        .0.tool, .0.skill, quoted(&.0.tags, ", "), .0.id, .0.id, .0.skill, .0.tags.join(" --accept-risk ")
    )]
    ApprovalPending(Box<Approval>),
    /// A person has said no.
    #[error("a person denied this call (approval {}){}", .0.id, .0.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    ApprovalDenied(Box<Approval>),
    /// The approval can't be asked for or used.
    #[error(transparent)]
    Approval(#[from] ApprovalError),
    /// As many calls are under way as there may be.
    #[error("{scope} {limit} calls under way, as many as may be at once: try again later")]
    Busy {
        /// Whose limit it is.
        scope: BusyScope,
        /// How many calls may be under way.
        limit: u32,
        /// When to try again.
        retry_after: Duration,
    },
    /// The call of this idempotency key is under way.
    #[error("the call with this idempotency key is under way: ask again for its answer")]
    KeyInProgress {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The idempotency key belongs to another request.
    #[error("this idempotency key was used with another skill, tool or arguments: use a new key for a new request")]
    KeyMismatch,
    /// The call of this idempotency key was cut off, and may not simply be made again.
    #[error(
        "the call with this idempotency key was cut off, and its tool `{tool}` is not idempotent: it may have taken \
         effect; find out, and use a new key to call it again"
    )]
    Interrupted {
        /// The tool.
        tool: String,
    },
    /// The call of this idempotency key failed earlier, and may not simply be made again.
    #[error("the call with this idempotency key failed before ({code}): {message}")]
    FailedBefore {
        /// The code of the error then.
        code: String,
        /// Its message.
        message: String,
    },
    /// The grant was taken back while the guest ran.
    #[error("the call was ended because its grant was revoked or changed")]
    Revoked {
        /// What had happened until then.
        receipt: Box<Receipt>,
    },
    /// The guest ran and gave nothing back.
    #[error("{error}")]
    Invoke {
        /// Why.
        error: InvokeError,
        /// What had happened until then.
        receipt: Box<Receipt>,
        /// What the guest wrote to stdout and stderr.
        log: String,
    },
    /// The output is not as the author's schema wants it.
    #[error("the tool answered what its own schema forbids: {violation}")]
    Output {
        /// Where, and what.
        violation: SchemaViolation,
        /// What had happened.
        receipt: Box<Receipt>,
        /// What the guest wrote to stdout and stderr.
        log: String,
    },
    /// The skill names its tools at run time, and did not do so.
    #[error("the tools of the skill can't be listed: {0}")]
    Listing(Box<ProvidedError>),
    /// The record of the call can't be kept or read.
    #[error("the host can't keep the record of the call")]
    Journal(#[from] JournalError),
    /// The record of the call is not one that this release wrote.
    #[error("the record of the call can't be read: {0}")]
    Record(String),
    /// The system has no randomness.
    #[error("the host has no randomness for the call's name")]
    Random(#[from] getrandom::Error),
}

impl From<ProvidedError> for ExecuteError {
    /// What went wrong with the call that lists them is told as it is.
    fn from(error: ProvidedError) -> Self {
        match error {
            ProvidedError::Execute(error) => *error,
            error => Self::Listing(Box::new(error)),
        }
    }
}

/// Whose limit of calls was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusyScope {
    /// The whole host's.
    Host,
    /// One skill's.
    Skill(SkillId),
}

impl std::fmt::Display for BusyScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host => f.write_str("the host has"),
            Self::Skill(skill) => write!(f, "`{skill}` has"),
        }
    }
}

impl ExecuteError {
    /// A stable name for records and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Resolve(ResolveError::UnknownSkill { .. }) => "skill-not-found",
            Self::Resolve(ResolveError::NoVersion { .. }) => "version-not-found",
            Self::Resolve(ResolveError::Broken { .. }) => "skill-broken",
            Self::Resolve(ResolveError::Preparing { .. }) => "skill-preparing",
            Self::UnknownTool { .. } => "tool-not-found",
            Self::NoToolNamed { .. } => "tool-not-named",
            Self::OtherBytes { .. } => "other-bytes",
            Self::Arguments(_) => "invalid-arguments",
            Self::Refused(refusal) => refusal.code(),
            Self::ApprovalPending(_) => "approval-required",
            Self::ApprovalDenied(_) => "approval-denied",
            Self::Approval(ApprovalError::TooMany { .. }) => "too-many-approvals",
            Self::Approval(ApprovalError::Settled { .. } | ApprovalError::Unknown { .. }) => "approval-settled",
            Self::Busy { .. } => "busy",
            Self::KeyInProgress { .. } => "key-in-progress",
            Self::KeyMismatch => "key-mismatch",
            Self::Interrupted { .. } => "interrupted",
            Self::FailedBefore { .. } => "failed-before",
            Self::Revoked { .. } => "revoked",
            Self::Invoke { error, .. } => error.code(),
            Self::Output { .. } => "invalid-output",
            Self::Listing(_) => "tools-not-listed",
            Self::Approval(_) | Self::Journal(_) | Self::Record(_) | Self::Random(_) => "host-failure",
        }
    }

    /// What the host knows of a call that ran.
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Revoked { receipt } | Self::Invoke { receipt, .. } | Self::Output { receipt, .. } => Some(receipt),
            _ => None,
        }
    }
}
