//! What can go wrong with a skill and with a call of it.

use std::time::Duration;

use bailiwick_distribution::install::{Class, InstallError};
use bailiwick_domain::receipt::Receipt;
use bailiwick_domain::sandbox::InvokeError;
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::approvals::ApprovalError;
use bailiwick_skills::catalog::ResolveError;
use bailiwick_skills::execute::ExecuteError;
use bailiwick_skills::grants::GrantError;
use bailiwick_skills::policy::Refusal;
use serde_json::value::RawValue;

use super::{Failure, Kind};
use crate::convert;

/// How long a client should wait for a place in the sandbox: calls take
/// milliseconds, so a second is long, and it is the least that the header can say.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(1);

/// How long until it is worth asking for a skill whose component is compiled.
const RETRY_WHEN_PREPARING: Duration = Duration::from_secs(2);

impl Failure {
    /// The path means no skill.
    pub(crate) fn resolve(error: &ResolveError) -> Self {
        match error {
            ResolveError::UnknownSkill { .. } => Self::new(Kind::UNKNOWN_SKILL, error.to_string()),
            ResolveError::NoVersion { .. } => Self::new(Kind::UNKNOWN_VERSION, error.to_string()),
            ResolveError::Preparing { .. } => {
                Self::after(Kind::PREPARING_SKILL, error.to_string(), RETRY_WHEN_PREPARING)
            }
            // The reason names folders of the host. The list of skills has it without them.
            ResolveError::Broken { id, .. } => Self::new(Kind::BROKEN_SKILL, format!("the skill `{id}` can't be used")),
        }
    }

    /// The tool answered its own failure.
    pub(crate) fn tool_failed(receipt: &Receipt, failure: Box<RawValue>, replayed: bool) -> Self {
        let detail = format!("`{}` of {} answered with a failure", receipt.tool, receipt.skill);
        Self::new(Kind::TOOL_FAILED, detail)
            .with(|problem| problem.failure = Some(failure))
            .with_call(receipt, replayed)
    }

    /// There is no answer of the tool.
    pub(crate) fn execute(error: ExecuteError, trace: &TraceContext) -> Self {
        let detail = error.to_string();
        match error {
            ExecuteError::Resolve(error) => Self::resolve(&error),
            ExecuteError::UnknownTool { .. } => Self::new(Kind::UNKNOWN_TOOL, detail),
            ExecuteError::OtherBytes { .. } => Self::new(Kind::BROKEN_SKILL, detail),
            ExecuteError::NoToolNamed { .. } => Self::new(Kind::TOOL_NOT_NAMED, detail),
            ExecuteError::Arguments(violation) => Self::invalid_arguments(&violation.path, &violation.problem),
            ExecuteError::Refused(refusal) => Self::refused(&refusal, trace),
            ExecuteError::ApprovalPending(approval) => {
                Self::new(Kind::APPROVAL_REQUIRED, detail).with(|problem| problem.approval = Some(approval.id))
            }
            ExecuteError::ApprovalDenied(approval) => {
                Self::new(Kind::APPROVAL_DENIED, detail).with(|problem| problem.approval = Some(approval.id))
            }
            ExecuteError::Approval(error) => Self::approval(&error, &trace.trace_id_hex()),
            ExecuteError::Busy { retry_after, .. } => Self::after(Kind::BUSY, detail, retry_after),
            ExecuteError::KeyInProgress { retry_after } => {
                Self::after(Kind::IDEMPOTENCY_IN_PROGRESS, detail, retry_after)
            }
            ExecuteError::KeyMismatch => Self::new(Kind::IDEMPOTENCY_MISMATCH, detail),
            ExecuteError::Interrupted { .. } => Self::new(Kind::IDEMPOTENCY_INTERRUPTED, detail),
            ExecuteError::FailedBefore { code, message } => Self::failed_before(&code, message),
            ExecuteError::Revoked { receipt } => Self::new(Kind::GRANT_REVOKED, detail).with_call(&receipt, false),
            ExecuteError::Invoke { error, receipt, .. } => Self::invoke(&error, trace).with_call(&receipt, false),
            ExecuteError::Output { receipt, .. } => Self::new(Kind::INVALID_OUTPUT, detail).with_call(&receipt, false),
            ExecuteError::Listing(_) => Self::new(Kind::TOOLS_NOT_LISTED, detail),
            ExecuteError::Journal(_) | ExecuteError::Record(_) | ExecuteError::Random(_) => {
                Self::host_failure(&trace.trace_id_hex(), &error)
            }
        }
    }

    /// An approval can't be asked for, answered or used.
    pub(crate) fn approval(error: &ApprovalError, trace: &str) -> Self {
        match error {
            ApprovalError::Unknown { .. } => Self::new(Kind::UNKNOWN_APPROVAL, error.to_string()),
            ApprovalError::NothingToEdit { .. } => Self::invalid_member("/arguments", &error.to_string()),
            ApprovalError::Settled { .. } => Self::new(Kind::APPROVAL_SETTLED, error.to_string()),
            ApprovalError::TooMany { .. } => Self::after(Kind::TOO_MANY_APPROVALS, error.to_string(), RETRY_WHEN_FULL),
            ApprovalError::Unreadable { .. } | ApprovalError::Journal(_) | ApprovalError::Random(_) => {
                Self::host_failure(trace, error)
            }
        }
    }

