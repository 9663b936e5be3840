//! A call that is followed: server-sent events for what it tells, and its answer last.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::services::Report;
use bailiwick_domain::trace::TraceContext;
use bailiwick_skills::execute::Executor;
use bailiwick_wire::content::{LogLine, Progress};
use bailiwick_wire::execute::ExecuteResponse;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::convert;
use crate::problem::Failure;

/// Events that wait for a slow reader. Beyond them, what a skill tells is dropped; its
/// answer never is.
const WAITING: usize = 64;

/// How long nothing is said before something is, so that nobody between takes the
/// connection for dead.
const QUIET: Duration = Duration::from_secs(15);

/// Makes the call while the client listens. A client that goes away ends it.
pub(super) fn follow(executor: Arc<Executor>, invocation: Invocation, trace: TraceContext) -> Response {
    let (sender, receiver) = mpsc::channel(WAITING);
    let follower = Arc::new(move |report| {
        // Who reads too slowly misses some.
        drop(sender.try_send(report));
    });
    let call = Box::pin(async move {
        let result = executor.execute_followed(invocation, Some(follower)).await;
        last(result.map_err(|error| Failure::execute(error, &trace)).and_then(convert::answer))
    });
    let stream = futures::stream::unfold((Some(call), receiver), |(call, mut receiver)| async move {
        let mut call = call?;
        tokio::select! {
            biased;
            Some(report) = receiver.recv() => Some((Ok::<_, Infallible>(told(report)), (Some(call), receiver))),
            event = &mut call => Some((Ok(event), (None, receiver))),
            () = tokio::time::sleep(QUIET) => Some((Ok(Event::default().comment("nothing new")), (Some(call), receiver))),
        }
    });
    Sse::new(stream).into_response()
}

fn told(report: Report) -> Event {
    match report {
        Report::Progress { done, total, message } => event("progress", &Progress { done, total, message }),
        Report::Log { level, context, message } => {
            event("log", &LogLine { level: level.name().to_owned(), context, message })
        }
    }
}

/// The answer of the call, or its problem.
fn last(answer: Result<ExecuteResponse, Failure>) -> Event {
    match answer {
        Ok(answer) => event("result", &answer),
        Err(failure) => event("problem", failure.document()),
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // Text and numbers can be written.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}
