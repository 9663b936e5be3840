//! The records, as text. Members stand in a fixed order, so that equal records
//! are equal byte for byte.

use std::time::SystemTime;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::Grant;
use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::model::Usd;
use bailiwick_domain::receipt::{Denial, Receipt};
use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::usage::Usage;
use serde::Serialize;

use crate::approvals::Approval;
use crate::observe::ObserveRequest;
use crate::policy::{Basis, Refusal};
use crate::skill::Skill;

/// A moment as records have it: RFC 3339 in UTC, with microseconds.
pub fn moment(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

#[derive(Serialize)]
struct CallRecord<'a> {
    at: String,
    kind: &'static str,
    receipt: &'a str,
    started_at: String,
    principal: &'a str,
    /// The receipt of the call that made this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    /// The step of a run that made this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    trace_id: &'a str,
    skill: &'a str,
    version: String,
    digest: Digest,
    tool: &'a str,
    arguments: Digest,
    permit: &'a Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a str>,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    denials: Vec<DenialRecord<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used: Vec<&'a str>,
    usage: UsageRecord,
}

#[derive(Serialize)]
struct DenialRecord<'a> {
    capability: &'a str,
    request: &'a str,
    reason: &'a str,
}

impl<'a> From<&'a Denial> for DenialRecord<'a> {
    fn from(denial: &'a Denial) -> Self {
        Self { capability: denial.capability, request: &denial.request, reason: &denial.reason }
    }
}

#[derive(Serialize)]
struct UsageRecord {
    wall_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
    memory_bytes: u64,
    host_calls: u64,
    #[serde(skip_serializing_if = "is_zero")]
    skill_calls: u64,
    #[serde(skip_serializing_if = "is_zero")]
    model_calls: u64,
    #[serde(skip_serializing_if = "is_zero")]
    model_input_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    model_output_tokens: u64,
    /// US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    model_usd: Option<f64>,
    input_bytes: u64,
    output_bytes: u64,
    http_sent_bytes: u64,
    http_received_bytes: u64,
    fs_written_bytes: u64,
    fs_made_files: u64,
    log_bytes: u64,
    random_bytes: u64,
}

impl From<&Usage> for UsageRecord {
    fn from(usage: &Usage) -> Self {
        Self {
            wall_us: u64::try_from(usage.wall.as_micros()).unwrap_or(u64::MAX),
            fuel: usage.fuel,
            memory_bytes: usage.memory_bytes,
            host_calls: usage.host_calls,
            skill_calls: usage.skill_calls,
            model_calls: usage.model_calls,
            model_input_tokens: usage.model_input_tokens,
            model_output_tokens: usage.model_output_tokens,
            model_usd: (usage.model_usd > Usd::ZERO).then(|| usage.model_usd.dollars()),
            input_bytes: usage.input_bytes,
            output_bytes: usage.output_bytes,
            http_sent_bytes: usage.http_sent_bytes,
            http_received_bytes: usage.http_received_bytes,
            fs_written_bytes: usage.fs_written_bytes,
            fs_made_files: usage.fs_made_files,
            log_bytes: usage.log_bytes,
            random_bytes: usage.random_bytes,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How a call ended.
pub(super) fn call(at: SystemTime, receipt: &Receipt, permit: &Digest, approval: Option<&str>) -> String {
    text(&CallRecord {
        at: moment(at),
        kind: "call",
        receipt: &receipt.id,
        started_at: moment(receipt.started_at),
        principal: &receipt.principal,
        caller: receipt.caller.as_deref(),
        run: receipt.run.as_deref(),
        trace_id: &receipt.trace_id,
        skill: receipt.skill.as_str(),
        version: receipt.version.to_string(),
        digest: receipt.digest,
        tool: &receipt.tool,
        arguments: receipt.arguments,
        permit,
        approval,
        outcome: receipt.outcome,
        denials: receipt.denials.iter().map(DenialRecord::from).collect(),
        used: receipt.used.iter().map(String::as_str).collect(),
        usage: UsageRecord::from(&receipt.usage),
    })
}

#[derive(Serialize)]
struct PermitRecord<'a> {
    at: String,
    kind: &'static str,
    permit: &'a Digest,
    content: &'a serde_json::value::RawValue,
}

/// What calls under a permit may do, and why.
pub(super) fn permit(at: SystemTime, basis: &Basis) -> String {
    text(&PermitRecord { at: moment(at), kind: "permit", permit: &basis.id, content: &basis.content })
}

#[derive(Serialize)]
struct RefusalRecord<'a> {
    at: String,
    kind: &'static str,
    principal: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    trace_id: String,
    skill: &'a str,
    version: String,
    digest: Digest,
    tool: &'a str,
    arguments: Digest,
    outcome: &'a str,
    reason: String,
}

/// A call that policy refused, so that nothing ran.
pub(super) fn refusal(
    at: SystemTime,
    invocation: &Invocation,
    skill: &Skill,
    tool: &str,
    arguments: Digest,
    refusal: &Refusal,
) -> String {
    text(&RefusalRecord {
        at: moment(at),
        kind: "refusal",
        principal: &invocation.principal.name,
        caller: invocation.caller.as_ref().map(|caller| caller.receipt.as_str()),
        trace_id: invocation.trace.trace_id_hex(),
        skill: skill.manifest.id.as_str(),
        version: skill.manifest.version.to_string(),
        digest: skill.digest,
        tool,
        arguments,
        outcome: refusal.code(),
        reason: refusal.to_string(),
    })
}

#[derive(Serialize)]
struct GrantRecord<'a> {
    at: String,
    kind: &'static str,
    principal: &'a str,
    skill: &'a str,
    digest: Digest,
    grant: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a serde_json::value::RawValue>,
}

