//! Connections: accepted up to a number, each with limits of its own, and
//! drained when the host goes down.
//!
//! HTTP/1.1 only. It is what every client and proxy speaks to a local service,
//! and it leaves out the attacks that come with streams inside a connection.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::rt::ReadBufCursor;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};
use tower::Service as _;

use crate::auth::caller::Peer;
use crate::options::ServeOptions;

/// Bytes that a connection buffers of a body before the handler takes them, and
/// the least that hyper allows a head to have room for.
const MIN_BUFFER: usize = 64 << 10;

/// How long to wait when the system can't give another connection, as a rule
/// because the process has as many files open as it may.
const ACCEPT_RETRY: Duration = Duration::from_millis(500);

/// Serves `router` until `shutdown` is done, and then until the requests under
/// way have been answered or the time for that is over.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let server = Server { router, protocol: protocol(&options), write_timeout: options.write_timeout };
    let places = Arc::new(Semaphore::new(options.max_connections));
    let mut connections = JoinSet::new();
    // Dropped when the host goes down, which every connection sees.
    let (up, going_down) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, accept(&listener).await)
        };
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            // Ended connections are taken out, or the set would grow for ever.
            Some(ended) = connections.join_next() => report(ended),
            (place, (stream, peer)) = next => {
                // Nobody closes the semaphore.
                let Ok(place) = place else { break };
                connections.spawn(server.clone().connection(stream, peer, place, going_down.clone()));
            }
        }
    }
    drop((listener, up));
    drain(&places, options.max_connections, connections, options.drain_timeout).await;
    Ok(())
}

/// Lets requests under way end, and cuts off those that take too long. A WebSocket has
/// the place of its connection, and ends by itself when the host is not ready any more.
async fn drain(places: &Semaphore, all: usize, mut connections: JoinSet<()>, limit: Duration) {
    let all = u32::try_from(all).unwrap_or(u32::MAX);
    if tokio::time::timeout(limit, places.acquire_many(all)).await.is_err() {
        tracing::warn!(connections = connections.len(), "cut off connections that didn't end in time");
    }
    connections.shutdown().await;
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection ended in a panic");
    }
}

/// The next connection. Failures to get one are waited out, never fatal.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(connection) => return connection,
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "can't accept connections at the moment");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Whether the failure is that of one connection, which went away before it was accepted.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn protocol(options: &ServeOptions) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_header_size(options.max_header_bytes)
        .max_buf_size(options.max_header_bytes.max(MIN_BUFFER));
    // The number of headers stays at hyper's own limit of 100: to set it, even
    // to the same number, would move the headers of each request to the heap.
    protocol
}

#[derive(Clone)]
struct Server {
    router: Router,
    protocol: http1::Builder,
    write_timeout: Duration,
}

impl Server {
    async fn connection(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        mut going_down: watch::Receiver<()>,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "can't switch off the delay of small packets");
        }
        let router = self.router;
        let service = service_fn(move |request: Request<Incoming>| answer(router.clone(), peer, request));
        let io = Unstalled { stream: TokioIo::new(stream), limit: self.write_timeout, stalled: None, _place: place };
        let mut connection = pin!(self.protocol.serve_connection(io, service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            // What is under way is answered, and nothing more is taken.
            _ = going_down.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %peer, "a connection ended early");
        }
    }
}

fn answer(
    mut router: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response, Infallible>> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    router.call(request)
}

/// A stream that fails when the other side takes no byte for too long; else one
/// who never reads an answer would hold a connection, and the answer, for ever.
struct Unstalled {
    stream: TokioIo<TcpStream>,
    limit: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// The connection's place among all, which it keeps when it becomes a WebSocket.
    _place: OwnedSemaphorePermit,
}

impl Unstalled {
    /// Passes `written` on, or fails where the other side has taken nothing for the time allowed.
    fn watch<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.limit;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl hyper::rt::Read for Unstalled {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Unstalled {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch(written, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has nothing to flush, so this is always done and says nothing of the other side.
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let closed = Pin::new(&mut this.stream).poll_shutdown(context);
        this.watch(closed, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.watch(written, context)
    }
}
