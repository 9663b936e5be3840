//! What people tell runs.

use axum::extract::State;
use axum::response::Response;
use bailiwick_agents::ControlError;
use bailiwick_domain::run::{Budget, RunId, Status};
use bailiwick_domain::trace::TraceContext;
use bailiwick_wire::run::{CancelRequest, ResumeRequest, RetryRequest, RunBudgetRequest, RunStanding};

use super::{blocking, convert};
use crate::answer;
use crate::auth::caller::{Allowed, SubmitRuns};
use crate::body::OptionalBody;
use crate::extract::{NoQuery, RunPath, Trace};
use crate::openapi::ControlProblems;
use crate::problem::Failure;
use crate::state::ApiState;

/// Characters of a reason: a few sentences.
const MAX_REASON: usize = 1000;

/// Cancel a run
///
/// Ends it for good, what is under way included.
#[utoipa::path(
    post,
    path = "/v1/agents/runs/{id}/cancel",
    operation_id = "cancelRun",
    tag = "runs",
    security(("key" = ["runs:submit"])),
    params(("id" = String, Path, description = "The id of the run.")),
    request_body = Option<CancelRequest>,
    responses((status = 200, description = "Where the run stands now.", body = RunStanding), ControlProblems)
)]
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    caller: Allowed<SubmitRuns>,
    Trace(trace): Trace,
    RunPath(id): RunPath,
    _: NoQuery,
    body: OptionalBody<CancelRequest>,
) -> Result<Response, Failure> {
    let reason = body.value.reason;
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > MAX_REASON) {
        return Err(Failure::invalid_member("/reason", &format!("expected at most {MAX_REASON} characters")));
    }
    let stands = state.runs().cancel(&id, &caller.0.name, reason).await;
    standing(&id, stands, &trace)
}

/// Pause a run
///
/// Lets nothing new begin in it. What is under way comes to its end.
#[utoipa::path(
    post,
    path = "/v1/agents/runs/{id}/pause",
    operation_id = "pauseRun",
    tag = "runs",
    security(("key" = ["runs:submit"])),
    params(("id" = String, Path, description = "The id of the run.")),
    responses((status = 200, description = "Where the run stands now.", body = RunStanding), ControlProblems)
)]
pub(crate) async fn pause(
    State(state): State<ApiState>,
    caller: Allowed<SubmitRuns>,
    Trace(trace): Trace,
    RunPath(id): RunPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    let stands = state.runs().pause(&id, &caller.0.name).await;
    standing(&id, stands, &trace)
}

/// Resume a run
///
/// Lets a run go on that was paused, or that the host's stop cut off in calls that can't
/// simply be made again. Without `repeat` their model is told that nobody knows what
/// came of them.
#[utoipa::path(
    post,
    path = "/v1/agents/runs/{id}/resume",
    operation_id = "resumeRun",
    tag = "runs",
    security(("key" = ["runs:submit"])),
    params(("id" = String, Path, description = "The id of the run.")),
    request_body = Option<ResumeRequest>,
    responses((status = 200, description = "Where the run stands now.", body = RunStanding), ControlProblems)
)]
pub(crate) async fn resume(
    State(state): State<ApiState>,
    caller: Allowed<SubmitRuns>,
    Trace(trace): Trace,
    RunPath(id): RunPath,
    _: NoQuery,
    body: OptionalBody<ResumeRequest>,
) -> Result<Response, Failure> {
    let stands = state.runs().resume(&id, &caller.0.name, body.value.repeat).await;
    standing(&id, stands, &trace)
}

/// Retry a run
///
/// Has a failed run tried again from where it failed. What it took counts on, so that a
/// run which used up its budget needs a larger one: members of `budget` that are left out
/// stay as they were.
#[utoipa::path(
    post,
    path = "/v1/agents/runs/{id}/retry",
    operation_id = "retryRun",
    tag = "runs",
    security(("key" = ["runs:submit"])),
    params(("id" = String, Path, description = "The id of the run.")),
    request_body = Option<RetryRequest>,
    responses((status = 200, description = "Where the run stands now.", body = RunStanding), ControlProblems)
)]
pub(crate) async fn retry(
    State(state): State<ApiState>,
    caller: Allowed<SubmitRuns>,
    Trace(trace): Trace,
    RunPath(id): RunPath,
    _: NoQuery,
    body: OptionalBody<RetryRequest>,
) -> Result<Response, Failure> {
    let budget = match body.value.budget {
        None => None,
        Some(asked) => Some(renewed(&state, trace, id.clone(), asked).await?),
    };
    let stands = state.runs().retry(&id, &caller.0.name, budget).await;
    standing(&id, stands, &trace)
}

/// The budget that the run had, with what is asked for in its place.
async fn renewed(state: &ApiState, trace: TraceContext, id: RunId, asked: RunBudgetRequest) -> Result<Budget, Failure> {
    blocking(state, trace, move |runs| {
        let run = runs.run(&id).map_err(|error| Failure::control(&error, &trace))?;
        let budget = convert::renewed(asked, &run.spec.budget)?;
        budget.within(runs.options()).map_err(|error| Failure::submit(&error, &trace))
    })
    .await
}

fn standing(id: &RunId, stands: Result<Status, ControlError>, trace: &TraceContext) -> Result<Response, Failure> {
    let status = stands.map_err(|error| Failure::control(&error, trace))?;
    answer::json(&RunStanding { id: id.to_string(), status: convert::status(status) })
}
