//! Every error of this interface, made into a problem document.
//!
//! What a client is told stands here and nowhere else. The inside of the host
//! goes to the log, under the trace id that the client is given.

mod call;
mod kind;
mod run;

use std::error::Error;
use std::time::Duration;

use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bailiwick_wire::problem::{FieldError, MEDIA_TYPE, Problem, TYPE_PREFIX};

pub use kind::Kind;
pub(crate) use run::told;

use crate::auth::Scope;
use crate::host_check::Misdirected;

/// Characters of a client's own text that are repeated to it.
const MAX_QUOTED: usize = 200;

/// An answer that is a problem document. In a box, so that results stay small.
#[derive(Debug)]
pub(crate) struct Failure(Box<Problem>);

impl Failure {
    /// A problem of this kind, with what went wrong this time.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            kind: format!("{TYPE_PREFIX}{}", kind.code),
            title: kind.title.to_owned(),
            status: kind.status,
            code: kind.code.to_owned(),
            detail: detail.into(),
            ..Problem::default()
        }))
    }

    /// The same, after which the client should wait.
    pub(crate) fn after(kind: Kind, detail: impl Into<String>, wait: Duration) -> Self {
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self::new(kind, detail).with(|problem| problem.retry_after_ms = Some(wait))
    }

    /// The same document with more members.
    pub(crate) fn with(mut self, add: impl FnOnce(&mut Problem)) -> Self {
        add(&mut self.0);
        self
    }

    /// The document itself, for where it is not an answer of its own.
    pub(crate) fn document(&self) -> &Problem {
        &self.0
    }

    fn at(self, pointer: String, detail: String) -> Self {
        self.with(|problem| problem.errors.push(FieldError { pointer, detail }))
    }
}

/// Bodies.
impl Failure {
    pub(crate) fn invalid_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let detail = if text.starts_with("recursion limit exceeded") {
            format!("nested too deeply at line {} column {}", error.line(), error.column())
        } else {
            text
        };
        Self::new(Kind::INVALID_JSON, detail)
    }

    pub(crate) fn invalid_request(pointer: String, error: &serde_json::Error) -> Self {
        let detail = error.to_string();
        Self::new(Kind::INVALID_REQUEST, detail.clone()).at(pointer, detail)
    }

    pub(crate) fn invalid_member(pointer: &str, detail: &str) -> Self {
        let whole = if pointer.is_empty() { detail.to_owned() } else { format!("{pointer}: {detail}") };
        Self::new(Kind::INVALID_REQUEST, whole).at(pointer.to_owned(), detail.to_owned())
    }

    pub(crate) fn incomplete_body(error: &axum::Error) -> Self {
        tracing::debug!(%error, "a body ended too early");
        Self::new(Kind::INCOMPLETE_BODY, "the connection ended before the body did")
    }

    pub(crate) fn body_too_large(limit: usize) -> Self {
        Self::new(Kind::BODY_TOO_LARGE, format!("the body has more than {limit} bytes"))
    }

    pub(crate) fn body_timeout(limit: Duration) -> Self {
        Self::new(Kind::BODY_TIMEOUT, format!("the body was not there after {} s", limit.as_secs_f32()))
    }

    pub(crate) fn unsupported_media_type(found: &str) -> Self {
        let detail = format!("{}; expected `Content-Type: application/json`, in UTF-8", quote(found));
        Self::new(Kind::UNSUPPORTED_MEDIA_TYPE, detail)
    }
}

/// Paths, queries and headers.
impl Failure {
    pub(crate) fn unknown_route(path: &str) -> Self {
        Self::new(Kind::UNKNOWN_ROUTE, format!("no route is at `{}`", quote(path)))
    }

    pub(crate) fn method_not_allowed(method: &str, path: &str) -> Self {
        Self::new(Kind::METHOD_NOT_ALLOWED, format!("`{}` can't be used with `{}`", quote(path), quote(method)))
    }

    pub(crate) fn invalid_path(reason: &dyn Error) -> Self {
        Self::new(Kind::INVALID_PATH, quote(&reason.to_string()))
    }

