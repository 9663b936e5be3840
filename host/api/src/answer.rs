//! JSON answers.

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::problem::Failure;

/// Bytes that most answers fit into, so that writing one allocates once.
const USUAL_SIZE: usize = 1024;

/// `value` as JSON, with status 200.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Response, Failure> {
    let mut body = Vec::with_capacity(USUAL_SIZE);
    serde_json::to_writer(&mut body, value).map_err(|error| Failure::unwritable(&error))?;
    Ok(document(body))
}

/// The same with status 202: it was taken up, and `location` is where to look.
pub(crate) fn accepted<T: Serialize>(location: &str, value: &T) -> Result<Response, Failure> {
    let mut response = json(value)?;
    *response.status_mut() = StatusCode::ACCEPTED;
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Bytes that are JSON, with status 200.
pub(crate) fn document(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
