//! Requests to a registry: one connection each, with limits on all that comes back.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::auth::{self, Challenge};
use super::{Access, Credentials, OciError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take to begin, a large upload included.
const ANSWER: Duration = Duration::from_mins(5);

/// How long the next piece of an answer may take.
const PIECE: Duration = Duration::from_secs(30);

/// Redirects that one request follows: to a store, and from there to another.
const MAX_REDIRECTS: usize = 5;

/// Fields of an answer that are read before it is refused.
const MAX_FIELDS: usize = 100;

/// Bytes of an answer's head that are read before it is refused.
const MAX_HEAD: usize = 64 << 10;

/// Bytes of an error's text that are read; a registry says it in some hundred.
const MAX_ERROR: u64 = 4 << 10;

/// Characters of it that are told.
const MAX_SAID: usize = 200;

/// One registry, and what it was told of who asks.
pub(super) struct Http {
    authority: String,
    /// Whether it may be asked without encryption where it is not on this machine.
    unencrypted: bool,
    credentials: Option<Credentials>,
    /// What stands in `Authorization`, once the registry has asked for something.
    authorization: Mutex<Option<HeaderValue>>,
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) target: Target<'a>,
    /// What it is for, for messages.
    pub(super) what: String,
    pub(super) accept: Option<&'static str>,
    pub(super) body: Option<(&'static str, Bytes)>,
    /// What a registry that gives out tokens is asked for.
    pub(super) scope: String,
}

/// Where a request goes.
#[derive(Clone)]
pub(super) enum Target<'a> {
    /// A path of the registry.
    Path(&'a str),
    /// A place that the registry named.
    Place(Uri),
}

/// The head of an answer, with a body that is still to come.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Incoming,
    pub(super) uri: Uri,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Http {
    pub(super) fn new(authority: String, access: &Access) -> Self {
        let Access { plain_http, credentials } = access.clone();
        Self { authority, unencrypted: plain_http, credentials, authorization: Mutex::default() }
    }

    pub(super) fn host(&self) -> &str {
        &self.authority
    }

    /// Sends a request, logs in where the registry wants it, and follows redirects.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> Result<Answer, OciError> {
        let mut uri = match &ask.target {
            Target::Path(path) => self.uri(path)?,
            Target::Place(uri) => uri.clone(),
        };
        let mut logged_in = false;
        for _ in 0..=MAX_REDIRECTS {
            let own = uri.authority().is_some_and(|found| found.as_str().eq_ignore_ascii_case(&self.authority));
            let authorization = if own { self.authorization() } else { None };
            let answer = self.exchange(ask, &uri, authorization).await?;
            let reads = matches!(ask.method, Method::GET | Method::HEAD);
            if answer.status == StatusCode::UNAUTHORIZED && own && !logged_in {
                self.log_in(&answer, ask).await?;
                logged_in = true;
            } else if answer.status.is_redirection() && reads {
                uri = self.place(&answer, &ask.what)?;
            } else {
                return Ok(answer);
            }
        }
        Err(self.nonsense("answer", format!("more than {MAX_REDIRECTS} redirects for {}", ask.what)))
    }

    /// The answer, if it has the status that was expected.
    pub(super) async fn expect(&self, ask: &Ask<'_>, status: StatusCode) -> Result<Answer, OciError> {
        let answer = self.send(ask).await?;
        if answer.status == status { Ok(answer) } else { Err(self.refused(answer, ask).await) }
    }

    /// Where an answer leads to, on this registry or elsewhere.
    pub(super) fn place(&self, answer: &Answer, what: &str) -> Result<Uri, OciError> {
        let wrong = |problem: &str| self.nonsense("answer", format!("{problem} for {what}"));
        let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| wrong("no place to go to"))?;
        let whole = if location.starts_with('/') {
            let base = (answer.uri.scheme_str(), answer.uri.authority());
            let (Some(scheme), Some(authority)) = base else { return Err(wrong("no place to go to")) };
            format!("{scheme}://{authority}{location}")
        } else {
            location.to_owned()
        };
        let uri: Uri = whole.parse().map_err(|_| wrong("a place that is none"))?;
        // What began with encryption doesn't go on without.
        match (answer.uri.scheme_str(), uri.scheme_str()) {
            (_, Some("https")) | (Some("http"), Some("http")) => Ok(uri),
            _ => Err(wrong("a place without encryption, or none")),
        }
    }

    /// What an answer that was not expected means.
    pub(super) async fn refused(&self, answer: Answer, ask: &Ask<'_>) -> OciError {
        let status = answer.status;
        match status {
            StatusCode::UNAUTHORIZED => self.login("does not know this name and password"),
            StatusCode::NOT_FOUND => OciError::Missing { what: ask.what.clone() },
            _ => {
                let text = answer.read(self, MAX_ERROR, "error").await.unwrap_or_default();
                OciError::Status {
                    host: self.authority.clone(),
                    what: ask.what.clone(),
                    status: status.as_u16(),
                    said: said(&text),
                }
            }
        }
    }

    pub(super) fn nonsense(&self, what: &'static str, problem: impl Into<String>) -> OciError {
        OciError::Nonsense { host: self.authority.clone(), what, problem: problem.into() }
    }

    fn login(&self, problem: &'static str) -> OciError {
        OciError::Login { host: self.authority.clone(), problem }
    }

    fn uri(&self, path: &str) -> Result<Uri, OciError> {
        let host = self.authority.rsplit_once(':').map_or(&*self.authority, |(host, port)| {
            if port.bytes().all(|c| c.is_ascii_digit()) { host } else { &self.authority }
        });
        let scheme = if self.unencrypted || is_loopback(host) { "http" } else { "https" };
        let uri = format!("{scheme}://{}{path}", self.authority).parse();
        uri.map_err(|_| OciError::Unreachable {
            host: self.authority.clone(),
            problem: "its name is no address".into(),
        })
    }

    fn authorization(&self) -> Option<HeaderValue> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what the registry's challenge asks for.
    async fn log_in(&self, answer: &Answer, ask: &Ask<'_>) -> Result<(), OciError> {
        let challenge =
            auth::challenge(&answer.headers).ok_or_else(|| self.nonsense("challenge", "it names no scheme"))?;
        let value = match challenge {
            Challenge::Basic => {
                let known = self.credentials.as_ref().ok_or_else(|| self.login("wants to know who asks"))?;
                auth::basic(known)
            }
            Challenge::Bearer { realm, service, scope } => {
                let scope = scope.unwrap_or_else(|| ask.scope.clone());
                self.token(&realm, service.as_deref(), &scope).await?
            }
        };
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(())
    }

    /// Fetches a token from the place that the registry named.
    async fn token(&self, realm: &str, service: Option<&str>, scope: &str) -> Result<HeaderValue, OciError> {
        let uri = auth::token_uri(realm, service, scope)
            .ok_or_else(|| self.nonsense("challenge", "its realm is no address"))?;
        let ask = Ask {
            method: Method::GET,
            target: Target::Place(uri.clone()),
            what: "a token".to_owned(),
            accept: Some("application/json"),
            body: None,
            scope: String::new(),
        };
        let answer = self.exchange(&ask, &uri, self.credentials.as_ref().map(auth::basic)).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let known = self.credentials.is_some();
            return Err(self.login(if known {
                "does not know this name and password"
            } else {
                "wants to know who asks"
            }));
        }
        if answer.status != StatusCode::OK {
            return Err(self.refused(answer, &ask).await);
        }
        let text = answer.read(self, MAX_HEAD as u64, "token").await?;
        auth::bearer(&text).ok_or_else(|| self.nonsense("token", "it has no `token`"))
    }

    async fn exchange(&self, ask: &Ask<'_>, uri: &Uri, authorization: Option<HeaderValue>) -> Result<Answer, OciError> {
        let unreachable = |problem: String| OciError::Unreachable { host: host_of(uri), problem };
        let stream = self.connect(uri).await?;
        let mut builder = http1::Builder::new();
        builder.max_headers(MAX_FIELDS).max_buf_size(MAX_HEAD);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(error.to_string()))?;
        // It ends when the answer was read or dropped.
        tokio::spawn(connection);
        let request = request(ask, uri, authorization).map_err(|error| unreachable(error.to_string()))?;
        let slow = |_| OciError::Slow { host: host_of(uri), what: "to answer", after: ANSWER };
        let answered: Result<Response<Incoming>, _> =
            timeout(ANSWER, sender.send_request(request)).await.map_err(slow)?;
        let response = answered.map_err(|error| self.nonsense("HTTP answer", error.to_string()))?;
        let (head, body) = response.into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body, uri: uri.clone() })
    }

    async fn connect(&self, uri: &Uri) -> Result<Box<dyn Stream>, OciError> {
        let named = host_of(uri);
        let unreachable = |problem: String| OciError::Unreachable { host: named.clone(), problem };
        let plain = || OciError::Plain { host: named.clone() };
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let encrypted = uri.scheme_str() == Some("https");
        if !encrypted && !self.unencrypted && !is_loopback(&host) {
            return Err(plain());
        }
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let slow = |_| OciError::Slow { host: named.clone(), what: "to take a connection", after: CONNECT };
        let connected = timeout(CONNECT, TcpStream::connect((host.as_str(), port))).await.map_err(slow)?;
        let stream = connected.map_err(|error| unreachable(error.to_string()))?;
        let there = stream.peer_addr().map_err(|error| unreachable(error.to_string()))?;
        if encrypted {
            let name = ServerName::try_from(host).map_err(|error| unreachable(error.to_string()))?;
            let secured = timeout(CONNECT, TLS.connect(name, stream)).await.map_err(slow)?;
            return Ok(Box::new(secured.map_err(|error| unreachable(error.to_string()))?));
        }
        // A name says little about where it leads to.
        if self.unencrypted || there.ip().to_canonical().is_loopback() { Ok(Box::new(stream)) } else { Err(plain()) }
    }
}

