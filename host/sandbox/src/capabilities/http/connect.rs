//! From an allowed destination to a connection to a checked address.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ::http::Request;
use bailiwick_domain::authority::Scheme;
use bailiwick_domain::permit::Terms;
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{Answered, Denials, Destination};

/// How long a connection, a first byte, or the next byte may take where the
/// guest does not say. The call's own deadline holds above it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fields of a response that are read before it is refused.
const MAX_RESPONSE_FIELDS: usize = 100;

/// Bytes of a response's head that are read before it is refused.
const MAX_RESPONSE_HEAD: usize = 64 << 10;

/// Finds the address to connect to. Every address of a name is judged, and the
/// first one that is allowed is the one that is used: no second look-up can
/// give another.
pub(super) async fn resolve(destination: &Destination, terms: &Terms, denials: &Denials) -> Result<SocketAddr, Error> {
    let addresses = lookup(destination).await?;
    let mut refusal = None;
    for address in addresses {
        match terms.http.judge_address(&destination.target(), address.ip()) {
            Ok(()) => return Ok(address),
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    let reason = refusal.map_or_else(|| "its name has no address".to_owned(), |why| why.to_string());
    denials.record("http", destination.summary(), reason);
    Err(Error::DestinationIpProhibited)
}

async fn lookup(destination: &Destination) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = destination.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, destination.port)]);
    }
    let not_found = || Error::DnsError { rcode: Some("NXDOMAIN".to_owned()), info_code: None };
    let found = timeout(PATIENCE, lookup_host((destination.host.as_str(), destination.port))).await;
    let addresses: Vec<_> = found.map_err(|_| Error::DnsTimeout)?.map_err(|_| not_found())?.collect();
    if addresses.is_empty() { Err(not_found()) } else { Ok(addresses) }
}

/// A connection of either scheme.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) async fn open(
    destination: &Destination,
    address: SocketAddr,
    options: &RequestOptions,
) -> Result<Box<dyn Stream>, Error> {
    let patience = options.connect_timeout.unwrap_or(PATIENCE);
    let connected = timeout(patience, TcpStream::connect(address)).await;
    let stream = connected.map_err(|_| Error::ConnectionTimeout)?.map_err(Error::Connect)?;
    // Requests are written whole; waiting to fill a packet only delays them.
    stream.set_nodelay(true).map_err(Error::Connect)?;
    match destination.scheme {
        Scheme::Http => Ok(Box::new(stream)),
        Scheme::Https => {
            let name = ServerName::try_from(destination.host.clone()).map_err(|_| Error::TlsProtocolError)?;
            let secured = timeout(patience, TLS.connect(name, stream)).await;
            Ok(Box::new(secured.map_err(|_| Error::ConnectionTimeout)?.map_err(Error::Tls)?))
        }
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

/// Sends the request and waits for the head of the response.
pub(super) async fn exchange(
    stream: Box<dyn Stream>,
    request: Request<WasiBody>,
    options: &RequestOptions,
) -> Result<Answered, Error> {
    let mut builder = http1::Builder::new();
    builder.max_headers(MAX_RESPONSE_FIELDS).max_buf_size(MAX_RESPONSE_HEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(Error::Hyper)?;
    let first_byte = options.first_byte_timeout.unwrap_or(PATIENCE);
    let mut connection = Some(Box::pin(connection));
    let mut answer = pin!(timeout(first_byte, sender.send_request(request)));
    // The connection has to be driven while the answer is awaited.
    let head = loop {
        let Some(driven) = &mut connection else { break answer.await };
        tokio::select! {
            biased;
            head = &mut answer => break head,
            closed = driven => {
                closed.map_err(Error::Hyper)?;
                connection = None;
            }
        }
    };
    let head = head.map_err(|_| Error::ConnectionReadTimeout)?.map_err(Error::Hyper)?;
    let between = options.between_bytes_timeout.unwrap_or(PATIENCE);
    let response = head.map(|body| patient(body, between));
    let rest = async move {
        match connection {
            Some(connection) => connection.await.map_err(Error::Hyper),
            None => Ok(()),
        }
    };
    Ok((response, Box::new(rest)))
}

/// A body that ends with an error when the next piece of it takes too long.
fn patient(body: hyper::body::Incoming, between: Duration) -> WasiBody {
    let stream = futures::stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match timeout(between, body.frame()).await {
            Ok(None) => None,
            Ok(Some(Ok(frame))) => Some((Ok(frame), Some(body))),
            Ok(Some(Err(error))) => Some((Err(Error::Hyper(error)), None)),
            Err(_) => Some((Err(Error::ConnectionReadTimeout), None)),
        }
    });
    http_body_util::StreamBody::new(stream).boxed_unsync()
}