    pub(crate) fn invalid_query(reason: &str) -> Self {
        Self::new(Kind::INVALID_QUERY, quote(reason))
    }

    pub(crate) fn invalid_version(reason: &str) -> Self {
        Self::new(Kind::INVALID_VERSION, quote(reason))
    }

    pub(crate) fn invalid_header(name: &str, expected: &str) -> Self {
        Self::new(Kind::INVALID_HEADER, format!("`{name}`: expected {expected}"))
    }

    pub(crate) fn upgrade_required(reason: &str) -> Self {
        Self::new(Kind::UPGRADE_REQUIRED, quote(reason))
    }

    pub(crate) fn misdirected(what: Misdirected) -> Self {
        match what {
            Misdirected::Host(host) if host.is_empty() => Self::new(Kind::WRONG_HOST, "the request names no host"),
            Misdirected::Host(host) => {
                Self::new(Kind::WRONG_HOST, format!("this host is not known as `{}`", quote(&host)))
            }
            Misdirected::Origin(origin) => {
                Self::new(Kind::WRONG_ORIGIN, format!("a page of `{}` sent the request", quote(&origin)))
            }
        }
    }
}

/// Callers.
impl Failure {
    pub(crate) fn no_key() -> Self {
        Self::new(Kind::UNAUTHENTICATED, "the request has no `Authorization: Bearer` with an API key")
    }

    pub(crate) fn bad_key(expired: bool) -> Self {
        Self::new(Kind::UNAUTHENTICATED, if expired { "the API key has expired" } else { "no such API key" })
    }

    pub(crate) fn too_many_attempts(wait: Duration) -> Self {
        Self::after(Kind::TOO_MANY_ATTEMPTS, "too many bad API keys came from this address", wait)
    }

    pub(crate) fn keys_unavailable() -> Self {
        Self::new(Kind::KEYS_UNAVAILABLE, "the host can't read its key file, so it accepts no key")
    }

    pub(crate) fn forbidden_scope(needed: Scope) -> Self {
        Self::new(Kind::FORBIDDEN_SCOPE, format!("the API key lacks the scope `{needed}`"))
    }
}

/// The host.
impl Failure {
    pub(crate) fn busy(detail: &str, wait: Duration) -> Self {
        Self::after(Kind::BUSY, detail, wait)
    }

    pub(crate) fn not_ready(reason: &str) -> Self {
        Self::new(Kind::NOT_READY, reason)
    }

    /// The system gave no random bytes, so there is no trace id that could be named.
    pub(crate) fn no_random() -> Self {
        Self::new(Kind::HOST_FAILURE, "the host has no random numbers")
    }

    /// A handler was reached around the service that gives each request its trace.
    pub(crate) fn no_trace() -> Self {
        Self::new(Kind::HOST_FAILURE, "the request has no trace")
    }

    /// An answer that can't be written as JSON, which would be a fault of this code.
    pub(crate) fn unwritable(error: &serde_json::Error) -> Self {
        tracing::error!(%error, "an answer can't be written");
        Self::new(Kind::HOST_FAILURE, "the host can't write its answer")
    }

    /// The host's own failure, in whose place the client gets the trace id.
    pub(crate) fn host_failure(trace_id: &str, error: &(dyn Error + 'static)) -> Self {
        tracing::error!(trace_id, error, "a request failed for a reason of the host's own");
        Self::new(Kind::HOST_FAILURE, format!("the host failed; its log has the reason under the trace id {trace_id}"))
            .with(|problem| problem.instance = Some(format!("urn:bailiwick:trace:{trace_id}")))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = self.0;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem).unwrap_or_else(|error| {
            // Strings and numbers can always be written; an empty body is still better than a panic.
            tracing::error!(%error, "a problem document can't be written");
            Vec::new()
        });
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        if let Some(wait) = problem.retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.div_ceil(1000)));
        }
        response
    }
}

/// A client's own text, cut where it is long.
fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
