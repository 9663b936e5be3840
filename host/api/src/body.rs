//! Bodies: announced as JSON, bounded in size and time, and read into a type.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;

use crate::problem::Failure;
use crate::state::ApiState;

/// Bytes that one permit of the room for bodies stands for; smaller ones would
/// need more permits than a semaphore has.
pub(crate) const ROOM_UNIT: usize = 1024;

/// How long a client should wait when there is no room for its body.
const RETRY_WHEN_FULL: Duration = Duration::from_secs(1);

/// A JSON body, read into `T`.
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    /// What the body took from the room for all bodies, until the request is answered.
    pub(crate) _room: OwnedSemaphorePermit,
}

impl<T: DeserializeOwned> FromRequest<ApiState> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let limit = state.options().body_limit;
        check_type(request.headers())?;
        let announced = announced_length(request.headers());
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(Failure::body_too_large(limit));
        }
        let room = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(limit);
        let units = u32::try_from(room.div_ceil(ROOM_UNIT).max(1)).unwrap_or(u32::MAX);
        let room = std::sync::Arc::clone(state.body_room()).try_acquire_many_owned(units);
        let room = room.map_err(|_| Failure::busy("no room for the body of another request", RETRY_WHEN_FULL))?;
        let bytes = tokio::time::timeout(state.options().body_timeout, read(request.into_body(), limit))
            .await
            .map_err(|_| Failure::body_timeout(state.options().body_timeout))??;
        Ok(Self { value: parse(&bytes)?, _room: room })
    }
}

/// A JSON body that may be left out whole, which is as good as one without members.
pub(crate) struct OptionalBody<T> {
    pub(crate) value: T,
    /// What the body took from the room for all bodies, where there is one.
    pub(crate) _room: Option<OwnedSemaphorePermit>,
}

impl<T: DeserializeOwned + Default> FromRequest<ApiState> for OptionalBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        if request.body().is_end_stream() && !request.headers().contains_key(CONTENT_TYPE) {
            return Ok(Self { value: T::default(), _room: None });
        }
        let JsonBody { value, _room: room } = JsonBody::<Option<T>>::from_request(request, state).await?;
        Ok(Self { value: value.unwrap_or_default(), _room: Some(room) })
    }
}

/// Reads the whole body, without a copy where it comes in one piece.
async fn read(mut body: Body, limit: usize) -> Result<Bytes, Failure> {
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::incomplete_body(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(Failure::body_too_large(limit));
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// Every request is an object. Serde would read an array as its members in their
/// order too, which nobody documents and nobody means.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Failure::invalid_member("", "invalid type: array, expected an object"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            Failure::invalid_request(pointer::<T>(bytes), &error)
        } else {
            Failure::invalid_json(&error)
        }
    })
}

/// Where the value stands that doesn't fit. Reading a second time, with an eye
/// on the place, costs only those who erred.
fn pointer<T: DeserializeOwned>(bytes: &[u8]) -> String {
    use serde_path_to_error::Segment;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut reader) else { return String::new() };
    let mut pointer = String::new();
    for segment in error.path() {
        let text = match segment {
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Seq { index } => index.to_string(),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&text);
    }
    pointer
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the body is announced as plain JSON. Asking for this keeps pages of
/// other sites out too: no form can send it.
fn check_type(headers: &HeaderMap) -> Result<(), Failure> {
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("(not text)"));
    let Some(content_type) = content_type else {
        return Err(Failure::unsupported_media_type("the request has no `Content-Type`"));
    };
    if !is_json(content_type) {
        return Err(Failure::unsupported_media_type(&format!("`Content-Type` is `{content_type}`")));
    }
    match headers.get(CONTENT_ENCODING) {
        Some(coding) if !coding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(Failure::unsupported_media_type("the body has a `Content-Encoding`"))
        }
        _ => Ok(()),
    }
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/");
    let json = subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"));
    let utf8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    json && parts.all(utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf_8_is_json() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/vnd.example+json",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "text/json", "text/plain", "application/jsonp", "application/json; charset=latin1", "json"] {
            assert!(!is_json(bad), "{bad}");
        }
    }

    #[test]
    fn the_place_of_a_wrong_value_is_a_json_pointer() {
        use bailiwick_wire::execute::ExecuteRequest;
        let place = |text: &str| pointer::<ExecuteRequest>(text.as_bytes());
        assert_eq!(place(r#"{"arguments":{"a":1},"deadline_ms":"soon"}"#), "/deadline_ms");
        assert_eq!(place(r#"{"arguments":[]}"#), "/arguments");
        assert_eq!(place("[]"), "");
    }
}
