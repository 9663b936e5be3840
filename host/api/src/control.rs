//! The control socket: the same routes, for the owner of the data folder.
//!
//! The socket lies in that folder, which its owner alone can enter; so whoever
//! reaches it needs no key. The command line uses it while a server runs.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::Service as _;

use crate::auth::caller::Owner;

/// In which the command line says who sits at it, for records.
static PERSON: HeaderName = HeaderName::from_static("bailiwick-person");

/// Commands that are served at once.
const MAX_CONNECTIONS: usize = 32;

/// How long the head of a request may take to come in.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves `router` on the control socket until the task is dropped.
pub async fn serve_control(listener: UnixListener, router: Router) -> io::Result<Infallible> {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let (stream, _) = listener.accept().await?;
        let router = router.clone();
        tokio::spawn(async move {
            connection(stream, router).await;
            drop(place);
        });
    }
}

async fn connection(stream: UnixStream, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| answer(router.clone(), request));
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    if let Err(error) = protocol.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a control connection ended early");
    }
}

fn answer(mut router: Router, request: Request<Incoming>) -> impl Future<Output = Result<Response, Infallible>> {
    let mut request = request.map(Body::new);
    let person = request.headers().get(&PERSON).and_then(|value| value.to_str().ok()).unwrap_or("unknown");
    let owner = Owner::named(&format!("cli:{person}"));
    request.extensions_mut().insert(owner);
    router.call(request)
}

/// Asks a host as its owner: the one in this process, or the one behind a control socket.
#[derive(Clone)]
pub struct ControlClient {
    place: Place,
    person: String,
}

#[derive(Clone)]
enum Place {
    Here(Router),
    There(PathBuf),
}

impl ControlClient {
    /// The host of this process, asked by `person`.
    pub fn here(router: Router, person: &str) -> Self {
        Self { place: Place::Here(router), person: person.to_owned() }
    }

    /// The host behind the socket at `path`, asked by `person`; none where nobody
    /// listens there.
    pub fn there(path: &Path, person: &str) -> Option<Self> {
        // What a host left behind that is gone refuses connections.
        std::os::unix::net::UnixStream::connect(path).ok()?;
        Some(Self { place: Place::There(path.to_owned()), person: person.to_owned() })
    }

    /// Sends a request, gives each piece of the answer to `take`, and answers the status.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<Vec<u8>>,
        take: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
    ) -> io::Result<u16> {
        let mut pieces = self.open(method, path, headers, body).await?;
        while let Some(piece) = pieces.next().await? {
            take(&piece)?;
        }
        Ok(pieces.status())
    }

    /// Sends a request, and answers as soon as the answer begins.
    pub async fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<Vec<u8>>,
    ) -> io::Result<Pieces> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        // A name that a header can't hold is left out.
        if let Ok(person) = HeaderValue::from_str(&self.person) {
            request = request.header(&PERSON, person);
        }
        let mut request = request.body(Body::from(body.unwrap_or_default())).map_err(io::Error::other)?;
        match &self.place {
            Place::Here(router) => {
                request.extensions_mut().insert(Owner::named(&format!("cli:{}", self.person)));
                let Ok(response) = router.clone().call(request).await;
                let (head, body) = response.into_parts();
                Ok(Pieces { status: head.status.as_u16(), body, _connection: None })
            }
            Place::There(path) => {
                let stream = UnixStream::connect(path).await?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
                let connection = Connection(tokio::spawn(connection));
                let response = sender.send_request(request).await.map_err(io::Error::other)?;
                let (head, body) = response.into_parts();
                Ok(Pieces { status: head.status.as_u16(), body: Body::new(body), _connection: Some(connection) })
            }
        }
    }
}

/// An answer that comes in pieces.
pub struct Pieces {
    status: u16,
    body: Body,
    _connection: Option<Connection>,
}

impl Pieces {
    /// The status of the answer.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The next piece; none at the end. Whoever stops waiting for it loses nothing.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while let Some(frame) = self.body.frame().await {
            // Trailers say nothing here.
            if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
                return Ok(Some(data.to_vec()));
            }
        }
        Ok(None)
    }
}

/// What speaks on a connection. It ends with the answer that it brings.
struct Connection(JoinHandle<hyper::Result<()>>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}