impl Answer {
    /// The body, of which there may be `max` bytes.
    pub(super) async fn read(self, http: &Http, max: u64, what: &str) -> Result<Vec<u8>, OciError> {
        let mut body = self.body;
        let mut bytes = Vec::new();
        loop {
            let slow =
                |_| OciError::Slow { host: http.authority.clone(), what: "to go on with its answer", after: PIECE };
            let Some(frame) = timeout(PIECE, body.frame()).await.map_err(slow)? else { return Ok(bytes) };
            let frame = frame.map_err(|error| http.nonsense("whole answer", error.to_string()))?;
            let Some(piece) = frame.data_ref() else { continue };
            if bytes.len() as u64 + piece.len() as u64 > max {
                return Err(OciError::TooLarge { what: what.to_owned(), max });
            }
            bytes.extend_from_slice(piece);
        }
    }

    /// The value of `Content-Type`, without parameters.
    pub(super) fn media_type(&self) -> Option<&str> {
        let value = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        value.split(';').next().map(str::trim)
    }
}

/// Trusts the authorities that browsers trust.
static TLS: LazyLock<TlsConnector> = LazyLock::new(|| {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
});

fn request(ask: &Ask<'_>, uri: &Uri, authorization: Option<HeaderValue>) -> Result<Request<Full<Bytes>>, http::Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(ask.method.clone())
        .uri(path)
        .header(HOST, host_of(uri))
        .header(USER_AGENT, concat!("bailiwick/", env!("CARGO_PKG_VERSION")));
    if let Some(accept) = ask.accept {
        request = request.header(ACCEPT, accept);
    }
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    match &ask.body {
        Some((media_type, body)) => request.header(CONTENT_TYPE, *media_type).body(Full::new(body.clone())),
        None => request.body(Full::default()),
    }
}

fn host_of(uri: &Uri) -> String {
    uri.authority()
        .map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

/// Whether a host is this machine by its own name or address.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The reason that a registry gives, in its own form or as text.
fn said(text: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<Reason>,
    }
    #[derive(serde::Deserialize)]
    struct Reason {
        code: String,
        #[serde(default)]
        message: String,
    }
    let reasons = serde_json::from_slice::<Errors>(text).map(|it| it.errors).unwrap_or_default();
    let Some(Reason { code, message }) = reasons.into_iter().next() else { return String::new() };
    let tame = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let text: String = format!("{code}: {message}").chars().take(MAX_SAID).map(tame).collect();
    format!(" ({text})")
}
