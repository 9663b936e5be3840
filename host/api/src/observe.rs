//! Calls on copies, for whoever decides what a skill may touch.

use axum::extract::State;
use axum::response::Response;
use bailiwick_domain::invocation::Principal;
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::grants::NewGrant;
use bailiwick_skills::observe::{ObserveCall, ObserveError, ObserveRequest};
use bailiwick_wire as wire;
use bailiwick_wire::skill::SelectorPath;

use crate::answer;
use crate::auth::caller::{Admin, Allowed};
use crate::body::JsonBody;
use crate::convert;
use crate::extract::{NoQuery, SkillPath, Trace};
use crate::openapi::ObserveProblems;
use crate::problem::{Failure, Kind};
use crate::state::ApiState;

/// Observe a skill
///
/// Runs calls on copies of the folders in `within` and on a state that is gone
/// afterwards, within those bounds and whatever the manifest asks for, and answers
/// the smallest permissions and the smallest grant that let them do what they did.
/// The grant is never wider than `within`. Requests are sent, if the bounds let them.
#[utoipa::path(
    post,
    path = "/v1/skills/{namespace}/{name}/observe",
    operation_id = "observeSkill",
    tag = "grants",
    security(("key" = ["admin"])),
    params(SelectorPath),
    request_body = wire::observe::ObserveRequest,
    responses((status = 200, description = "What was observed.", body = wire::observe::Observed), ObserveProblems)
)]
pub(crate) async fn observe(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    path: SkillPath,
    _: NoQuery,
    body: JsonBody<wire::observe::ObserveRequest>,
) -> Result<Response, Failure> {
    let request = request(path, body.value, caller.0, trace)?;
    let observed = state.executor().observe(request).await.map_err(|error| failure(error, &trace))?;
    answer::json(&convert::observed(observed, &trace)?)
}

fn request(
    path: SkillPath,
    request: wire::observe::ObserveRequest,
    principal: Principal,
    trace: TraceContext,
) -> Result<ObserveRequest, Failure> {
    let skill = path.select(None)?;
    let (digest, within) = NewGrant::from_json(&skill.id, &principal.name, request.within)
        .map_err(|problem| Failure::invalid_member("/within", &problem))?;
    let call = |call: wire::observe::ObserveCall| ObserveCall { tool: call.tool, arguments: call.arguments.into() };
    let calls = request.calls.into_iter().map(call).collect();
    Ok(ObserveRequest { skill, digest, calls, within, principal, trace })
}

fn failure(error: ObserveError, trace: &TraceContext) -> Failure {
    match error {
        ObserveError::Calls { .. } => Failure::invalid_member("/calls", &error.to_string()),
        ObserveError::Commands => Failure::invalid_member("/within/shell", &error.to_string()),
        ObserveError::Folder(problem) => Failure::new(Kind::INVALID_GRANT, problem),
        ObserveError::Execute(error) => Failure::execute(error, trace),
        ObserveError::Bounds(error) => Failure::grant(&error, &trace.trace_id_hex()),
        ObserveError::Journal(_) | ObserveError::Host(_) => Failure::host_failure(&trace.trace_id_hex(), &error),
    }
}