/// A grant that was given, narrowed or taken back. Only what now holds has a content.
pub(crate) fn grant(
    at: SystemTime,
    kind: &'static str,
    principal: &str,
    grant: &Grant,
    fingerprint: Digest,
    content: Option<&serde_json::value::RawValue>,
) -> String {
    let skill = grant.skill.as_str();
    text(&GrantRecord { at: moment(at), kind, principal, skill, digest: grant.digest, grant: fingerprint, content })
}

#[derive(Serialize)]
struct ApprovalRecord<'a> {
    at: String,
    kind: &'static str,
    principal: &'a str,
    approval: &'a str,
    asked_by: &'a str,
    trace_id: &'a str,
    skill: &'a str,
    digest: Digest,
    tool: &'a str,
    arguments: Digest,
    grant: Digest,
    tags: &'a [String],
    /// What a running skill asks; absent where a call is to be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// A step in the life of an approval.
pub(crate) fn approval(at: SystemTime, kind: &'static str, principal: &str, approval: &Approval) -> String {
    text(&ApprovalRecord {
        at: moment(at),
        kind,
        principal,
        approval: &approval.id,
        asked_by: &approval.principal,
        trace_id: &approval.trace_id,
        skill: approval.skill.as_str(),
        digest: approval.digest,
        tool: &approval.tool,
        arguments: approval.binding(),
        grant: approval.grant,
        tags: &approval.tags,
        summary: approval.summary.as_deref(),
        reason: approval.reason.as_deref(),
    })
}

/// Who observes what.
pub(crate) struct Observed {
    principal: String,
    trace_id: String,
    skill: SkillId,
    version: String,
    digest: Digest,
    /// What was asked for: each call's tool, and the digest of its arguments.
    planned: Vec<(String, Digest)>,
}

impl Observed {
    pub(crate) fn new(request: &ObserveRequest, skill: &Skill, planned: Vec<(String, Digest)>) -> Self {
        Self {
            principal: request.principal.name.to_string(),
            trace_id: request.trace.trace_id_hex(),
            skill: skill.manifest.id.clone(),
            version: skill.manifest.version.to_string(),
            digest: skill.digest,
            planned,
        }
    }
}

/// One call that was observed.
pub(crate) struct ObservedCallRecord {
    pub(crate) tool: String,
    pub(crate) arguments: Digest,
    pub(crate) outcome: &'static str,
    pub(crate) denials: Vec<Denial>,
    pub(crate) used: Vec<String>,
}

#[derive(Serialize)]
struct ObservationRecord<'a> {
    at: String,
    kind: &'static str,
    principal: &'a str,
    trace_id: &'a str,
    skill: &'a str,
    version: &'a str,
    digest: Digest,
    calls: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    planned: Vec<PlannedCallContent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observed: Vec<ObservedCallContent<'a>>,
}

#[derive(Serialize)]
struct PlannedCallContent<'a> {
    tool: &'a str,
    arguments: Digest,
}

#[derive(Serialize)]
struct ObservedCallContent<'a> {
    tool: &'a str,
    arguments: Digest,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    denials: Vec<DenialRecord<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used: Vec<&'a str>,
}

impl<'a> From<&'a ObservedCallRecord> for ObservedCallContent<'a> {
    fn from(call: &'a ObservedCallRecord) -> Self {
        Self {
            tool: &call.tool,
            arguments: call.arguments,
            outcome: call.outcome,
            denials: call.denials.iter().map(DenialRecord::from).collect(),
            used: call.used.iter().map(String::as_str).collect(),
        }
    }
}

/// Calls that will be observed, and the bounds that they will be observed in.
pub(super) fn observation_begun(at: SystemTime, about: &Observed, within: &serde_json::Value) -> String {
    let planned = about.planned.iter();
    let planned = planned.map(|(tool, arguments)| PlannedCallContent { tool, arguments: *arguments }).collect();
    text(&ObservationRecord { within: Some(within), planned, ..observation(at, "observation-begun", about) })
}

/// How it ended, and what the calls did. What they touched, in full, is for whoever observes.
pub(super) fn observation_ended(
    at: SystemTime,
    about: &Observed,
    outcome: &str,
    calls: &[ObservedCallRecord],
) -> String {
    let observed = calls.iter().map(ObservedCallContent::from).collect();
    text(&ObservationRecord { outcome: Some(outcome), observed, ..observation(at, "observation-ended", about) })
}

fn observation<'a>(at: SystemTime, kind: &'static str, about: &'a Observed) -> ObservationRecord<'a> {
    ObservationRecord {
        at: moment(at),
        kind,
        principal: &about.principal,
        trace_id: &about.trace_id,
        skill: about.skill.as_str(),
        version: &about.version,
        digest: about.digest,
        calls: about.planned.len(),
        within: None,
        planned: Vec::new(),
        outcome: None,
        observed: Vec::new(),
    }
}

/// Nothing here has keys that are not text, so writing can't fail.
pub(super) fn text(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_else(|error| format!("{{\"kind\":\"unwritable\",\"error\":\"{error}\"}}"))
}
