//! What went wrong, from statuses, error objects and broken connections.

use std::borrow::Cow;
use std::error::Error as _;
use std::iter;
use std::time::Duration;

use bailiwick_domain::model::ModelFailure;
use bailiwick_domain::redact::Redactor;
use bailiwick_domain::secret::MIN_SECRET;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::Value;

/// Bytes of a service's words that are shown.
const MAX_SHOWN_BYTES: usize = 300;

/// What an answer with the status `status` means, of which `body` is the beginning.
pub(super) fn of_status(status: u16, body: &[u8], retry_after: Option<Duration>) -> ModelFailure {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    // Some put it into a list.
    let json = json.map(|json| if json[0].is_object() { json[0].clone() } else { json });
    let message = json.as_ref().and_then(words).unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let message = format!("status {status}: {}", message.trim());
    // A limit that no waiting lifts.
    let unpaid = status == 429 && json.as_ref().and_then(|json| named(&json["error"])) == Some(402);
    failure(if unpaid { 402 } else { status }, message, retry_after)
}

/// What the object `error` in an answer means that began well.
pub(super) fn of_error(error: &Value) -> ModelFailure {
    let status = match &error["code"] {
        Value::Number(code) => code.as_u64().and_then(|code| u16::try_from(code).ok()),
        Value::String(code) => code.parse().ok(),
        _ => None,
    };
    let status = status.filter(|status| (400..600).contains(status)).or_else(|| named(error)).unwrap_or(500);
    let message = words(error).unwrap_or_else(|| error.to_string());
    failure(status, message, None)
}

/// The status that goes with the name that an error has.
fn named(error: &Value) -> Option<u16> {
    let status = |name: &str| match name {
        "invalid_request_error" | "context_length_exceeded" | "model_not_found" | "not_found_error" => Some(400),
        "invalid_api_key" | "authentication_error" | "permission_error" => Some(401),
        "insufficient_quota" | "billing_error" => Some(402),
        "rate_limit_exceeded" | "rate_limit_error" => Some(429),
        _ => None,
    };
    [&error["code"], &error["type"]].into_iter().find_map(|name| name.as_str().and_then(status))
}

/// The message in an error, or in the object around it.
fn words(json: &Value) -> Option<String> {
    let error = if json["error"].is_null() { json } else { &json["error"] };
    let message = [error, &error["message"], &error["detail"]].into_iter().find_map(Value::as_str)?;
    // Those that pass requests on put there what the one behind them said.
    let raw = error["metadata"]["raw"].as_str();
    Some(raw.map_or_else(|| message.to_owned(), |raw| format!("{message}: {raw}")))
}

fn failure(status: u16, message: String, retry_after: Option<Duration>) -> ModelFailure {
    match status {
        401 | 403 => ModelFailure::Unauthorized(message),
        402 => ModelFailure::Payment(message),
        408 | 429 => ModelFailure::RateLimited { message, retry_after },
        500.. => ModelFailure::Server(message),
        // Also those that send elsewhere: whoever set the address up has to follow.
        _ => ModelFailure::InvalidRequest(message),
    }
}

/// When to come again: in so many seconds, or at a time, which is measured from the time
/// that the service itself says it is.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let then = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text(DATE)?).ok()?;
    Some(then.duration_since(now).unwrap_or_default())
}

/// What it means that there was no answer at all.
pub(super) fn of_sending(error: reqwest::Error) -> ModelFailure {
    if error.is_timeout() && !error.is_connect() {
        return ModelFailure::Timeout;
    }
    ModelFailure::Connection(chain(error))
}

/// What happened, and why, without the address.
pub(super) fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The failure as it may be shown: without `key`, in one line, and short.
pub(super) fn shown(failure: ModelFailure, key: Option<&str>) -> ModelFailure {
    let clean = |message: String| clean(&message, key);
    match failure {
        ModelFailure::NoModel(message) => ModelFailure::NoModel(clean(message)),
        ModelFailure::InvalidRequest(message) => ModelFailure::InvalidRequest(clean(message)),
        ModelFailure::Unauthorized(message) => ModelFailure::Unauthorized(clean(message)),
        ModelFailure::Payment(message) => ModelFailure::Payment(clean(message)),
        ModelFailure::RateLimited { message, retry_after } => {
            ModelFailure::RateLimited { message: clean(message), retry_after }
        }
        ModelFailure::Server(message) => ModelFailure::Server(clean(message)),
        ModelFailure::Connection(message) => ModelFailure::Connection(clean(message)),
        ModelFailure::BrokenOff(message) => ModelFailure::BrokenOff(clean(message)),
        ModelFailure::Nonsense(message) => ModelFailure::Nonsense(clean(message)),
        ModelFailure::Timeout => ModelFailure::Timeout,
        ModelFailure::CircuitOpen(left) => ModelFailure::CircuitOpen(left),
    }
}

