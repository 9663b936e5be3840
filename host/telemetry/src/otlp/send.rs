//! One request to the collector, and what its answer means.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use serde_json::Value;

use super::{HeaderSource, OptionsError, OtlpOptions};

/// How long a connection may take, with its encryption.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of an answer that are read: it says how many spans were rejected, if any.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Posts bodies to one collector.
pub(super) struct Sender {
    client: Client,
    url: Url,
    headers: HeaderSource,
    timeout: Duration,
}

/// Why spans were not taken.
pub(super) struct Refusal {
    pub(super) reason: String,
    pub(super) again: Again,
}

/// Whether spans that were not taken may be later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// They won't be.
    Never,
    /// After a while.
    Later,
    /// After as long as the collector says.
    After(Duration),
}

/// An answer, as far as it matters.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    partial_success: Option<Partial>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Partial {
    /// A number, or a text with one, as protobuf has numbers of 64 bits in JSON.
    rejected_spans: Value,
}

impl Sender {
    pub(super) fn new(options: OtlpOptions) -> Result<Self, OptionsError> {
        let url = endpoint(&options.url)?;
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // One request at a time.
            .pool_max_idle_per_host(1)
            // The headers go to the collector that was named, and by no other way.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(OptionsError::Client)?;
        Ok(Self { client, url, headers: options.headers, timeout: options.timeout })
    }

    /// Sends a body, and answers how many of its spans were rejected.
    pub(super) async fn post(&self, body: Vec<u8>) -> Result<u64, Refusal> {
        // A secret that can't be read now may be later.
        let headers = self.headers().map_err(|reason| Refusal { reason, again: Again::Later })?;
        let request = self.client.post(self.url.clone()).timeout(self.timeout).headers(headers).body(body);
        let response = request.send().await.map_err(|error| Refusal { reason: chain(error), again: Again::Later })?;
        let status = response.status();
        if status.is_success() {
            return Ok(rejected(response).await);
        }
        let reason = format!("the collector answers with status {}", status.as_u16());
        // Those that the protocol names as worth another try.
        let again = if [429, 502, 503, 504].contains(&status.as_u16()) {
            retry_after(response.headers()).map_or(Again::Later, Again::After)
        } else {
            Again::Never
        };
        Err(Refusal { reason, again })
    }

    fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in (self.headers)()? {
            let wrong = || format!("the header `{name}` of the collector can't be sent as it is");
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(headers)
    }
}

/// The address that spans go to.
fn endpoint(base: &str) -> Result<Url, OptionsError> {
    let url = format!("{}/v1/traces", base.trim_end_matches('/'));
    let (Ok(given), Ok(url)) = (Url::parse(base), Url::parse(&url)) else {
        return Err(OptionsError::Url("is no address"));
    };
    if !matches!(given.scheme(), "http" | "https") {
        return Err(OptionsError::Url("has another scheme than http and https"));
    }
    if !given.username().is_empty() || given.password().is_some() {
        return Err(OptionsError::Url("has a user in it"));
    }
    if given.query().is_some() || given.fragment().is_some() {
        return Err(OptionsError::Url("has a query or a fragment"));
    }
    Ok(url)
}

/// How many spans an answer rejects. One that can't be read rejects none.
async fn rejected(mut response: Response) -> u64 {
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER_BYTES {
        let Ok(Some(bytes)) = response.chunk().await else { break };
        let room = MAX_ANSWER_BYTES - body.len();
        body.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
    let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
    match answer.partial_success.unwrap_or_default().rejected_spans {
        Value::Number(number) => number.as_u64().unwrap_or_default(),
        Value::String(text) => text.parse().unwrap_or_default(),
        _ => 0,
    }
}

/// When to come again: in so many seconds, or at a time, which is measured from the time
/// that the collector itself says it is.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let then = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text(DATE)?).ok()?;
    Some(then.duration_since(now).unwrap_or_default())
}

/// What happened, and why, without the address.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_a_collector_or_refused() {
        for (base, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://otel.example.com/", "https://otel.example.com/v1/traces"),
            ("https://example.com/tenant", "https://example.com/tenant/v1/traces"),
        ] {
            assert_eq!(endpoint(base).expect("an address").as_str(), expected);
        }
        for (base, problem) in [
            ("collector", "is no address"),
            ("grpc://127.0.0.1:4317", "has another scheme"),
            ("http://a:word@127.0.0.1", "has a user in it"),
            ("http://127.0.0.1?a=b", "has a query"),
        ] {
            let error = endpoint(base).expect_err(base).to_string();
            assert!(error.contains(problem) && !error.contains("word"), "{error}");
        }
    }

    #[test]
    fn a_wait_is_in_seconds_or_until_a_time() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert(DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:40 GMT"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("soon"));
        assert_eq!(retry_after(&headers), None);
    }
}
