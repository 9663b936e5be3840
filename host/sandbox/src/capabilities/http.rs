//! Outgoing requests by `wasi:http`.
//!
//! A request is checked as the guest made it, and the address again when it is
//! resolved: the connection goes to the very address that was checked. The
//! host follows no redirect; a guest that does makes a new request, which is
//! checked like the first. Secrets are put in last, once the connection stands.

mod connect;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::uri::Scheme as UriScheme;
use ::http::{Request, Response, Uri};
use bailiwick_domain::authority::{HttpTarget, Scheme};
use bailiwick_domain::permit::Terms;
use bailiwick_domain::secret::SecretSet;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use wasmtime::component::Linker;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::secret::{self, Placeholders};
use super::{Denials, Uses};
use crate::guest::Guest;

/// Requests of one call: a crawl is many calls.
const MAX_REQUESTS: u64 = 100;

/// Bytes of one response body. More than any limit of memory that a guest has by default.
const MAX_RESPONSE: usize = 64 << 20;

/// Roughly the bytes of the fields of one request or response, in memory.
pub(crate) const FIELD_SIZE: usize = 64 << 10;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}

/// What one call sent and received.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) requests: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
}

/// Stands between one call's requests and the network.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) terms: Arc<Terms>,
    pub(crate) secrets: Arc<SecretSet>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) uses: Arc<Uses>,
    pub(crate) traffic: Arc<Traffic>,
}

/// A response and the work that goes on behind it.
type Answered = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answered, Error>> + Send> {
        let checked = self.check(&request);
        let call = self.clone();
        Box::new(async move {
            let (destination, placeholders) = checked?;
            send(destination, placeholders, request, options.unwrap_or_default(), call).await
        })
    }
}

/// Where an allowed request goes.
struct Destination {
    scheme: Scheme,
    host: String,
    port: u16,
    method: String,
    path: String,
}

impl Destination {
    fn of(request: &Request<WasiBody>) -> Option<Self> {
        let uri = request.uri();
        let scheme = match uri.scheme()? {
            scheme if *scheme == UriScheme::HTTPS => Scheme::Https,
            scheme if *scheme == UriScheme::HTTP => Scheme::Http,
            _ => return None,
        };
        let authority = uri.authority()?;
        // Credentials in a URL reach no server by way of this host.
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            // `example.com:` and `example.com:99999` have a port that can't be read.
            None if authority.as_str().len() > authority.host().len() => return None,
            None => scheme.default_port(),
        };
        Some(Self {
            scheme,
            host: host.to_owned(),
            port,
            method: request.method().as_str().to_owned(),
            path: uri.path().to_owned(),
        })
    }

    fn target(&self) -> HttpTarget<'_> {
        HttpTarget { method: &self.method, scheme: self.scheme, host: &self.host, port: self.port, path: &self.path }
    }

    /// For records: no path and no query, which may hold what is secret.
    fn summary(&self) -> String {
        format!("{} {}://{}:{}", self.method, self.scheme, self.host, self.port)
    }
}

impl Gate {
    /// Whether the request may be sent, and with which secrets.
    fn check(&self, request: &Request<WasiBody>) -> Result<(Destination, Placeholders), Error> {
        let Some(destination) = Destination::of(request) else {
            self.denials.record("http", request.method().to_string(), "not a plain http or https URL");
            return Err(Error::HttpRequestUriInvalid);
        };
        if let Err(refusal) = self.terms.http.judge(&destination.target()) {
            self.denials.record("http", destination.summary(), refusal.to_string());
            return Err(Error::HttpRequestDenied);
        }
        let placeholders = match secret::check(request.headers(), &destination.target(), &self.terms, &self.secrets) {
            Ok(placeholders) => placeholders,
            Err(refused) => {
                self.denials.record(
                    "secret",
                    format!("{} for {}", refused.secret, destination.summary()),
                    refused.reason,
                );
                return Err(Error::HttpRequestDenied);
            }
        };
        if self.traffic.requests.fetch_add(1, Ordering::Relaxed) >= MAX_REQUESTS {
            self.denials.record(
                "http",
                destination.summary(),
                format!("more than {MAX_REQUESTS} requests in one call"),
            );
            return Err(Error::HttpRequestDenied);
        }
        self.uses.record("http", destination.summary());
        placeholders.secrets().for_each(|name| self.uses.record("secret", name));
        Ok((destination, placeholders))
    }
}

async fn send(
    destination: Destination,
    placeholders: Placeholders,
    mut request: Request<WasiBody>,
    options: RequestOptions,
    call: Gate,
) -> Result<Answered, Error> {
    let Gate { terms, secrets, denials, traffic, .. } = call;
    let address = connect::resolve(&destination, &terms, &denials).await?;
    let stream = connect::open(&destination, address, &options).await?;
    placeholders.fill(request.headers_mut(), &secrets)?;
    let sent = Arc::clone(&traffic);
    let request =
        origin_form(request)?.map(|body| counted(body, move |bytes| sent.sent.fetch_add(bytes, Ordering::Relaxed)));
    let (response, connection) = connect::exchange(stream, request, &options).await?;
    let response = response.map(|body| {
        let body = counted(body, move |bytes| traffic.received.fetch_add(bytes, Ordering::Relaxed));
        Limited::new(body, MAX_RESPONSE).map_err(too_large).boxed_unsync()
    });
    match secret::redact(response, &placeholders, secrets.redactor()) {
        Ok(response) => Ok((response, connection)),
        Err(reason) => {
            denials.record("secret", destination.summary(), reason);
            Err(Error::HttpResponseContentCoding(None))
        }
    }
}

/// The body, each piece of which is told to `count` as it passes.
fn counted(body: WasiBody, count: impl Fn(u64) -> u64 + Send + 'static) -> WasiBody {
    body.map_frame(move |frame| {
        count(frame.data_ref().map_or(0, Bytes::len) as u64);
        frame
    })
    .boxed_unsync()
}

/// Servers, unlike proxies, are asked for a path.
fn origin_form(mut request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    *request.uri_mut() = Uri::try_from(path).map_err(|_| Error::HttpRequestUriInvalid)?;
    Ok(request)
}

fn too_large(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(_) => Error::HttpResponseBodySize(Some(MAX_RESPONSE as u64)),
    }
}
