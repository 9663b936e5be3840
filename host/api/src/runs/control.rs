//! What people tell runs.

use axum::extract::{Path, State};
use axum::response::Response;
use bailiwick_agents::{ControlError, KillSwitch};
use bailiwick_domain::run::{Budget, RunId, Status};
use bailiwick_domain::skill_id::InvalidSkillId;
use bailiwick_domain::trace::TraceContext;
use bailiwick_wire::approval::Decision;
use bailiwick_wire::run::{
    CancelRequest, CancelRunsRequest, CancelledRuns, HandoffAnswer, ResumeRequest, RetryRequest, RunBudgetRequest,
    RunStanding, TaskAnswer,
};

use super::{blocking, convert};
use crate::answer;
use crate::auth::caller::{Admin, Allowed, Answer, SubmitRuns};
use crate::body::{JsonBody, OptionalBody};
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
    check_reason(reason.as_deref())?;
    let stands = state.runs().cancel(&id, &caller.0.name, reason).await;
    standing(&id, stands, &trace)
}

/// Cancel many runs
///
/// The kill switch: ends every open run, or those of an agent, or those that may call a
/// skill. What is under way ends too.
#[utoipa::path(
    post,
    path = "/v1/agents/runs/cancel",
    operation_id = "cancelRuns",
    tag = "runs",
    security(("key" = ["admin"])),
    request_body = CancelRunsRequest,
    responses((status = 200, description = "The runs that were ended.", body = CancelledRuns), ControlProblems)
)]
pub(crate) async fn cancel_many(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    _: NoQuery,
    body: JsonBody<CancelRunsRequest>,
) -> Result<Response, Failure> {
    let CancelRunsRequest { all, agent, skill, reason } = body.value;
    check_reason(reason.as_deref())?;
    let which = match (all, agent, skill) {
        (true, None, None) => KillSwitch::All,
        (false, Some(agent), None) => KillSwitch::Agent(agent),
        (false, None, Some(skill)) => {
            let id =
                skill.parse().map_err(|error: InvalidSkillId| Failure::invalid_member("/skill", &error.to_string()));
            KillSwitch::Skill(id?)
        }
        _ => return Err(Failure::invalid_member("", "expected exactly one of `all`, `agent` and `skill`")),
    };
    let ended = state.runs().cancel_all(&which, &caller.0.name, reason).await;
    let ended = ended.map_err(|error| Failure::control(&error, &trace))?;
    answer::json(&CancelledRuns { cancelled: ended.iter().map(ToString::to_string).collect() })
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

/// Answer a handoff
///
/// Says whether another agent takes over, which may call what the giver may not.
#[utoipa::path(
    post,
    path = "/v1/agents/runs/{id}/handoffs/{number}/answer",
    operation_id = "answerHandoff",
    tag = "runs",
    security(("key" = ["approvals:answer"])),
    params(
        ("id" = String, Path, description = "The id of the run."),
        ("number" = u32, Path, description = "The number of the handoff, counted from 0."),
    ),
    request_body = HandoffAnswer,
    responses((status = 200, description = "Where the run stands now.", body = RunStanding), ControlProblems)
)]
pub(crate) async fn answer_handoff(
    State(state): State<ApiState>,
    caller: Allowed<Answer>,
    Trace(trace): Trace,
    Path((id, number)): Path<(String, String)>,
    _: NoQuery,
    body: JsonBody<HandoffAnswer>,
) -> Result<Response, Failure> {
    let id: RunId = id.parse().map_err(|_| Failure::no_run())?;
    let number: u32 = number.parse().map_err(|error| Failure::invalid_path(&error))?;
    let HandoffAnswer { decision, reason } = body.value;
    check_reason(reason.as_deref())?;
    let approved = decision == Decision::Approve;
    let stands = state.runs().answer_handoff(&id, number, &caller.0.name, approved, reason).await;
    standing(&id, stands, &trace)
}

/// Answer for a failed task
///
/// Says whether a task is tried once more that failed, and whose agent asks a person then.
#[utoipa::path(
    post,
    path = "/v1/agents/runs/{id}/tasks/{task}/answer",
    operation_id = "answerTask",
    tag = "runs",
    security(("key" = ["approvals:answer"])),
    params(
        ("id" = String, Path, description = "The id of the run."),
        ("task" = u32, Path, description = "The number of the task, counted from 0."),
    ),
    request_body = TaskAnswer,
    responses((status = 200, description = "Where the run stands now.", body = RunStanding), ControlProblems)
)]
pub(crate) async fn answer_task(
    State(state): State<ApiState>,
    caller: Allowed<Answer>,
    Trace(trace): Trace,
    Path((id, task)): Path<(String, String)>,
    _: NoQuery,
    body: JsonBody<TaskAnswer>,
) -> Result<Response, Failure> {
    let id: RunId = id.parse().map_err(|_| Failure::no_run())?;
    let task: u32 = task.parse().map_err(|error| Failure::invalid_path(&error))?;
    let TaskAnswer { decision, reason } = body.value;
    check_reason(reason.as_deref())?;
    let again = decision == Decision::Approve;
    let stands = state.runs().answer_task(&id, task, &caller.0.name, again, reason).await;
    standing(&id, stands, &trace)
}

/// Refuses a reason that is too long to be one.
pub(crate) fn check_reason(reason: Option<&str>) -> Result<(), Failure> {
    match reason {
        Some(reason) if reason.chars().count() > MAX_REASON => {
            Err(Failure::invalid_member("/reason", &format!("expected at most {MAX_REASON} characters")))
        }
        _ => Ok(()),
    }
}

/// The budget that the run had, with what is asked for in its place.
async fn renewed(state: &ApiState, trace: TraceContext, id: RunId, asked: RunBudgetRequest) -> Result<Budget, Failure> {
    blocking(state, trace, move |runs| {
        let run = runs.run(&id).map_err(|error| Failure::control(&error, &trace))?;
        let budget = convert::renewed(asked, &run.spec.budget)?;
        runs.budget(&budget, &run.spec.strategy).map_err(|error| Failure::submit(&error, &trace))
    })
    .await
}

fn standing(id: &RunId, stands: Result<Status, ControlError>, trace: &TraceContext) -> Result<Response, Failure> {
    let status = stands.map_err(|error| Failure::control(&error, trace))?;
    answer::json(&RunStanding { id: id.to_string(), status: convert::status(status) })
}
