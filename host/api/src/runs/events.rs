//! What happens to a run, as a page or as it happens.

mod stream;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use bailiwick_domain::run::{Record, RunId};
use bailiwick_domain::trace::TraceContext;
use bailiwick_wire::run::{RunEvents, RunEventsHeaders, RunEventsQuery};

use self::stream::Telling;
use super::{blocking, convert, limit};
use crate::answer;
use crate::auth::caller::{Allowed, ReadRuns};
use crate::extract::{self, Query, RunPath, Trace};
use crate::openapi::EventProblems;
use crate::problem::Failure;
use crate::state::ApiState;

/// Events on a page where the query doesn't say.
const DEFAULT_LIMIT: u16 = 100;

/// Events on a page at the most.
const MAX_LIMIT: u16 = 1000;

/// By which a browser that connects again says what it has seen.
static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Follow a run
///
/// Server-sent events: all that happened to the run behind the event of the given
/// number, and then what happens to it. Each has its number as `id`, its kind as `event`
/// and a `RunEvent` as data. Between them are events without a number that are not kept:
/// `model.text`, `model.again`, `skill.progress` and `skill.log`, each with a `RunNews`.
/// The stream ends when the run is over and all was told. Where it can't go on, the last
/// event is `problem`, with a problem document.
///
/// With `Accept: application/json` the answer is a page of what has happened.
#[utoipa::path(
    get,
    path = "/v1/agents/runs/{id}/events",
    operation_id = "followRun",
    tag = "runs",
    security(("key" = ["runs:read"])),
    params(
        ("id" = String, Path, description = "The id of the run."),
        RunEventsQuery,
        RunEventsHeaders,
    ),
    responses(
        (
            status = 200,
            description = "Events.",
            content(
                (String = "text/event-stream"),
                (RunEvents = "application/json"),
            )
        ),
        EventProblems,
    )
)]
pub(crate) async fn follow(
    State(state): State<ApiState>,
    _: Allowed<ReadRuns>,
    Trace(trace): Trace,
    RunPath(id): RunPath,
    Query(query): Query<RunEventsQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after = place(&headers)?.or(query.after).unwrap_or_default();
    let limit = limit(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let wants = |media| extract::accepts(&headers, media);
    if wants("application/json") && !wants("text/event-stream") {
        let events = read(&state, trace, id.clone(), after, limit).await?;
        return page(&id, after, &events);
    }
    // Before the first look, so that nothing happens between them unseen.
    let live = state.runs().follow(&id);
    let events = read(&state, trace, id.clone(), after, DEFAULT_LIMIT.into()).await?;
    Ok(Telling::new(state, trace, id, after, events, live).into_response())
}

fn page(id: &RunId, after: u64, events: &[(u64, Record)]) -> Result<Response, Failure> {
    let next = events.last().map_or(after, |(last, _)| *last);
    let told = events.iter().map(|(seq, record)| convert::event(id, *seq, record));
    answer::json(&RunEvents { events: told.collect::<Result<_, _>>()?, next })
}

/// The number in the header `Last-Event-ID`, where there is one.
fn place(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    // A browser that has seen no number may send nothing in it.
    let Some(value) = headers.get(&LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Failure::invalid_header("Last-Event-ID", "the number of an event"))
}

async fn read(
    state: &ApiState,
    trace: TraceContext,
    id: RunId,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, Record)>, Failure> {
    blocking(state, trace, move |runs| runs.events(&id, after, limit).map_err(|error| Failure::control(&error, &trace)))
        .await
}
