//! Agents: which there are, and those that are kept as records.

mod convert;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bailiwick_agents::standing::{AgentState, Standing};
use bailiwick_agents::{AgentDefinition, Runtime};
use bailiwick_domain::trace::TraceContext;
use bailiwick_wire::agent::{self as wire, AgentsQuery};
use serde_json::{Map, Value};

use crate::answer;
use crate::auth::caller::{Admin, Allowed, ReadRuns};
use crate::body::JsonBody;
use crate::extract::{AgentPath, NoQuery, Query, Trace};
use crate::openapi::{AgentProblems, AgentReadProblems};
use crate::problem::Failure;
use crate::state::ApiState;

/// List agents
///
/// All agents, in the order of names, with those that can't be used and why. Those that were
/// removed while they had open tasks are among them until these end.
#[utoipa::path(
    get,
    path = "/v1/agents",
    operation_id = "listAgents",
    tag = "agents",
    security(("key" = ["runs:read"])),
    params(AgentsQuery),
    responses((status = 200, description = "The agents.", body = wire::Agents), AgentReadProblems)
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Allowed<ReadRuns>,
    Trace(trace): Trace,
    Query(query): Query<AgentsQuery>,
) -> Result<Response, Failure> {
    let agents = blocking(&state, &trace, move |runs| {
        let is_meant = |standing: &&Standing| match &query.capability {
            None => true,
            // One that was removed can do nothing more.
            Some(word) => standing.state != AgentState::Terminated && standing.agent.is_capable_of(word),
        };
        runs.standings().iter().filter(is_meant).map(convert::summary).collect::<Vec<_>>()
    });
    answer::json(&wire::Agents { agents: agents.await? })
}

/// Show an agent
///
/// What it is, where it comes from, what it is at, and how it fared since the host started.
#[utoipa::path(
    get,
    path = "/v1/agents/{name}",
    operation_id = "showAgent",
    tag = "agents",
    security(("key" = ["runs:read"])),
    params(("name" = String, Path, description = "The name of the agent.", example = "researcher")),
    responses((status = 200, description = "The agent.", body = wire::Agent), AgentReadProblems)
)]
pub(crate) async fn show(
    State(state): State<ApiState>,
    _: Allowed<ReadRuns>,
    Trace(trace): Trace,
    AgentPath(name): AgentPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    shown(&state, &trace, name).await
}

/// Put an agent
///
/// Keeps a definition, in place of the one of that name. Runs that are under way keep
/// the agent that they began with. An agent that is a file of the host can't be put.
#[utoipa::path(
    put,
    path = "/v1/agents/{name}",
    operation_id = "putAgent",
    tag = "agents",
    security(("key" = ["admin"])),
    params(("name" = String, Path, description = "The name of the agent.", example = "researcher")),
    request_body = wire::AgentDefinition,
    responses((status = 200, description = "The agent as it is now.", body = wire::Agent), AgentProblems)
)]
pub(crate) async fn put(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    AgentPath(name): AgentPath,
    _: NoQuery,
    body: JsonBody<Map<String, Value>>,
) -> Result<Response, Failure> {
    let mut keys = body.value;
    match keys.get("name") {
        None => drop(keys.insert("name".to_owned(), Value::from(name))),
        Some(Value::String(other)) if *other != name => return Err(Failure::other_name(other, &name)),
        // It is the same, or no name at all, which is said with all else that is wrong.
        Some(_) => {}
    }
    let definition = AgentDefinition::from_json(&Value::Object(keys)).map_err(|error| Failure::definition(&error))?;
    let put = state.runs().agents().put(definition, &caller.0.name).await;
    let put = put.map_err(|error| Failure::agent(&error, &trace))?;
    shown(&state, &trace, put.agent().name.clone()).await
}

/// Remove an agent
///
/// Removes the definition that was put. Runs that are under way keep it.
#[utoipa::path(
    delete,
    path = "/v1/agents/{name}",
    operation_id = "removeAgent",
    tag = "agents",
    security(("key" = ["admin"])),
    params(("name" = String, Path, description = "The name of the agent.", example = "researcher")),
    responses((status = 200, description = "The agent as it was.", body = wire::Agent), AgentProblems)
)]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    AgentPath(name): AgentPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    let agents = state.runs().agents();
    let Some(standing) = state.runs().standing(&name) else {
        return Err(Failure::unknown_agent(&name, agents.near(&name)));
    };
    agents.remove(&name, &caller.0.name).await.map_err(|error| Failure::agent(&error, &trace))?;
    answer::json(&convert::agent(&standing))
}

/// Pause an agent
///
/// No new run gets it, also after a restart of the host, until it is resumed. Runs that
/// have it go on. One that is paused already stays so, by whoever paused it.
#[utoipa::path(
    post,
    path = "/v1/agents/{name}/pause",
    operation_id = "pauseAgent",
    tag = "agents",
    security(("key" = ["admin"])),
    params(("name" = String, Path, description = "The name of the agent.", example = "researcher")),
    responses((status = 200, description = "The agent as it is now.", body = wire::Agent), AgentProblems)
)]
pub(crate) async fn pause(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    AgentPath(name): AgentPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    // A file that is new can be paused at once.
    blocking(&state, &trace, |_| ()).await?;
    let paused = state.runs().agents().pause(&name, &caller.0.name).await;
    paused.map_err(|error| Failure::agent(&error, &trace))?;
    shown(&state, &trace, name).await
}

/// Resume an agent
///
/// New runs get it again. One that is not paused stays as it is.
#[utoipa::path(
    post,
    path = "/v1/agents/{name}/resume",
    operation_id = "resumeAgent",
    tag = "agents",
    security(("key" = ["admin"])),
    params(("name" = String, Path, description = "The name of the agent.", example = "researcher")),
    responses((status = 200, description = "The agent as it is now.", body = wire::Agent), AgentProblems)
)]
pub(crate) async fn resume(
    State(state): State<ApiState>,
    caller: Allowed<Admin>,
    Trace(trace): Trace,
    AgentPath(name): AgentPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    blocking(&state, &trace, |_| ()).await?;
    let resumed = state.runs().agents().resume(&name, &caller.0.name).await;
    resumed.map_err(|error| Failure::agent(&error, &trace))?;
    shown(&state, &trace, name).await
}

/// An agent as it is now.
async fn shown(state: &ApiState, trace: &TraceContext, name: String) -> Result<Response, Failure> {
    let found = blocking(state, trace, move |runs| match runs.standing(&name) {
        Some(standing) => Ok(convert::agent(&standing)),
        None => Err(Failure::unknown_agent(&name, runs.agents().near(&name))),
    });
    answer::json(&found.await??)
}

/// Looks at agents where blocking is allowed, after a look at their files.
async fn blocking<T: Send + 'static>(
    state: &ApiState,
    trace: &TraceContext,
    look: impl FnOnce(&Runtime) -> T + Send + 'static,
) -> Result<T, Failure> {
    let runs = Arc::clone(state.runs());
    let looked = tokio::task::spawn_blocking(move || {
        runs.agents().reload_if_changed();
        look(&runs)
    });
    looked.await.map_err(|error| Failure::host_failure(&trace.trace_id_hex(), &error))
}
