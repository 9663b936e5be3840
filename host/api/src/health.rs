//! What probes ask. Both routes answer anybody who uses a name of this host.

use axum::extract::State;
use axum::response::Response;
use bailiwick_wire::health::{Health, HealthStatus, Readiness};

use crate::answer;
use crate::convert;
use crate::openapi::PublicProblems;
use crate::problem::Failure;
use crate::state::ApiState;

/// Is the process alive
///
/// Answers as long as the process does.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    tag = "probes",
    security(()),
    responses((status = 200, description = "It is.", body = Health), PublicProblems)
)]
pub(crate) async fn health() -> Result<Response, Failure> {
    answer::json(&Health { status: HealthStatus::Ok, version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Does the host take calls
///
/// Says no while the host starts, while it goes down, and while it can't check API keys.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readiness",
    tag = "probes",
    security(()),
    responses((status = 200, description = "It does.", body = Readiness), PublicProblems)
)]
pub(crate) async fn readiness(State(state): State<ApiState>) -> Result<Response, Failure> {
    if !state.ready().is_set() {
        return Err(Failure::not_ready("the host is starting or going down"));
    }
    if !state.keyring().is_usable() {
        return Err(Failure::keys_unavailable());
    }
    answer::json(&convert::readiness(&state.registry().catalog()))
}
