//! What holds for every route, those that don't exist among them: the check of
//! `Host` and `Origin`, the trace context, and the headers of all answers.
//!
//! It is one service, without a box of its own, because every call passes it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::random;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::auth::caller::Owner;
use crate::host_check::AllowedHosts;
use crate::problem::Failure;

/// The header of W3C trace context, in requests and in answers.
pub(crate) static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Puts [`Guard`] before a service.
#[derive(Clone)]
pub(crate) struct GuardLayer {
    hosts: Arc<AllowedHosts>,
}

impl GuardLayer {
    pub(crate) fn new(hosts: AllowedHosts) -> Self {
        Self { hosts: Arc::new(hosts) }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, hosts: Arc::clone(&self.hosts) }
    }
}

/// Answers refused requests itself and passes all others on.
#[derive(Clone)]
pub(crate) struct Guard<S> {
    inner: S,
    hosts: Arc<AllowedHosts>,
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Guarded<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let trace = match trace_of(request.headers()) {
            Ok(trace) => trace,
            Err(error) => {
                tracing::error!(%error, "the system's random source failed");
                return Guarded::Refused { failure: Some(Failure::no_random()), trace: None };
            }
        };
        // The control socket has no name that a page in a browser could be led to.
        let owner = request.extensions().get::<Owner>().is_some();
        if !owner && let Err(misdirected) = self.hosts.check(request.headers(), request.uri()) {
            return Guarded::Refused { failure: Some(Failure::misdirected(misdirected)), trace: Some(trace) };
        }
        request.extensions_mut().insert(trace);
        Guarded::Passed { inner: self.inner.call(request), trace }
    }
}

pin_project! {
    /// The answer, with the headers that all answers have.
    #[project = GuardedProjection]
    pub(crate) enum Guarded<F> {
        Passed {
            #[pin]
            inner: F,
            trace: TraceContext,
        },
        Refused {
            failure: Option<Failure>,
            trace: Option<TraceContext>,
        },
    }
}

impl<F> Future for Guarded<F>
where
    F: Future<Output = Result<Response, Infallible>>,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut response, trace) = match self.project() {
            GuardedProjection::Passed { inner, trace } => {
                let Ok(response) = ready!(inner.poll(context));
                (response, Some(*trace))
            }
            GuardedProjection::Refused { failure, trace } => match failure.take() {
                Some(failure) => (failure.into_response(), *trace),
                // A future that has answered is not polled again.
                None => return Poll::Pending,
            },
        };
        finish(response.headers_mut(), trace);
        Poll::Ready(Ok(response))
    }
}

fn finish(headers: &mut HeaderMap, trace: Option<TraceContext>) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(value) = trace.and_then(|trace| HeaderValue::try_from(trace.to_string()).ok()) {
        headers.insert(TRACEPARENT.clone(), value);
    }
}

/// The caller's trace context, or a new one where there is none that can be read.
fn trace_of(headers: &HeaderMap) -> Result<TraceContext, getrandom::Error> {
    let given = headers.get(&TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    match given {
        Some(trace) => Ok(trace),
        None => fresh_trace(),
    }
}

fn fresh_trace() -> Result<TraceContext, getrandom::Error> {
    Ok(TraceContext::begin(random::bytes()?))
}
