//! Runs of agents. Whoever may see runs sees those of all principals, as with the audit
//! chain; the same holds for whoever may control them.

pub(crate) mod control;
pub(crate) mod convert;
pub(crate) mod events;
pub(crate) mod graph;
pub(crate) mod steps;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bailiwick_agents::{Runtime, Submitted};
use bailiwick_domain::run::RunId;
use bailiwick_domain::trace::TraceContext;
use bailiwick_wire::run::{Run, RunHeaders, RunPage, RunRequest, RunsQuery};

use crate::answer;
use crate::auth::caller::{Allowed, ReadRuns, SubmitRuns};
use crate::body::JsonBody;
use crate::extract::{IdempotencyKey, NoQuery, Query, RunPath, Trace, TraceState};
use crate::openapi::{RunProblems, SubmitProblems};
use crate::problem::Failure;
use crate::state::ApiState;

/// Runs on a page where the query doesn't say.
const DEFAULT_LIMIT: u16 = 50;

/// Runs on a page at the most.
const MAX_LIMIT: u16 = 200;

/// Submit a run
///
/// Takes a run up, and answers as soon as that is kept: the run goes on by itself,
/// whatever becomes of the client and of the host. With an `Idempotency-Key`, a request
/// that is sent again submits nothing again: it gets the run of the first.
#[utoipa::path(
    post,
    path = "/v1/agents/runs",
    operation_id = "submitRun",
    tag = "runs",
    security(("key" = ["runs:submit"])),
    params(RunHeaders),
    request_body = RunRequest,
    responses(
        (
            status = 202,
            description = "The run was taken up.",
            body = Run,
            headers(("Location" = String, description = "Where the run is seen."))
        ),
        (status = 200, description = "The run that an earlier request with this key submitted.", body = Run),
        SubmitProblems,
    )
)]
pub(crate) async fn submit(
    State(state): State<ApiState>,
    caller: Allowed<SubmitRuns>,
    Trace(trace): Trace,
    TraceState(trace_state): TraceState,
    IdempotencyKey(key): IdempotencyKey,
    _: NoQuery,
    body: JsonBody<RunRequest>,
) -> Result<Response, Failure> {
    let by = convert::Submitter { principal: caller.0, trace, trace_state, idempotency_key: key };
    let submission = convert::submission(body.value, state.runs().agents(), by)?;
    let submitted = state.runs().submit(submission).await;
    let Submitted { id, replayed } = submitted.map_err(|error| Failure::submit(&error, &trace))?;
    let run = view(&state, trace, id).await?;
    if replayed { answer::json(&run) } else { answer::accepted(&format!("/v1/agents/runs/{}", run.id), &run) }
}

/// List runs
///
/// Runs of all principals, the newest first, page by page.
#[utoipa::path(
    get,
    path = "/v1/agents/runs",
    operation_id = "listRuns",
    tag = "runs",
    security(("key" = ["runs:read"])),
    params(RunsQuery),
    responses((status = 200, description = "One page of runs.", body = RunPage), RunProblems)
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Allowed<ReadRuns>,
    Trace(trace): Trace,
    Query(query): Query<RunsQuery>,
) -> Result<Response, Failure> {
    let limit = limit(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let wrong_cursor = |_| Failure::invalid_query("`cursor` is not one that a page of this list had");
    let before = query.cursor.as_deref().map(str::parse::<RunId>).transpose().map_err(wrong_cursor)?;
    let filter = convert::filter(query);
    // One more than is shown tells whether there are more.
    let found = blocking(&state, trace, move |runs| {
        runs.runs(&filter, before.as_ref(), limit + 1).map_err(|error| Failure::control(&error, &trace))
    });
    let mut found = found.await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| last.id.to_string());
    answer::json(&RunPage { runs: found.iter().map(convert::summary).collect(), next_cursor })
}

/// Show a run
///
/// Where it stands, what its agents were given to do and what came of it, and what it took.
#[utoipa::path(
    get,
    path = "/v1/agents/runs/{id}",
    operation_id = "showRun",
    tag = "runs",
    security(("key" = ["runs:read"])),
    params(("id" = String, Path, description = "The id of the run.")),
    responses((status = 200, description = "The run.", body = Run), RunProblems)
)]
pub(crate) async fn show(
    State(state): State<ApiState>,
    _: Allowed<ReadRuns>,
    Trace(trace): Trace,
    RunPath(id): RunPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    answer::json(&view(&state, trace, id).await?)
}

async fn view(state: &ApiState, trace: TraceContext, id: RunId) -> Result<Run, Failure> {
    blocking(state, trace, move |runs| {
        let run = runs.run(&id).map_err(|error| Failure::control(&error, &trace))?;
        Ok(convert::run(&run))
    })
    .await
}

/// Reads runs where blocking is allowed: their records are on the disk.
async fn blocking<T: Send + 'static>(
    state: &ApiState,
    trace: TraceContext,
    read: impl FnOnce(&Runtime) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let runs = Arc::clone(state.runs());
    let done = tokio::task::spawn_blocking(move || read(&runs)).await;
    done.map_err(|error| Failure::host_failure(&trace.trace_id_hex(), &error))?
}

/// How many to list.
fn limit(asked: Option<u16>, usual: u16, most: u16) -> Result<usize, Failure> {
    match asked.unwrap_or(usual) {
        limit if (1..=most).contains(&limit) => Ok(limit.into()),
        limit => Err(Failure::invalid_query(&format!("`limit` is {limit}; expected 1 to {most}"))),
    }
}
