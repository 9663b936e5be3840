//! Calls that a person has to approve.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// How an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalState {
    /// Nobody has answered.
    Pending,
    /// The call may be made.
    Approved,
    /// The call may not be made.
    Denied,
    /// The call was begun.
    Used,
    /// Nobody answered in time, or nobody made the call in time.
    Expired,
    /// The run that asked needs no answer any more.
    Withdrawn,
}

/// How often an approval holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalUses {
    /// For one call.
    #[default]
    Once,
    /// For every call with the same arguments until it expires.
    UntilExpiry,
}

/// A call that waits for a person, and what became of it. It is bound to the bytes,
/// the arguments and the grant: none of them can change under it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "apr_0006611d2a3c41f09c21",
    "state": "pending",
    "requested_at": "2026-11-20T11:00:00.000Z",
    "expires_at": "2026-11-20T12:00:00.000Z",
    "principal": "key:ci",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "skill": "acme/mailer",
    "version": "1.0.0",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "tool": "send",
    "arguments": { "to": "ada@example.com" },
    "arguments_digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "grant": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "tags": ["external_side_effect"],
    "uses": "once"
})))]
pub struct Approval {
    /// Its name.
    pub id: String,
    /// How it stands.
    pub state: ApprovalState,
    /// When it was asked.
    #[schema(format = DateTime)]
    pub requested_at: String,
    /// From when on it counts for nothing.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// Who wants to make the call.
    pub principal: String,
    /// The trace of the call that asked.
    pub trace_id: String,
    /// The skill.
    pub skill: String,
    /// Its release.
    pub version: String,
    /// The bytes that would run.
    pub digest: String,
    /// The tool.
    pub tool: String,
    /// What a running skill asks, in one line. Left out where a call is to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it would be called with, or what a person should know for an answer.
    pub arguments: Value,
    /// sha256 of the arguments that may run, in canonical form.
    pub arguments_digest: String,
    /// What the person put in place of the arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_arguments: Option<Value>,
    /// The fingerprint of the grant that the call rests on.
    pub grant: String,
    /// The risks that make it a question.
    pub tags: Vec<String>,
    /// How often it holds.
    pub uses: ApprovalUses,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub decided_at: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The approvals that were asked for, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "approvals": [] })))]
pub struct Approvals {
    /// At most 1000.
    pub approvals: Vec<Approval>,
}

/// Which approvals to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApprovalsQuery {
    /// Only those that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub state: Option<ApprovalState>,
}

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The call may be made.
    Approve,
    /// The call may not be made.
    Deny,
}

/// A person's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "decision": "approve" }), json!({ "decision": "deny", "reason": "wrong address" })))]
pub struct AnswerRequest {
    /// Yes or no.
    pub decision: Decision,
    /// Why: at most 1000 characters. It is shown to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
    /// With `approve`: what the call is made with in place of its own arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub arguments: Option<serde_json::Map<String, Value>>,
    /// With `approve`: how often it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<ApprovalUses>,
}
