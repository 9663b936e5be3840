//! A server that repeats what it was sent, in many ways.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

pub(super) struct Echo {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || answer(&stream, &seen));
            }
        });
        Self { port, requests }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// As in `--secret`.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// As in `--http`.
    pub(super) fn rule(&self) -> String {
        format!("GET,POST http://{}", self.address())
    }

    /// Heads and bodies of all requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut stream: &TcpStream, seen: &Mutex<Vec<String>>) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
    let field = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name).map(|rest| rest.trim().to_owned()));
        line.unwrap_or_default()
    };
    let mut body = vec![0; field("content-length:").parse().unwrap_or(0)];
    let _ = reader.read_exact(&mut body);
    seen.lock().unwrap().push(format!("{head}{}", String::from_utf8_lossy(&body)));
    let sent = field("authorization:").replace("Bearer ", "");
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut fields, text) = match path.split('?').next().unwrap_or_default() {
        "/forms" => (String::new(), forms(&sent)),
        "/head" => (format!("x-echo: {sent}\r\nset-cookie: token={sent}; secure\r\n"), String::new()),
        "/gzip" => ("content-encoding: gzip\r\n".to_owned(), sent.clone()),
        "/length" => (format!("content-length: {}\r\n", head.len()), head.clone()),
        path if path.starts_with("/to/") => {
            (format!("location: {}\r\n", path.replacen("/to/", "http://", 1)), sent.clone())
        }
        _ => (String::new(), head.clone()),
    };
    fields.push_str("connection: close\r\n\r\n");
    let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{fields}").as_bytes());
    if path.starts_with("/drip") {
        // Each byte in a packet of its own.
        for byte in text.as_bytes() {
            let _ = stream.write_all(&[*byte]);
            thread::sleep(Duration::from_millis(1));
        }
    } else {
        let _ = stream.write_all(text.as_bytes());
    }
}

/// What was sent, as programs write it.
fn forms(sent: &str) -> String {
    let hex: String = sent.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = sent.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut forms = vec![sent.to_owned(), hex.to_uppercase(), hex, percent.to_lowercase(), percent];
    forms.push(serde_json::to_string(sent).unwrap());
    for before in ["", "u", "us", "user:"] {
        let text = format!("{before}{sent}");
        forms.extend([STANDARD.encode(&text), STANDARD_NO_PAD.encode(&text), URL_SAFE.encode(&text)]);
    }
    forms.join("\n")
}
