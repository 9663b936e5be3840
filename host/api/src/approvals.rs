//! Calls that a person has to approve.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use bailiwick_skills::approvals::{Answer as Said, Approval, State as Stands, Uses};
use bailiwick_wire::approval::{self as wire, AnswerRequest, ApprovalState, ApprovalUses, Approvals, ApprovalsQuery};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use crate::answer;
use crate::auth::caller::{Allowed, Answer};
use crate::body::JsonBody;
use crate::extract::{NoQuery, Query, Trace};
use crate::openapi::ApprovalProblems;
use crate::problem::{Failure, Kind};
use crate::runs::control::check_reason;
use crate::state::ApiState;
use crate::time;

/// Approvals in one answer.
const MAX_LISTED: usize = 1000;

/// How long to listen before looking whether the host goes down.
const LISTEN: Duration = Duration::from_millis(500);

/// So often in a row without news, and something is sent to keep the connection up.
const KEEP_ALIVE_AFTER: u32 = 30;

/// List approvals
///
/// What waits for an answer, and what was answered in the last 30 days.
#[utoipa::path(
    get,
    path = "/v1/approvals",
    operation_id = "listApprovals",
    tag = "approvals",
    security(("key" = ["approvals:answer"])),
    params(ApprovalsQuery),
    responses((status = 200, description = "The approvals, the newest first.", body = Approvals), ApprovalProblems)
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Allowed<Answer>,
    Query(query): Query<ApprovalsQuery>,
) -> Result<Response, Failure> {
    let all = state.executor().approvals().list();
    let described = all.iter().rev().map(describe).filter(|it| query.state.is_none_or(|state| it.state == state));
    answer::json(&Approvals { approvals: described.take(MAX_LISTED).collect() })
}

/// Show an approval
///
/// The call with its arguments, and how the approval stands.
#[utoipa::path(
    get,
    path = "/v1/approvals/{id}",
    operation_id = "showApproval",
    tag = "approvals",
    security(("key" = ["approvals:answer"])),
    params(("id" = String, Path, description = "The id of the approval.")),
    responses((status = 200, description = "The approval.", body = wire::Approval), ApprovalProblems)
)]
pub(crate) async fn show(
    State(state): State<ApiState>,
    _: Allowed<Answer>,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Failure> {
    match state.executor().approvals().get(&id) {
        Some(approval) => answer::json(&describe(&approval)),
        None => Err(Failure::new(Kind::UNKNOWN_APPROVAL, "no approval has this id")),
    }
}

/// Answer an approval
///
/// Approves or denies the call. Edited arguments make it another call, with a hash of
/// its own, which the caller's next try is made with.
#[utoipa::path(
    post,
    path = "/v1/approvals/{id}/answer",
    operation_id = "answerApproval",
    tag = "approvals",
    security(("key" = ["approvals:answer"])),
    params(("id" = String, Path, description = "The id of the approval.")),
    request_body = AnswerRequest,
    responses((status = 200, description = "The approval as it stands now.", body = wire::Approval), ApprovalProblems)
)]
pub(crate) async fn answer(
    State(state): State<ApiState>,
    caller: Allowed<Answer>,
    Trace(trace): Trace,
    Path(id): Path<String>,
    _: NoQuery,
    body: JsonBody<AnswerRequest>,
) -> Result<Response, Failure> {
    let AnswerRequest { decision, reason, arguments, uses } = body.value;
    check_reason(reason.as_deref())?;
    let said = match decision {
        wire::Decision::Approve => Said::Approve {
            uses: match uses.unwrap_or_default() {
                ApprovalUses::Once => Uses::Once,
                ApprovalUses::UntilExpiry => Uses::UntilExpiry,
            },
            arguments: arguments.map(Value::Object),
            reason,
        },
        wire::Decision::Deny if arguments.is_some() => {
            return Err(Failure::invalid_member("/arguments", "only an approval can have arguments"));
        }
        wire::Decision::Deny if uses.is_some() => {
            return Err(Failure::invalid_member("/uses", "only an approval can say how often it holds"));
        }
        wire::Decision::Deny => Said::Deny { reason },
    };
    let answered = state.executor().approvals().answer(&id, said, &caller.0.name).await;
    let approval = answered.map_err(|error| Failure::approval(&error, &trace.trace_id_hex()))?;
    answer::json(&describe(&approval))
}

/// Follow approvals
///
/// Server-sent events: `approval-pending`, `approval-approved`, `approval-denied`,
/// `approval-used` and `approval-withdrawn`, each with the approval as it stands then.
#[utoipa::path(
    get,
    path = "/v1/approvals/events",
    operation_id = "followApprovals",
    tag = "approvals",
    security(("key" = ["approvals:answer"])),
    responses((status = 200, description = "Events.", content_type = "text/event-stream", body = String), ApprovalProblems)
)]
pub(crate) async fn events(State(state): State<ApiState>, _: Allowed<Answer>, _: NoQuery) -> Response {
    let changes = state.executor().approvals().subscribe();
    let stopping = state.ready().clone();
    let stream = futures::stream::unfold((changes, stopping), |(mut changes, ready)| async move {
        // A host that goes down lets its listeners go.
        for quiet in 0_u32.. {
            if !ready.is_set() {
                break;
            }
            match tokio::time::timeout(LISTEN, changes.recv()).await {
                Err(_) if quiet >= KEEP_ALIVE_AFTER => {
                    return Some((Ok(Event::default().comment("nothing new")), (changes, ready)));
                }
                Err(_) | Ok(Err(RecvError::Lagged(_))) => {}
                Ok(Err(RecvError::Closed)) => break,
                Ok(Ok(approval)) => return Some((Ok::<_, Infallible>(event(&approval)), (changes, ready))),
            }
        }
        None
    });
    Sse::new(stream).into_response()
}

fn event(approval: &Approval) -> Event {
    let described = describe(approval);
    let text = serde_json::to_string(&described).unwrap_or_default();
    Event::default().event(format!("approval-{}", approval.state)).data(text)
}

/// The approval as it is told.
pub(crate) fn describe(approval: &Approval) -> wire::Approval {
    wire::Approval {
        id: approval.id.clone(),
        state: match approval.state {
            Stands::Pending => ApprovalState::Pending,
            Stands::Approved => ApprovalState::Approved,
            Stands::Denied => ApprovalState::Denied,
            Stands::Used => ApprovalState::Used,
            Stands::Expired => ApprovalState::Expired,
            Stands::Withdrawn => ApprovalState::Withdrawn,
        },
        requested_at: time::format_millis(approval.requested_at),
        expires_at: time::format_millis(approval.expires_at),
        principal: approval.principal.clone(),
        trace_id: approval.trace_id.clone(),
        skill: approval.skill.to_string(),
        version: approval.version.clone(),
        digest: approval.digest.to_string(),
        tool: approval.tool.clone(),
        summary: approval.summary.clone(),
        arguments: approval.arguments.clone(),
        arguments_digest: approval.binding().to_string(),
        edited_arguments: approval.edited.as_ref().map(|edited| edited.arguments.clone()),
        grant: approval.grant.to_string(),
        tags: approval.tags.clone(),
        uses: match approval.uses {
            Uses::Once => ApprovalUses::Once,
            Uses::UntilExpiry => ApprovalUses::UntilExpiry,
        },
        decided_by: approval.decided_by.clone(),
        decided_at: approval.decided_at.map(time::format_millis),
        reason: approval.reason.clone(),
    }
}
