//! Connections: their limits, and how they end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::routing::get;
use axum::{Extension, Router};
use bailiwick_api::options::ServeOptions;
use bailiwick_api::{Peer, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::host::{NAME, TestHost};

/// Long for a machine, short for a person.
const SOON: Duration = Duration::from_secs(10);

/// Short enough to wait for in a test.
const LIMIT: Duration = Duration::from_millis(300);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<io::Result<()>>,
    /// Told once for each request of `/slow` that may be answered.
    go: Arc<Notify>,
}

async fn start(options: ServeOptions) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("address");
    let go = Arc::new(Notify::new());
    let slow = {
        let go = Arc::clone(&go);
        move || async move {
            go.notified().await;
            "slow"
        }
    };
    let router = Router::new()
        .route("/", get(|| async { "fast" }))
        .route("/peer", get(|Extension(Peer(peer)): Extension<Peer>| async move { peer.to_string() }))
        .route("/large", get(|| async { vec![b'x'; 64 << 20] }))
        .route("/head", get(|request: Request| async move { request.headers().len().to_string() }))
        .route("/slow", get(slow));
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(serve(listener, router, options, async {
        let _ = stopped.await;
    }));
    Server { address, stop, done, go }
}

/// A whole host behind a server; callers on this machine need no key.
async fn start_host() -> (TestHost, Server) {
    let host = TestHost::with(|options| options.allow_unauthenticated_loopback = true);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("address");
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(serve(listener, host.router(), ServeOptions::default(), async {
        let _ = stopped.await;
    }));
    (host, Server { address, stop, done, go: Arc::default() })
}

async fn execute(server: &Server, text: &str) -> TcpStream {
    let mut stream = connect(server).await;
    let body = format!("{{\"tool\":\"say\",\"arguments\":{{\"text\":\"{text}\"}}}}");
    let head = format!(
        "POST /v1/skills/acme/echo/execute HTTP/1.1\r\nhost: {NAME}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
    stream
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.expect("connected")
}

async fn send(stream: &mut TcpStream, path: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
}

/// What comes until `until` has come or the connection ends.
async fn read(stream: &mut TcpStream, until: &str) -> String {
    let mut got = Vec::new();
    let mut buffer = [0; 4096];
    let reading = async {
        while !String::from_utf8_lossy(&got).contains(until) {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => got.extend_from_slice(&buffer[..count]),
            }
        }
    };
    tokio::time::timeout(SOON, reading).await.expect("an answer or an end");
    String::from_utf8_lossy(&got).into_owned()
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    matches!(tokio::time::timeout(SOON, stream.read(&mut byte)).await.expect("an end"), Ok(0) | Err(_))
}

#[tokio::test]
async fn requests_are_answered_and_know_the_other_side() {
    let server = start(ServeOptions::default()).await;
    let mut stream = connect(&server).await;
    send(&mut stream, "/").await;
    assert!(read(&mut stream, "fast").await.starts_with("HTTP/1.1 200"));
    let own = stream.local_addr().expect("address").to_string();
    send(&mut stream, "/peer").await;
    assert!(read(&mut stream, &own).await.contains(&own), "the connection is kept");
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let server = start(ServeOptions { header_timeout: LIMIT, ..ServeOptions::default() }).await;
    let (mut silent, mut half) = (connect(&server).await, connect(&server).await);
    half.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.expect("sent");
    let began = Instant::now();
    assert!(is_closed(&mut half).await && is_closed(&mut silent).await);
    assert!(began.elapsed() >= LIMIT / 2, "not before the time was over");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = start(ServeOptions { header_timeout: LIMIT, ..ServeOptions::default() }).await;
    let mut stream = connect(&server).await;
    send(&mut stream, "/").await;
    read(&mut stream, "fast").await;
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn large_heads_are_refused() {
    let server = start(ServeOptions { max_header_bytes: 16 << 10, ..ServeOptions::default() }).await;
    let ask = async |headers: String| {
        let mut stream = connect(&server).await;
        let head = format!("GET /head HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        read(&mut stream, "\r\n").await
    };
    assert!(ask(format!("x: {}\r\n", "y".repeat(8 << 10))).await.starts_with("HTTP/1.1 200"));
    assert!(ask(format!("x: {}\r\n", "y".repeat(17 << 10))).await.starts_with("HTTP/1.1 431"));
    assert!(ask("x: y\r\n".repeat(101)).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn more_connections_than_allowed_have_to_wait() {
    let server = start(ServeOptions { max_connections: 1, ..ServeOptions::default() }).await;
    let mut first = connect(&server).await;
    send(&mut first, "/").await;
    read(&mut first, "fast").await;
    let mut second = connect(&server).await;
    send(&mut second, "/").await;
    let early = tokio::time::timeout(LIMIT, second.readable()).await;
    assert!(early.is_err(), "the only place is taken");
    drop(first);
    assert!(read(&mut second, "fast").await.contains("fast"));
}

#[tokio::test]
async fn who_takes_no_byte_of_the_answer_is_cut_off() {
    let options = ServeOptions { max_connections: 1, write_timeout: LIMIT, ..ServeOptions::default() };
    let server = start(options).await;
    let mut first = connect(&server).await;
    send(&mut first, "/large").await;
    let mut second = connect(&server).await;
    send(&mut second, "/").await;
    assert!(read(&mut second, "fast").await.contains("fast"), "the place came free");
    drop(first);
}

#[tokio::test]
async fn requests_under_way_are_answered_during_a_shutdown() {
    let server = start(ServeOptions::default()).await;
    let (mut busy, mut idle) = (connect(&server).await, connect(&server).await);
    send(&mut idle, "/").await;
    read(&mut idle, "fast").await;
    send(&mut busy, "/slow").await;
    tokio::time::sleep(LIMIT).await;
    server.stop.send(()).expect("running");
    assert!(is_closed(&mut idle).await);
    assert!(!server.done.is_finished());
    server.go.notify_one();
    assert!(read(&mut busy, "slow").await.contains("slow"));
    tokio::time::timeout(SOON, server.done).await.expect("in time").expect("no panic").expect("no error");
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let server = start(ServeOptions { drain_timeout: LIMIT, ..ServeOptions::default() }).await;
    let mut stuck = connect(&server).await;
    send(&mut stuck, "/slow").await;
    tokio::time::sleep(LIMIT).await;
    server.stop.send(()).expect("running");
    tokio::time::timeout(SOON, server.done).await.expect("in time").expect("no panic").expect("no error");
    assert!(is_closed(&mut stuck).await);
}

#[tokio::test]
async fn a_tool_runs_over_the_network() {
    let (_host, server) = start_host().await;
    let answer = read(&mut execute(&server, "hello").await, "\"replayed\":false}").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"output\":\"hello\""), "{answer}");
    let mut foreign = connect(&server).await;
    send(&mut foreign, "/v1/skills").await;
    assert!(read(&mut foreign, "wrong-host").await.starts_with("HTTP/1.1 421"));
}

#[tokio::test]
async fn the_calls_of_clients_that_went_away_are_ended() {
    let (host, server) = start_host().await;
    // As many as the host runs at once.
    for count in 1..=2 {
        let gone = execute(&server, "wait").await;
        while host.sandbox.seen.lock().expect("unpoisoned").len() < count {
            tokio::time::sleep(LIMIT / 10).await;
        }
        drop(gone);
    }
    tokio::time::sleep(LIMIT).await;
    let answer = read(&mut execute(&server, "hello").await, "}").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
