//! A small load generator: one request, again and again, over kept connections.
//!
//! It writes and reads bytes and knows no more of HTTP than it has to, because it
//! shares the machine with the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Connections at the same time.
pub const CONNECTIONS: usize = 32;

/// Bytes of the longest answer that is read.
const MAX_ANSWER: usize = 64 << 10;

/// How long one round may take before the run is given up.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A generator with its connections.
pub struct Load {
    runtime: Runtime,
    connections: Vec<Connection>,
    request: Arc<[u8]>,
}

/// What one round gave.
#[derive(Clone, Debug)]
pub struct Round {
    /// From the first request to the last answer.
    pub wall: Duration,
    /// Of each request, in microseconds.
    pub latencies: Vec<f64>,
}

impl Load {
    /// Connects to `address`; every request is a POST of `body` to `path`.
    pub fn new(address: SocketAddr, path: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n{headers}\r\n{body}"
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connections = runtime.block_on(connect(address));
        Self { runtime, connections, request: request.into_bytes().into() }
    }

    /// Sends `count` requests, each of which must be answered with 200 and the text.
    ///
    /// One that is `awake` never sleeps while it waits, so that the server has
    /// nobody to wake up, as it would not have for a client on another machine.
    /// It takes a whole core.
    pub fn round(&mut self, count: usize, awake: bool) -> Round {
        let claimed = Arc::new(AtomicUsize::new(0));
        let connections = std::mem::take(&mut self.connections);
        let start = Instant::now();
        let ended = self.runtime.block_on(async {
            let work = |connection: Connection| {
                let (request, claimed) = (Arc::clone(&self.request), Arc::clone(&claimed));
                async move { connection.work(&request, &claimed, count).await }
            };
            let workers: JoinSet<_> = connections.into_iter().map(work).collect();
            let spinning = awake.then(|| tokio::spawn(spin()));
            let ended = tokio::time::timeout(TIMEOUT, workers.join_all()).await.unwrap();
            spinning.inspect(tokio::task::JoinHandle::abort);
            ended
        });
        let wall = start.elapsed();
        let (connections, latencies): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
        self.connections = connections;
        Round { wall, latencies: latencies.concat() }
    }
}

async fn spin() {
    loop {
        tokio::task::yield_now().await;
    }
}

/// One connection, and what was read from it of one answer.
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    /// Sends requests until `count` of them were claimed by all connections together.
    async fn work(mut self, request: &[u8], claimed: &AtomicUsize, count: usize) -> (Self, Vec<f64>) {
        let mut latencies = Vec::new();
        while claimed.fetch_add(1, Ordering::Relaxed) < count {
            let start = Instant::now();
            self.stream.write_all(request).await.unwrap();
            self.read_answer().await;
            latencies.push(start.elapsed().as_secs_f64() * 1e6);
        }
        (self, latencies)
    }

    async fn read_answer(&mut self) {
        self.answer.clear();
        while !is_whole(&self.answer) {
            assert!(self.answer.len() < MAX_ANSWER, "an answer of more than {MAX_ANSWER} bytes");
            let read = self.stream.read_buf(&mut self.answer).await.unwrap();
            assert!(read > 0, "the server closed the connection");
        }
        let good = self.answer.starts_with(b"HTTP/1.1 200 ") && contains(&self.answer, crate::TEXT.as_bytes());
        assert!(good, "a wrong answer: {}", String::from_utf8_lossy(&self.answer));
    }
}

async fn connect(address: SocketAddr) -> Vec<Connection> {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        connections.push(Connection { stream, answer: Vec::with_capacity(MAX_ANSWER) });
    }
    connections
}

/// Whether these bytes are a head and as many bytes behind it as it announces.
fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
    let announced = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let announced: usize = announced.and_then(|length| length.trim().parse().ok()).unwrap();
    answer.len() >= head + 4 + announced
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
