//! Outgoing requests by `wasi:http`.
//!
//! A request is checked as the guest made it, and the address again when it is
//! resolved: the connection goes to the very address that was checked. The
//! host follows no redirect; a guest that does makes a new request, which is
//! checked like the first. Secrets are put in last, once the connection stands.

mod connect;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use ::http::uri::Scheme as UriScheme;
use ::http::{HeaderMap, Request, Response, Uri};
use bailiwick_domain::authority::{HttpTarget, Scheme, is_public};
use bailiwick_domain::observation::Touch;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::secret::SecretSet;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, SizeHint};
use wasmtime::component::Linker;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::secret::{self, Placeholders};
use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters, LimitReached};

/// Roughly the bytes of the fields of one request or response, in memory.
pub(crate) const FIELD_SIZE: usize = 64 << 10;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}

/// Stands between one call's requests and the network.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) terms: Arc<Terms>,
    pub(crate) secrets: Arc<SecretSet>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) uses: Arc<Uses>,
    pub(crate) counters: Arc<Counters>,
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

    /// Notes the request, for whoever observes.
    fn touch(&self, address: IpAddr, placeholders: &Placeholders, uses: &Uses) {
        let (scheme, port) = (self.scheme, self.port);
        uses.touch(|| Touch::Request {
            method: self.method.clone(),
            scheme,
            host: self.host.clone(),
            port,
            path: self.path.clone(),
            address: Some(address).filter(|address| !is_public(*address)),
        });
        for name in placeholders.secrets() {
            uses.touch(|| Touch::Secret { name: name.to_owned(), host: self.host.clone(), port, scheme });
        }
    }

    /// For records: no path and no query, which may hold what is secret.
    fn summary(&self) -> String {
        format!("{} {}://{}:{}", self.method, self.scheme, self.host, self.port)
    }
}

impl Gate {
    /// Whether the request may be sent, and with which secrets.
    fn check(&self, request: &Request<WasiBody>) -> Result<(Destination, Placeholders), Error> {
        self.counters.take(Counted::HostCalls, 1).map_err(|reached| {
            self.denials.record("http", request.method().to_string(), reached.to_string());
            Error::HttpRequestDenied
        })?;
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
        self.counters.take(Counted::HttpRequests, 1).map_err(|reached| self.limited(&destination, reached))?;
        self.counters
            .take(Counted::HttpSent, head_bytes(request))
            .map_err(|reached| self.limited(&destination, reached))?;
        self.uses.record("http", destination.summary());
        placeholders.secrets().for_each(|name| self.uses.record("secret", name));
        Ok((destination, placeholders))
    }

    fn limited(&self, destination: &Destination, reached: LimitReached) -> Error {
        self.denials.record("http", destination.summary(), reached.to_string());
        Error::HttpRequestDenied
    }
}

async fn send(
    destination: Destination,
    placeholders: Placeholders,
    mut request: Request<WasiBody>,
    options: RequestOptions,
    call: Gate,
) -> Result<Answered, Error> {
    let Gate { terms, secrets, denials, counters, uses } = call;
    let address = connect::resolve(&destination, &terms, &denials).await?;
    destination.touch(address.ip(), &placeholders, &uses);
    let stream = connect::open(&destination, address, &options).await?;
    placeholders.fill(request.headers_mut(), &secrets)?;
    let refused = Arc::new(OnceLock::new());
    let summary = destination.summary().into();
    let traffic = Traffic { counters, denials: Arc::clone(&denials), summary };
    let body = |body| Metered::sent(body, traffic.clone(), &refused);
    let exchanged = connect::exchange(stream, origin_form(request)?.map(body), &options).await;
    // The connection says only that the body failed.
    let (response, connection) = exchanged.map_err(|error| match refused.get() {
        Some(LimitReached { max, .. }) => Error::HttpRequestBodySize(Some(*max)),
        None => error,
    })?;
    let head = fields_bytes(response.headers());
    let too_large = |reached: LimitReached| Error::HttpResponseBodySize(Some(reached.max));
    traffic.take(Counted::HttpReceived, head).map_err(too_large)?;
    let response = response.map(|body| Metered::received(body, traffic));
    match secret::redact(response, &placeholders, secrets.redactor()) {
        Ok(response) => Ok((response, connection)),
        Err(reason) => {
            denials.record("secret", destination.summary(), reason);
            Err(Error::HttpResponseContentCoding(None))
        }
    }
}

/// Who counts a body, and where it is told that a limit was reached.
#[derive(Clone)]
struct Traffic {
    counters: Arc<Counters>,
    denials: Arc<Denials>,
    summary: Arc<str>,
}

impl Traffic {
    fn take(&self, counted: Counted, bytes: u64) -> Result<(), LimitReached> {
        self.counters.take(counted, bytes).inspect_err(|reached| {
            self.denials.record("http", self.summary.to_string(), reached.to_string());
        })
    }
}

/// A body each piece of which is counted before it passes.
struct Metered {
    body: WasiBody,
    traffic: Traffic,
    counted: Counted,
    /// What is said when the limit is reached.
    refuse: Box<dyn Fn(LimitReached) -> Error + Send>,
}

impl Metered {
    /// The body of a request. `refused` is told why the body was cut off.
    fn sent(body: WasiBody, traffic: Traffic, refused: &Arc<OnceLock<LimitReached>>) -> WasiBody {
        let refused = Arc::clone(refused);
        let refuse = Box::new(move |reached| Error::HttpRequestBodySize(Some(refused.get_or_init(|| reached).max)));
        Self { body, traffic, counted: Counted::HttpSent, refuse }.boxed_unsync()
    }

    /// The body of a response.
    fn received(body: WasiBody, traffic: Traffic) -> WasiBody {
        let refuse = Box::new(|reached: LimitReached| Error::HttpResponseBodySize(Some(reached.max)));
        Self { body, traffic, counted: Counted::HttpReceived, refuse }.boxed_unsync()
    }
}

impl Body for Metered {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        let Poll::Ready(Some(Ok(frame))) = &polled else { return polled };
        let bytes = match frame.trailers_ref() {
            Some(trailers) => fields_bytes(trailers),
            None => frame.data_ref().map_or(0, Bytes::len) as u64,
        };
        match this.traffic.take(this.counted, bytes) {
            Ok(()) => polled,
            Err(reached) => Poll::Ready(Some(Err((this.refuse)(reached)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of a request's head, without what the host adds.
fn head_bytes(request: &Request<WasiBody>) -> u64 {
    let path = request.uri().path_and_query().map_or(1, |path| path.as_str().len());
    (request.method().as_str().len() + path) as u64 + fields_bytes(request.headers())
}

/// Bytes of the fields as HTTP/1.1 writes them: a colon, a space and a new line for each.
fn fields_bytes(fields: &HeaderMap) -> u64 {
    fields.iter().map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64).sum()
}

/// Servers, unlike proxies, are asked for a path.
fn origin_form(mut request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    *request.uri_mut() = Uri::try_from(path).map_err(|_| Error::HttpRequestUriInvalid)?;
    Ok(request)
}
