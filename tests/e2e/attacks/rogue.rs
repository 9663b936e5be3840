//! Servers for guests that should not reach them, and servers that are no better than such guests.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A server that counts who connects, and keeps what it was told.
pub(super) struct Rogue {
    port: u16,
    connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// What a server does with a connection.
pub(super) type Manners = fn(&mut TcpStream, &Mutex<Vec<u8>>);

impl Rogue {
    pub(super) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, heard) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let rogue = Self { port, connections: Arc::clone(&connections), heard: Arc::clone(&heard) };
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let heard = Arc::clone(&heard);
                thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                    manners(&mut stream, &heard);
                });
            }
        });
        rogue
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// As it stands in a URL.
    pub(super) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// What it was told, as text.
    pub(super) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

/// Answers every request with a page.
pub(super) fn polite(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
}

/// Takes the request and says nothing.
pub(super) fn silent(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    wait_for_the_end(stream);
}

/// Says the beginning of a page and then nothing.
pub(super) fn faltering(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello");
    wait_for_the_end(stream);
}

/// Says one letter at a time, each soon enough.
pub(super) fn dripping(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
    while stream.write_all(b"x").is_ok() {
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a page without end.
pub(super) fn endless(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\n\r\n");
    while stream.write_all(&[b'x'; 16 << 10]).is_ok() {}
}

/// Sends fields without end.
pub(super) fn endless_fields(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\n");
    while stream.write_all(b"x: y\r\n").is_ok() {}
}

/// Sends one field without end.
pub(super) fn endless_field(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\nx: ");
    while stream.write_all(&[b'y'; 4096]).is_ok() {}
}

/// Says again and again that the answer comes soon.
pub(super) fn always_soon(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    while stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").is_ok() {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Speaks another language.
pub(super) fn babbling(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "220 mail.example ESMTP\r\n\r\n");
}

/// Speaks another language, whatever it is told.
pub(super) fn deaf(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut first = [0; 1024];
    let read = stream.read(&mut first).unwrap_or_default();
    heard.lock().unwrap().extend_from_slice(&first[..read]);
    say(stream, "220 mail.example ESMTP\r\n\r\n");
}

/// Sends a piece that is larger than any number.
pub(super) fn oversized_piece(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello");
}

/// Says two lengths, of which others may believe the other.
pub(super) fn two_lengths(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!");
}

/// Closes the connection amid the page.
pub(super) fn abrupt(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    hear(stream, heard);
    say(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello");
}

/// Reads the head of a request, never its body.
fn hear(stream: &mut TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut byte = [0];
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        request.push(byte[0]);
        heard.lock().unwrap().push(byte[0]);
    }
}

fn say(stream: &mut TcpStream, text: &str) {
    // Whoever asked may be gone.
    let _ = stream.write_all(text.as_bytes());
}

fn wait_for_the_end(stream: &mut TcpStream) {
    let mut rest = [0; 1024];
    while stream.read(&mut rest).is_ok_and(|read| read > 0) {}
}
