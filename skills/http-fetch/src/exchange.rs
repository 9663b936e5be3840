//! Requests that follow redirects. Each redirect is a request of its own, which
//! the host checks like the first.

use std::time::{Duration, Instant};

use bailiwick_guest::http::{self, Error, Request};
use url::{Origin, Url};

use crate::arguments::{Checked, check_web_url};
use crate::coding;
use crate::exports::bailiwick::http_fetch::tools::{Failure, Header, Method};

/// The answer at the end of the redirects, its content coding undone.
pub struct Answer {
    pub url: Url,
    pub response: http::Response,
}

/// What to do with a body that is larger than `max_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    Cut,
    Fail,
}

/// Servers that keep logs like to know who asks.
const USER_AGENT: &str = concat!("bailiwick-http-fetch/", env!("CARGO_PKG_VERSION"));

/// Headers that carry a secret for one site, which no other site may get.
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Sends a request and follows where it leads.
pub fn send(request: &Checked, accept: &str, excess: Excess) -> Result<Answer, Failure> {
    let began = Instant::now();
    let origin = request.url.origin();
    let mut url = request.url.clone();
    let mut redirects_left = request.redirects;
    loop {
        let left = request.timeout.saturating_sub(began.elapsed());
        if left == Duration::ZERO {
            return Err(Failure::Timeout(format!("the time of {:?} was up before `{url}` was asked", request.timeout)));
        }
        let response = send_once(request, &url, &origin, accept, left, excess)
            .map_err(|error| failure(error, &request.url, &url))?;
        let next = match response.location() {
            Some(location) if request.redirects > 0 => target(&url, location)?,
            _ => {
                let response = coding::decode(response, request.max_bytes, excess)?;
                return Ok(Answer { url, response });
            }
        };
        redirects_left = redirects_left.checked_sub(1).ok_or_else(|| {
            Failure::TooManyRedirects(format!(
                "`{}` led through {} redirects to `{url}`, which redirects again to `{next}`",
                request.url, request.redirects
            ))
        })?;
        url = next;
    }
}

fn send_once(
    request: &Checked,
    url: &Url,
    origin: &Origin,
    accept: &str,
    timeout: Duration,
    excess: Excess,
) -> Result<http::Response, Error> {
    let method = match request.method {
        Method::Get => http::Method::Get,
        Method::Head => http::Method::Head,
    };
    let mut outgoing = Request::new(method, url.as_str()).timeout(timeout).max_response_bytes(request.max_bytes);
    if excess == Excess::Cut {
        outgoing = outgoing.truncate_large_body();
    }
    let defaults = [("accept", accept), ("accept-encoding", "gzip"), ("user-agent", USER_AGENT)];
    for (name, value) in defaults {
        if !names(&request.headers, name) {
            outgoing = outgoing.header(name, value);
        }
    }
    let same_site = url.origin() == *origin;
    for Header { name, value } in &request.headers {
        if same_site || !is_secret(name) {
            outgoing = outgoing.header(name, value.as_bytes());
        }
    }
    outgoing.send()
}

fn names(headers: &[Header], name: &str) -> bool {
    headers.iter().any(|header| header.name.eq_ignore_ascii_case(name))
}

fn is_secret(name: &str) -> bool {
    SECRET_HEADERS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// Where a redirect leads. A fragment is for whoever displays the page.
fn target(from: &Url, location: &str) -> Result<Url, Failure> {
    let broken = |why: &str| Failure::Protocol(format!("`{from}` redirects to `{location}`: {why}"));
    let mut url = from.join(location).map_err(|error| broken(&error.to_string()))?;
    check_web_url(&url).map_err(|why| broken(&why))?;
    url.set_fragment(None);
    Ok(url)
}

fn failure(error: Error, asked: &Url, url: &Url) -> Failure {
    let mut text = error.to_string();
    if asked != url {
        text.push_str(&format!(" (`{asked}` redirected to `{url}`)"));
    }
    match error {
        Error::Denied { .. } => Failure::Denied(text),
        Error::InvalidRequest(_) => Failure::InvalidArgument(text),
        Error::Timeout { .. } => Failure::Timeout(text),
        Error::Connection { .. } => Failure::Connection(text),
        Error::Tls { .. } => Failure::Tls(text),
        Error::TooLarge { .. } => Failure::TooLarge(text),
        Error::Protocol { .. } => Failure::Protocol(text),
    }
}
