use std::time::Duration;

use super::{Error, Response, exchange};

/// How long a request may take when it does not say: long enough for a slow
/// server, short enough to leave a skill time to answer.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The shortest timeout. A shorter one, zero above all, is raised to this: no
/// server could answer within it, and hosts have stumbled over zero.
pub const MIN_TIMEOUT: Duration = Duration::from_millis(1);

/// How many bytes of a body are taken when the request does not say: generous
/// for text, and a small part of a skill's usual memory.
pub const DEFAULT_MAX_RESPONSE_BYTES: usize = 4 * 1024 * 1024;

/// The longest URL; longer ones are refused by most servers.
pub const MAX_URL_BYTES: usize = 8 * 1024;

/// The method of a request, by the names of RFC 9110 and RFC 5789.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

/// A request that can be sent once or several times.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) between_bytes_timeout: Option<Duration>,
    pub(super) max_response_bytes: usize,
    pub(super) truncate: bool,
}

impl Request {
    /// A request for an absolute `http` or `https` URL. The URL is checked when
    /// the request is sent.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout: DEFAULT_TIMEOUT,
            connect_timeout: None,
            between_bytes_timeout: None,
            max_response_bytes: DEFAULT_MAX_RESPONSE_BYTES,
            truncate: false,
        }
    }

    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// A HEAD request.
    pub fn head(url: impl Into<String>) -> Self {
        Self::new(Method::Head, url)
    }

    /// A POST request with a body.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Method::Post, url).body(body)
    }

    /// Adds a header; one of the same name stays beside it. `host` and the
    /// headers that manage the connection belong to the host, which refuses them.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The body. `content-length` is added where the request has none.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// How long the whole exchange may take, from connecting to the last byte
    /// of the body. The default is [`DEFAULT_TIMEOUT`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(MIN_TIMEOUT);
        self
    }

    /// How long connecting may take, where that is less than the timeout.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout.max(MIN_TIMEOUT));
        self
    }

    /// How long the server may pause inside the body, where that is less than
    /// the timeout.
    pub fn between_bytes_timeout(mut self, timeout: Duration) -> Self {
        self.between_bytes_timeout = Some(timeout.max(MIN_TIMEOUT));
        self
    }

    /// How many bytes the body may have; more are [`Error::TooLarge`]. The
    /// default is [`DEFAULT_MAX_RESPONSE_BYTES`].
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Keeps the first bytes of a body that is too large, and sets
    /// [`Response::truncated`], in place of an error.
    pub fn truncate_large_body(mut self) -> Self {
        self.truncate = true;
        self
    }

    /// Sends the request and waits for the whole response. An answer of any
    /// status is `Ok`; see [`Response::is_success`].
    pub fn send(&self) -> Result<Response, Error> {
        exchange::exchange(self)
    }
}
