//! Running one tool.

mod follow;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bailiwick_wire::execute::{ExecuteHeaders, ExecuteRequest, ExecuteResponse};
use bailiwick_wire::skill::SelectorPath;

use crate::answer;
use crate::auth::caller::{Allowed, Execute};
use crate::body::JsonBody;
use crate::convert;
use crate::extract::{self, IdempotencyKey, NoQuery, PreferWait, SkillPath, Trace, TraceState};
use crate::openapi::ExecuteProblems;
use crate::problem::Failure;
use crate::state::ApiState;

/// Run a tool
///
/// Runs one tool of a skill in a fresh sandbox, and answers when it is done.
/// With an `Idempotency-Key`, a request that is sent again runs nothing again:
/// it gets the answer of the first, also after the host was restarted. A call that a
/// person has to approve is answered with `approval-required`; with `Prefer: wait=60`
/// it waits that many seconds for the person's answer.
///
/// With `Accept: text/event-stream` the answer is a stream of events: `progress` and `log`
/// with what the skill tells meanwhile, and last `result` with the answer or `problem`
/// with what went wrong.
#[utoipa::path(
    post,
    path = "/v1/skills/{namespace}/{name}/execute",
    operation_id = "executeSkill",
    tag = "skills",
    security(("key" = ["skills:execute"])),
    params(SelectorPath, ExecuteHeaders),
    request_body = ExecuteRequest,
    responses(
        (
            status = 200,
            description = "What the tool answered.",
            content(
                (ExecuteResponse = "application/json"),
                (String = "text/event-stream"),
            )
        ),
        ExecuteProblems,
    )
)]
#[expect(clippy::too_many_arguments, reason = "each is an extractor")]
pub(crate) async fn execute(
    State(state): State<ApiState>,
    caller: Allowed<Execute>,
    Trace(trace): Trace,
    TraceState(trace_state): TraceState,
    path: SkillPath,
    IdempotencyKey(key): IdempotencyKey,
    PreferWait(wait): PreferWait,
    _: NoQuery,
    headers: HeaderMap,
    body: JsonBody<ExecuteRequest>,
) -> Result<Response, Failure> {
    let invocation = convert::invocation(path, body.value, caller.0, (trace, trace_state), key, wait)?;
    if extract::accepts(&headers, "text/event-stream") {
        return Ok(follow::follow(Arc::clone(state.executor()), invocation, trace));
    }
    match state.executor().execute(invocation).await {
        Ok(execution) => answer::json(&convert::answer(execution)?),
        Err(error) => Err(Failure::execute(error, &trace)),
    }
}
