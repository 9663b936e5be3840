//! A service on loopback that speaks as `OpenAI`'s chat completions do, and keeps what it is asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

pub(super) struct Provider {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), answer.to_string());
                thread::spawn(move || serve(stream, &kept, status, &answer));
            }
        });
        Self { port, asked }
    }

    /// What says "Hello." and took 2000 and 1000 tokens.
    pub(super) fn hello() -> Self {
        Self::start(
            200,
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
}

fn serve(mut stream: TcpStream, kept: &Mutex<Vec<Asked>>, status: u16, answer: &str) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    kept.lock().unwrap().push(Asked { path, head, body: serde_json::from_slice(&body).unwrap() });
    let length = answer.len();
    let fields = format!("content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n");
    let _ = stream.write_all(format!("HTTP/1.1 {status} X\r\n{fields}\r\n{answer}").as_bytes());
}
