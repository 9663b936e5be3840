//! What happened.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bailiwick_skills::audit::{Audit, AuditQuery};
use bailiwick_skills::review::Review;
use bailiwick_wire::audit::{self as wire, AuditKey, AuditPage, AuditRecord};
use bailiwick_wire::skill::SelectorPath;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use crate::answer;
use crate::auth::caller::{Allowed, Audit as ReadAudit};
use crate::extract::{NoQuery, Query, SkillPath, Trace};
use crate::openapi::AuditProblems;
use crate::problem::Failure;
use crate::state::ApiState;
use crate::time;

/// Records on a page where the query doesn't say.
const DEFAULT_LIMIT: u16 = 100;

/// Records on a page at the most.
const MAX_LIMIT: u16 = 500;

/// Pieces of an export that wait for a slow client.
const PIECES: usize = 4;

/// List what happened
///
/// Records of the audit chain, page by page. With `trace_id`: which skills ran in one
/// run, on whose behalf, and when.
#[utoipa::path(
    get,
    path = "/v1/audit",
    operation_id = "listAudit",
    tag = "audit",
    security(("key" = ["audit:read"])),
    params(wire::AuditQuery),
    responses((status = 200, description = "Records in the order of the chain.", body = AuditPage), AuditProblems)
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Allowed<ReadAudit>,
    Trace(trace): Trace,
    Query(query): Query<wire::AuditQuery>,
) -> Result<Response, Failure> {
    let limit = match query.limit {
        None => DEFAULT_LIMIT,
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
        Some(limit) => return Err(Failure::invalid_query(&format!("`limit` is {limit}; expected 1 to {MAX_LIMIT}"))),
    };
    let wrong_cursor = |_| Failure::invalid_query("`cursor` is not one that a page of this list had");
    let after = query.cursor.as_deref().map_or(Ok(0), str::parse::<u64>).map_err(wrong_cursor)?;
    let wanted = AuditQuery {
        kind: query.kind,
        skill: query.skill,
        principal: query.principal,
        trace_id: query.trace_id,
        outcome: query.outcome,
        since: moment("since", query.since.as_deref())?,
        until: moment("until", query.until.as_deref())?,
    };
    let page = blocking(&state, &trace.trace_id_hex(), move |audit| audit.query(&wanted, after, limit.into())).await?;
    let record = |entry: bailiwick_skills::audit::Entry| {
        let record = RawValue::from_string(entry.record).map_err(|error| Failure::unwritable(&error))?;
        Ok(AuditRecord { hash: entry.link.hash.to_string(), record })
    };
    let records = page.entries.into_iter().map(record).collect::<Result<_, Failure>>()?;
    answer::json(&AuditPage { records, next_cursor: page.next.map(|place| place.to_string()) })
}

/// Export what happened
///
/// The whole chain as JSON lines, with a signed end: `bailiwick audit verify FILE`
/// checks it anywhere.
#[utoipa::path(
    get,
    path = "/v1/audit/export",
    operation_id = "exportAudit",
    tag = "audit",
    security(("key" = ["audit:read"])),
    responses((status = 200, description = "JSON lines.", content_type = "application/x-ndjson", body = String), AuditProblems)
)]
pub(crate) async fn export(State(state): State<ApiState>, _: Allowed<ReadAudit>, _: NoQuery) -> Response {
    let (sender, receiver) = mpsc::channel::<Result<String, std::io::Error>>(PIECES);
    let audit = Arc::clone(state.executor().audit());
    tokio::task::spawn_blocking(move || {
        let lines = match audit.export() {
            Ok(lines) => lines,
            Err(error) => return drop(sender.blocking_send(Err(std::io::Error::other(error.to_string())))),
        };
        for piece in lines {
            let piece = piece.map_err(|error| std::io::Error::other(error.to_string()));
            // The client went away.
            if sender.blocking_send(piece).is_err() {
                return;
            }
        }
    });
    let pieces = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let header = (CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    (StatusCode::OK, [header], Body::from_stream(pieces)).into_response()
}

/// The key of the audit chain
///
/// With it anybody can check who signed an export. Note it down before you need it.
#[utoipa::path(
    get,
    path = "/v1/audit/key",
    operation_id = "auditKey",
    tag = "audit",
    security(("key" = ["audit:read"])),
    responses((status = 200, description = "The public key.", body = AuditKey), AuditProblems)
)]
pub(crate) async fn key(State(state): State<ApiState>, _: Allowed<ReadAudit>, _: NoQuery) -> Result<Response, Failure> {
    answer::json(&AuditKey { key: state.executor().audit().public_key().to_string() })
}

/// Review a skill
///
/// What its component imports and so can't do whatever it is granted, what it asks
/// for, what it was granted, and what of that it has used so far; and the difference
/// to the bytes that were granted something before.
#[utoipa::path(
    get,
    path = "/v1/skills/{namespace}/{name}/review",
    operation_id = "reviewSkill",
    tag = "audit",
    security(("key" = ["audit:read"])),
    params(SelectorPath),
    responses((status = 200, description = "The review.", body = Object), AuditProblems)
)]
pub(crate) async fn review(
    State(state): State<ApiState>,
    _: Allowed<ReadAudit>,
    Trace(trace): Trace,
    path: SkillPath,
    _: NoQuery,
) -> Result<Response, Failure> {
    let selector = path.select(None)?;
    let skill = state.registry().catalog().resolve(&selector).map_err(|error| Failure::resolve(&error))?;
    let grants = state.executor().grants().current();
    let made = blocking(&state, &trace.trace_id_hex(), move |audit| Review::of(&skill, &grants, audit)).await?;
    answer::json(&made)
}

fn moment(key: &str, text: Option<&str>) -> Result<Option<String>, Failure> {
    let parsed = text.map(time::parse).transpose();
    let parsed = parsed.map_err(|error| Failure::invalid_query(&format!("{key}: {error}")))?;
    Ok(parsed.map(bailiwick_skills::audit::moment))
}

/// Reads the chain where blocking is allowed.
async fn blocking<T, E>(
    state: &ApiState,
    trace: &str,
    read: impl FnOnce(&Audit) -> Result<T, E> + Send + 'static,
) -> Result<T, Failure>
where
    T: Send + 'static,
    E: std::error::Error + Send + 'static,
{
    let audit = Arc::clone(state.executor().audit());
    let done = tokio::task::spawn_blocking(move || read(&audit)).await;
    let done = done.map_err(|error| Failure::host_failure(trace, &error))?;
    done.map_err(|error| Failure::host_failure(trace, &error))
}