    /// A grant can't be given, narrowed or taken back.
    pub(crate) fn grant(error: &GrantError, trace: &str) -> Self {
        let kind = match error {
            GrantError::NoSuchGrant(_) => Kind::UNKNOWN_GRANT,
            GrantError::OtherBytes { .. } | GrantError::SeveralGrants { .. } | GrantError::Changed(_) => {
                Kind::GRANT_CONFLICT
            }
            GrantError::Journal(_) | GrantError::Document { .. } => return Self::host_failure(trace, error),
            _ => Kind::INVALID_GRANT,
        };
        Self::new(kind, error.to_string())
    }

    /// A package can't be installed or removed. Its errors may name folders of the
    /// host, which is for administrators to see.
    pub(crate) fn install(error: &InstallError, trace: &str) -> Self {
        let kind = match error.class() {
            Class::Invalid => Kind::INVALID_PACKAGE,
            Class::Refused => Kind::PACKAGE_REFUSED,
            Class::Conflict => Kind::PACKAGE_CONFLICT,
            Class::Unavailable => Kind::SOURCE_UNAVAILABLE,
            Class::Lock => Kind::LOCK_UNAVAILABLE,
            Class::Unknown => Kind::UNKNOWN_PACKAGE,
            Class::Host => return Self::host_failure(trace, error),
        };
        Self::new(kind, error.to_string())
    }

    fn refused(refusal: &Refusal, trace: &TraceContext) -> Self {
        let kind = match refusal {
            Refusal::NoGrant { .. } => Kind::NOT_GRANTED,
            Refusal::Suspended { .. } => Kind::GRANT_SUSPENDED,
            Refusal::Expired { .. } => Kind::GRANT_EXPIRED,
            Refusal::UsedUp { .. } => Kind::GRANT_USED_UP,
            Refusal::ApprovalRequired { .. } => Kind::APPROVAL_REQUIRED,
            Refusal::Prompt { .. } => Kind::NO_TOOLS,
            // What is wrong with a grant names folders of the host.
            Refusal::GrantInvalid { skill, .. } => {
                log(refusal, trace);
                return Self::new(Kind::GRANT_INVALID, format!("the grant of `{skill}` can't be used"));
            }
            Refusal::GrantsUnreadable { .. } => {
                log(refusal, trace);
                return Self::new(Kind::GRANTS_UNAVAILABLE, "the host can't read its grants, so nothing is granted");
            }
        };
        Self::new(kind, refusal.to_string())
    }

    fn invoke(error: &InvokeError, trace: &TraceContext) -> Self {
        match error {
            InvokeError::Arguments { path, problem } => Self::invalid_arguments(path, problem),
            InvokeError::NoPermit | InvokeError::NotLoaded(_) | InvokeError::Host(_) => {
                Self::host_failure(&trace.trace_id_hex(), error)
            }
            InvokeError::Full => Self::after(Kind::SANDBOX_FULL, error.to_string(), RETRY_WHEN_FULL),
            InvokeError::Mount { .. } => Self::new(Kind::MOUNT_FAILED, error.to_string()),
            InvokeError::Deadline { .. } => Self::new(Kind::DEADLINE_EXCEEDED, error.to_string()),
            InvokeError::Fuel(_) => Self::new(Kind::FUEL_EXHAUSTED, error.to_string()),
            InvokeError::Memory(_) => Self::new(Kind::MEMORY_EXHAUSTED, error.to_string()),
            InvokeError::InputTooLarge(_) => Self::new(Kind::INPUT_TOO_LARGE, error.to_string()),
            InvokeError::Limit { .. } => Self::new(Kind::LIMIT_EXCEEDED, error.to_string()),
            InvokeError::OutputTooLarge(_) => Self::new(Kind::OUTPUT_TOO_LARGE, error.to_string()),
            InvokeError::Exit { .. } => Self::new(Kind::GUEST_EXITED, error.to_string()),
            InvokeError::Trap { .. } => Self::new(Kind::GUEST_TRAPPED, error.to_string()),
            InvokeError::InvalidOutput(_) => Self::new(Kind::INVALID_OUTPUT, error.to_string()),
        }
    }

    /// The kept answer of a call that failed, as it was given then.
    fn failed_before(code: &str, message: String) -> Self {
        let failure = match (Kind::of(code), code) {
            (_, "revoked") => Self::new(Kind::GRANT_REVOKED, message),
            (Some(kind), _) if kind.status < 500 || kind == Kind::DEADLINE_EXCEEDED => Self::new(kind, message),
            // The message is for the log, which got it then.
            _ => Self::new(Kind::HOST_FAILURE, "the host failed at the first request with this idempotency key"),
        };
        failure.with(|problem| problem.replayed = Some(true))
    }

    /// `path` points into the arguments, and the client's document is the whole body.
    fn invalid_arguments(path: &str, problem: &str) -> Self {
        let pointer = format!("/arguments{path}");
        Self::new(Kind::INVALID_ARGUMENTS, format!("{pointer}: {problem}")).at(pointer, problem.to_owned())
    }

    /// The same document with what ran.
    fn with_call(self, receipt: &Receipt, replayed: bool) -> Self {
        self.with(|problem| {
            problem.skill = Some(receipt.skill.to_string());
            problem.version = Some(receipt.version.to_string());
            problem.digest = Some(receipt.digest.to_string());
            problem.tool = Some(receipt.tool.clone());
            problem.usage = Some(convert::usage(&receipt.usage));
            problem.receipt = Some(convert::wire_receipt(receipt));
            problem.replayed = Some(replayed);
        })
    }
}

fn log(refusal: &Refusal, trace: &TraceContext) {
    tracing::warn!(trace_id = trace.trace_id_hex(), refusal = %refusal, "a call was refused for a fault of the grants");
}
