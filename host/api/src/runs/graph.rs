//! The graph of a run, as it grew and stands.

use axum::extract::State;
use axum::response::Response;
use bailiwick_wire::run::{GrownGraph, RunGraphQuery};

use super::{blocking, convert};
use crate::answer;
use crate::auth::caller::{Allowed, ReadRuns};
use crate::extract::{Query, RunPath, Trace};
use crate::openapi::RunProblems;
use crate::problem::Failure;
use crate::state::ApiState;

/// Show the graph of a run
///
/// The graph with all that its agents added to it, where its nodes stand, and the same as a
/// flowchart in the language of Mermaid. A run of another strategy has none, which is
/// `unknown-run`.
#[utoipa::path(
    get,
    path = "/v1/agents/runs/{id}/graph",
    operation_id = "showRunGraph",
    tag = "runs",
    security(("key" = ["runs:read"])),
    params(("id" = String, Path, description = "The id of the run."), RunGraphQuery),
    responses((status = 200, description = "The graph.", body = GrownGraph), RunProblems)
)]
pub(crate) async fn show(
    State(state): State<ApiState>,
    _: Allowed<ReadRuns>,
    Trace(trace): Trace,
    RunPath(id): RunPath,
    Query(query): Query<RunGraphQuery>,
) -> Result<Response, Failure> {
    let read = blocking(&state, trace, move |runs| {
        let run = runs.run(&id).map_err(|error| Failure::control(&error, &trace))?;
        convert::grown(&run, query.subrun).ok_or_else(|| Failure::no_graph(query.subrun))
    });
    answer::json(&read.await?)
}
