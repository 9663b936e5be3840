//! A service on loopback that speaks as `OpenAI`'s chat completions do, and keeps what it is asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::host::PATIENCE;

pub(super) struct Provider {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<AtomicUsize>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) path: String,
    /// In lower case.
    pub(super) head: String,
    pub(super) body: Value,
}

impl Provider {
    /// Answers every request with this status and document.
    pub(super) fn start(status: u16, answer: Value) -> Self {
        Self::start_with(status, "", answer)
    }

    /// The same with these fields in the head, each a whole line.
    fn start_with(status: u16, fields: &'static str, answer: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let connections: Arc<AtomicUsize> = Arc::default();
        let (kept, opened) = (Arc::clone(&asked), Arc::clone(&connections));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                opened.fetch_add(1, Ordering::SeqCst);
                let (kept, answer) = (Arc::clone(&kept), answer.to_string());
                thread::spawn(move || serve(stream, &kept, status, fields, &answer));
            }
        });
        Self { port, asked, connections }
    }

    /// What says "Hello." and took 2000 and 1000 tokens.
    pub(super) fn hello() -> Self {
        Self::hello_with("")
    }

    /// The same with these fields in the head, each a whole line.
    pub(super) fn hello_with(fields: &'static str) -> Self {
        Self::start_with(
            200,
            fields,
            json!({
                "choices": [{ "message": { "role": "assistant", "content": "Hello." }, "finish_reason": "stop" }],
                "usage": { "prompt_tokens": 2000, "completion_tokens": 1000 },
                "of a later version": true
            }),
        )
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Connections that clients opened until now.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Answers whatever comes on a connection, until its client closes it.
fn serve(stream: TcpStream, kept: &Mutex<Vec<Asked>>, status: u16, fields: &str, answer: &str) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream);
    let length = answer.len();
    let fields = format!("content-type: application/json\r\ncontent-length: {length}\r\n{fields}");
    while let Some(asked) = read(&mut reader) {
        kept.lock().unwrap().push(asked);
        let _ = reader.get_mut().write_all(format!("HTTP/1.1 {status} X\r\n{fields}\r\n{answer}").as_bytes());
    }
}

/// The next request; none where the client is gone.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut first = String::new();
    if !reader.read_line(&mut first).is_ok_and(|read| read > 0) {
        return None;
    }
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    Some(Asked { path, head, body: serde_json::from_slice(&body).unwrap() })
}
