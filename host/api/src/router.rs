//! The routes, put together.

use axum::Router;
use axum::extract::Request;

use crate::guard::GuardLayer;
use crate::openapi;
use crate::options::ApiOptions;
use crate::problem::Failure;
use crate::state::{ApiState, Host};

/// All routes, before `host`.
///
/// The router needs the address of the other side for two things: to tell
/// callers on this machine from others, and to count bad keys by caller.
/// [`crate::serve()`] puts it into each request as a [`crate::Peer`]; another server
/// has to do the same, or nobody counts as being on this machine.
pub fn router(host: Host, options: ApiOptions) -> Router {
    let guard = GuardLayer::new(options.hosts.clone());
    let (routes, _) = openapi::routes().split_for_parts();
    routes
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(guard)
        .with_state(ApiState::new(host, options))
}

async fn unknown_route(request: Request) -> Failure {
    Failure::unknown_route(request.uri().path())
}

async fn method_not_allowed(request: Request) -> Failure {
    Failure::method_not_allowed(request.method().as_str(), request.uri().path())
}
