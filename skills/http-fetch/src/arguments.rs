//! The arguments of the tools, checked.

use std::time::Duration;

use url::Url;

use crate::exports::bailiwick::http_fetch::tools::{Failure, Header, Method};

/// A number that a caller may leave out, with the range that it must be in.
pub struct Range {
    name: &'static str,
    default: u32,
    most: u32,
}

/// Text for a model fits into the default many times over; the most leaves room
/// in memory for the body, its decoded text and the answer.
pub const FETCH_BYTES: Range = Range { name: "max-bytes", default: 256 * 1024, most: 2 * 1024 * 1024 };

/// Pages carry far more markup than text, so more of them is taken. A tree takes
/// several times the bytes of its HTML.
pub const PAGE_BYTES: Range = Range { name: "max-bytes", default: 2 * 1024 * 1024, most: 4 * 1024 * 1024 };

/// As for text, but a document that is cut is worth nothing, so the default is
/// more generous.
pub const JSON_BYTES: Range = Range { name: "max-bytes", default: 1024 * 1024, most: 2 * 1024 * 1024 };

/// The most leaves the skill time to answer before its own deadline of 30 s.
const TIMEOUT_MS: Range = Range { name: "timeout-ms", default: 10_000, most: 25_000 };

/// What a chain of honest redirects needs: to https, to www, to a language.
const MAX_REDIRECTS: u8 = 5;

/// More than any browser sends.
const MAX_HEADERS: usize = 32;

/// What servers commonly take for all headers together.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Headers that speak of a body, which a GET or HEAD request does not have here:
/// a server would wait for it.
const BODY_HEADERS: [&str; 2] = ["content-length", "transfer-encoding"];

/// A request as the caller wrote it, with defaults where only one is possible.
pub struct Wanted {
    pub url: String,
    pub method: Method,
    pub headers: Vec<Header>,
    pub timeout_ms: Option<u32>,
    pub max_bytes: usize,
    pub follow_redirects: Option<u8>,
}

/// A request that can be sent.
pub struct Checked {
    pub url: Url,
    pub method: Method,
    pub headers: Vec<Header>,
    pub timeout: Duration,
    pub max_bytes: usize,
    pub redirects: u8,
}

impl Wanted {
    pub fn check(self) -> Result<Checked, Failure> {
        let timeout_ms = TIMEOUT_MS.check(self.timeout_ms)?;
        Ok(Checked {
            url: web_url(&self.url)?,
            method: self.method,
            headers: check_headers(self.headers)?,
            timeout: Duration::from_millis(timeout_ms as u64),
            max_bytes: self.max_bytes,
            redirects: check_redirects(self.follow_redirects)?,
        })
    }
}

impl Range {
    pub fn check(&self, value: Option<u32>) -> Result<usize, Failure> {
        match value.unwrap_or(self.default) {
            value if (1..=self.most).contains(&value) => Ok(value as usize),
            value => {
                Err(Failure::InvalidArgument(format!("`{}` is {value}; it must be 1 to {}", self.name, self.most)))
            }
        }
    }

    /// The largest value.
    pub fn most(&self) -> usize {
        self.most as usize
    }
}

/// Reads an absolute URL that a request can go to. What a browser would repair
/// in it is repaired, so that the host checks the address that is meant.
pub fn web_url(text: &str) -> Result<Url, Failure> {
    let mut url =
        Url::parse(text.trim()).map_err(|error| Failure::InvalidUrl(format!("`{text}` is not a URL: {error}")))?;
    check_web_url(&url).map_err(|why| Failure::InvalidUrl(format!("`{text}`: {why}")))?;
    url.set_fragment(None);
    Ok(url)
}

/// Why no request can go to a URL.
pub fn check_web_url(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the scheme is `{}`, and only http and https can be fetched", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials belong in an `authorization` header, not in the URL".to_owned());
    }
    Ok(())
}

fn check_headers(headers: Vec<Header>) -> Result<Vec<Header>, Failure> {
    if headers.len() > MAX_HEADERS {
        return Err(Failure::InvalidArgument(format!(
            "there are {} headers; at most {MAX_HEADERS} can be sent",
            headers.len()
        )));
    }
    let of_body = |header: &&Header| BODY_HEADERS.iter().any(|name| name.eq_ignore_ascii_case(&header.name));
    if let Some(header) = headers.iter().find(of_body) {
        return Err(Failure::InvalidArgument(format!(
            "the header `{}` cannot be sent: the request has no body",
            header.name
        )));
    }
    let size: usize = headers.iter().map(|h| h.name.len() + h.value.len()).sum();
    if size > MAX_HEADER_BYTES {
        return Err(Failure::InvalidArgument(format!(
            "the headers have {size} bytes; at most {MAX_HEADER_BYTES} can be sent"
        )));
    }
    Ok(headers)
}

fn check_redirects(value: Option<u8>) -> Result<u8, Failure> {
    match value.unwrap_or(MAX_REDIRECTS) {
        value if value <= MAX_REDIRECTS => Ok(value),
        value => {
            Err(Failure::InvalidArgument(format!("`follow-redirects` is {value}; it must be 0 to {MAX_REDIRECTS}")))
        }
    }
}