fn clean(message: &str, key: Option<&str>) -> String {
    let message = key.map_or(Cow::Borrowed(message), |key| without(message, key));
    let mut text: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.len() > MAX_SHOWN_BYTES {
        text.truncate(text.floor_char_boundary(MAX_SHOWN_BYTES - '…'.len_utf8()));
        text.push('…');
    }
    text
}

/// The message without the key, and without what programs make of it.
fn without<'a>(message: &'a str, key: &str) -> Cow<'a, str> {
    if key.is_empty() {
        return message.into();
    }
    // Of a key that is no secret by its length, other forms would be found everywhere.
    if key.len() < MIN_SECRET {
        return message.replace(key, "[secret key]").into();
    }
    match Redactor::new(iter::once(("key", key.as_bytes()))) {
        Ok(redactor) => redactor.text(message).into_owned().into(),
        Err(_) => "what it said can't be shown, because the key may stand in it".into(),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn headers(retry: &'static str, date: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        headers
    }

    #[test]
    fn the_time_to_wait_is_read_in_each_form() {
        let now = Some("Wed, 21 Oct 2015 07:28:00 GMT");
        let then = "Wed, 21 Oct 2015 07:29:30 GMT";
        assert_eq!(retry_after(&headers("7", None)), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&headers("1.5", None)), Some(Duration::from_millis(1500)));
        assert_eq!(retry_after(&headers(then, now)), Some(Duration::from_secs(90)));
        assert_eq!(retry_after(&headers("Wed, 21 Oct 2015 07:00:00 GMT", now)), Some(Duration::ZERO));
        for (bad, date) in [(then, None), ("soon", now), ("-3", now), ("inf", now), ("1e999", now)] {
            assert_eq!(retry_after(&headers(bad, date)), None, "{bad}");
        }
    }

    #[test]
    fn errors_within_answers_are_told_apart_by_code_and_name() {
        let code = |error: Value| of_error(&error).code();
        assert_eq!(code(json!({"code": 429, "message": "slow down"})), "MODEL_RATE_LIMITED");
        assert_eq!(code(json!({"code": "402", "message": "no credits"})), "MODEL_PAYMENT");
        assert_eq!(code(json!({"code": "context_length_exceeded", "message": "too long"})), "MODEL_REQUEST");
        assert_eq!(code(json!({"code": null, "type": "authentication_error"})), "MODEL_UNAUTHORIZED");
        for other in [json!("words"), json!({"code": 99}), json!({"code": -1}), json!([]), json!({})] {
            assert_eq!(code(other), "MODEL_FAILED");
        }
    }

    #[test]
    fn a_quota_that_is_used_up_is_not_tried_again() {
        let body = br#"{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}"#;
        assert_eq!(of_status(429, body, None).code(), "MODEL_PAYMENT");
        let listed = of_status(400, br#"[{"error": {"message": "not so"}}]"#, None);
        assert_eq!(listed, ModelFailure::InvalidRequest("status 400: not so".to_owned()));
        let behind = br#"{"error": {"message": "Provider returned error", "metadata": {"raw": "overloaded"}}}"#;
        let behind = of_status(502, behind, None);
        assert_eq!(behind, ModelFailure::Server("status 502: Provider returned error: overloaded".to_owned()));
    }

    #[test]
    fn what_is_shown_is_short_in_one_line_and_without_the_key() {
        let key = "sk-or-v1-0123456789";
        let long = format!("a\n\u{1b}[31mb {key} {}", "ü".repeat(500));
        let ModelFailure::Server(shown) = shown(ModelFailure::Server(long), Some(key)) else {
            panic!("the kind stays");
        };
        assert!(shown.len() <= MAX_SHOWN_BYTES, "{}", shown.len());
        assert!(shown.starts_with("a  [31mb [secret key] ü") && shown.ends_with('…'), "{shown}");
        assert!(!shown.contains(key) && !shown.chars().any(char::is_control));
    }

    #[test]
    fn a_short_key_is_kept_out_too() {
        for key in ["x", "ab", "token"] {
            assert!(!clean(&format!("your {key} is wrong"), Some(key)).contains(&format!(" {key} ")));
        }
    }
}
