//! Paths, queries and headers, read into types. Whatever doesn't fit is an error.

use std::time::Duration;

use axum::extract::{FromRequestParts, Path};
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bailiwick_domain::run::RunId;
use bailiwick_domain::skill_id::{SkillId, SkillSelector};
use bailiwick_domain::trace::TraceContext;
use serde::de::DeserializeOwned;

use crate::problem::Failure;
use crate::state::ApiState;

/// Characters of an idempotency key: room for a UUID or a hash with a prefix.
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// By which repeated requests become one call.
pub(crate) static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a client would like.
static PREFER: HeaderName = HeaderName::from_static("prefer");

/// A query, read into `T`. `T` says which keys there are; all others are errors.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<ApiState> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Failure> {
        match axum::extract::Query::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Failure::invalid_query(&rejection.body_text())),
        }
    }
}

/// For routes that have no query.
pub(crate) struct NoQuery;

impl FromRequestParts<ApiState> for NoQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Failure> {
        match parts.uri.query() {
            None | Some("") => Ok(Self),
            Some(_) => Err(Failure::invalid_query("this route has no query")),
        }
    }
}

/// `{namespace}/{name}`, with or without `@` and a range behind the name.
pub(crate) struct SkillPath {
    pub(crate) id: SkillId,
    range: Option<String>,
}

impl FromRequestParts<ApiState> for SkillPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Failure> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((namespace, last)) = path.map_err(|rejection| Failure::invalid_path(&rejection))?;
        Self::of(&namespace, &last)
    }
}

impl SkillPath {
    /// The skill that these two parts of a path name.
    pub(crate) fn of(namespace: &str, last: &str) -> Result<Self, Failure> {
        let (name, range) = match last.split_once('@') {
            Some((name, range)) => (name, Some(range.to_owned())),
            None => (last, None),
        };
        let id = format!("{namespace}/{name}").parse().map_err(|error| Failure::invalid_path(&error))?;
        Ok(Self { id, range })
    }

    /// The skill, and the text behind `@` for routes that take no range.
    pub(crate) fn exact(self) -> (SkillId, Option<String>) {
        (self.id, self.range)
    }

    /// The skill in the releases that the path or `version` asks for; not both may.
    pub(crate) fn select(self, version: Option<&str>) -> Result<SkillSelector, Failure> {
        let range = match (&self.range, version) {
            (Some(_), Some(_)) => {
                return Err(Failure::invalid_version("it stands in the path and in `version`; expected one of them"));
            }
            (range, version) => range.as_deref().or(version),
        };
        match range {
            None => Ok(SkillSelector::newest(self.id)),
            Some(range) => {
                SkillSelector::within(self.id, range).map_err(|error| Failure::invalid_version(&error.to_string()))
            }
        }
    }
}

/// The run that a path names.
pub(crate) struct RunPath(pub(crate) RunId);

impl FromRequestParts<ApiState> for RunPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Failure> {
        // What is no id is the id of no run.
        let id = Path::<String>::from_request_parts(parts, state).await.ok().and_then(|Path(id)| id.parse().ok());
        id.map(Self).ok_or_else(Failure::no_run)
    }
}

/// The name of an agent in a path.
pub(crate) struct AgentPath(pub(crate) String);

impl FromRequestParts<ApiState> for AgentPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name)).map_err(|_| Failure::no_agent())
    }
}

/// The header `Idempotency-Key`, where there is one.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl FromRequestParts<ApiState> for IdempotencyKey {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Failure> {
        let mut values = parts.headers.get_all(&IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        match visible(value).filter(|_| values.next().is_none()) {
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => Err(Failure::invalid_header(
                "Idempotency-Key",
                &format!("one value of 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters"),
            )),
        }
    }
}

fn visible(value: &HeaderValue) -> Option<&str> {
    let bytes = value.as_bytes();
    let good = (1..=MAX_IDEMPOTENCY_KEY).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    value.to_str().ok().filter(|_| good)
}

/// The most seconds that a request waits for a person.
const MAX_WAIT: u64 = 600;

/// `wait` of the header `Prefer` (RFC 7240): how long a call waits for a person's
/// approval. Preferences may be ignored, so that all others are.
pub(crate) struct PreferWait(pub(crate) Duration);

impl FromRequestParts<ApiState> for PreferWait {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Failure> {
        let values = parts.headers.get_all(&PREFER).iter().filter_map(|value| value.to_str().ok());
        let wait = values.flat_map(|value| value.split(',')).find_map(|preference| {
            let (name, value) = preference.split_once('=')?;
            name.trim().eq_ignore_ascii_case("wait").then(|| value.trim())
        });
        let Some(wait) = wait else { return Ok(Self(Duration::ZERO)) };
        match wait.parse::<u64>() {
            Ok(seconds) => Ok(Self(Duration::from_secs(seconds.min(MAX_WAIT)))),
            Err(_) => Err(Failure::invalid_header("Prefer", "`wait=` and a number of seconds")),
        }
    }
}

/// Whether the client asks for this type of content.
pub(crate) fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|media| {
        let media = media.split(';').next().unwrap_or_default();
        media.trim().eq_ignore_ascii_case(wanted)
    })
}

/// What others say of a trace.
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Characters of the header `tracestate`: as many as everybody has to pass on.
const MAX_TRACE_STATE: usize = 512;

/// The header `tracestate`, where there is one. As the standard has it, what can't be
/// passed on is dropped.
pub(crate) struct TraceState(pub(crate) Option<String>);

impl FromRequestParts<ApiState> for TraceState {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Failure> {
        let values = parts.headers.get_all(&TRACESTATE).iter().filter_map(|value| value.to_str().ok());
        let whole = values.collect::<Vec<_>>().join(",");
        Ok(Self(Some(whole).filter(|text| (1..=MAX_TRACE_STATE).contains(&text.len()))))
    }
}

/// The trace that the request belongs to, which [`crate::guard`] has put there.
pub(crate) struct Trace(pub(crate) TraceContext);

impl FromRequestParts<ApiState> for Trace {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Failure> {
        parts.extensions.get::<TraceContext>().copied().map(Self).ok_or_else(Failure::no_trace)
    }
}
