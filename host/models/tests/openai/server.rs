//! A server that writes prepared bytes to whoever asks, and keeps what was asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::model::{ChatAnswer, ChatRequest, Message, Model as _, ModelFailure, Unheard};
use bailiwick_domain::trace::TraceContext;
use bailiwick_models::openai::{KeySource, OpenAi, OpenAiOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use zeroize::Zeroizing;

/// The key that the client sends.
pub(crate) const KEY: &str = "sk-or-v1-abc/0123456789";

/// Seconds since 1970 by the host's clock: 14 November 2023, 22:13:20.
pub(crate) const NOW: u64 = 1_700_000_000;

/// Bytes of the longest request that is read.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// What is written of an answer.
#[derive(Clone)]
pub(crate) struct Script {
    /// Each written and sent by itself.
    pub(crate) pieces: Vec<Vec<u8>>,
    /// Whether the connection stays open behind them, in silence.
    pub(crate) hangs: bool,
}

impl Script {
    /// An answer with this status and body.
    pub(crate) fn status(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n{body}");
        Self { pieces: vec![text.into_bytes()], hangs: false }
    }

    /// A stream of these pieces, without its end.
    pub(crate) fn begun<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let head = concat!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n",
            "transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        );
        let chunk = |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, &b"\r\n"[..]].concat();
        let chunks = pieces.into_iter().filter(|piece| !piece.is_empty()).map(chunk);
        Self { pieces: std::iter::once(head.as_bytes().to_vec()).chain(chunks).collect(), hangs: false }
    }

    /// A whole stream of these pieces.
    pub(crate) fn stream<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut script = Self::begun(pieces);
        script.pieces.push(b"0\r\n\r\n".to_vec());
        script
    }
}

/// A server that answers everybody alike.
pub(crate) struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn new(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), Arc::clone(&kept)));
            }
        });
        Self { url, requests }
    }

    /// What was asked until now, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Options of a client of this server.
    pub(crate) fn options(&self) -> OpenAiOptions {
        OpenAiOptions::new(self.url.clone(), "acme/small", key(), clock())
    }

    /// What a client gets of it.
    pub(crate) async fn ask(&self) -> Result<ChatAnswer, ModelFailure> {
        client(self.options()).chat(&request(), &Unheard).await
    }
}

/// What a client gets of a server with this script.
pub(crate) async fn ask(script: Script) -> Result<ChatAnswer, ModelFailure> {
    Server::new(script).await.ask().await
}

pub(crate) fn key() -> KeySource {
    Arc::new(|| Ok(Some(Zeroizing::new(KEY.to_owned()))))
}

/// Its wall clock stands still.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(Stopped)
}

pub(crate) fn client(options: OpenAiOptions) -> OpenAi {
    OpenAi::new(options).expect("options of a service")
}

pub(crate) fn request() -> ChatRequest {
    ChatRequest {
        models: vec!["small".to_owned()],
        messages: vec![Message::User { text: "well?".to_owned() }],
        tools: Vec::new(),
        must_call: false,
        max_tokens: None,
        temperature: None,
        output_schema: None,
        deadline: Duration::from_secs(30),
        trace: TraceContext { trace_id: [1; 16], span_id: [2; 8], sampled: true },
        trace_state: Some("vendor=1".to_owned()),
    }
}

async fn serve(mut stream: TcpStream, script: Script, requests: Arc<Mutex<Vec<String>>>) {
    let Some(request) = read(&mut stream).await else { return };
    requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    for piece in &script.pieces {
        // A client that has heard enough goes away.
        if stream.write_all(piece).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    if script.hangs {
        std::future::pending::<()>().await;
    }
}

/// A request with its body, as long as its head says.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_REQUEST_BYTES {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.unwrap_or_default() {
                return Some(text.into_owned());
            }
        }
    }
    None
}
