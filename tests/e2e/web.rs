//! A web server on loopback with fixed pages, which counts its requests.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::iter;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

pub(crate) struct Web {
    port: u16,
    pages: Arc<Mutex<Vec<(String, Page)>>>,
    requests: Arc<AtomicUsize>,
}

/// Status, header fields, body.
pub(crate) type Page = (u16, Vec<(String, String)>, String);

impl Web {
    /// Serves pages by path: status, content type (the location of a redirect), body.
    pub(crate) fn start(pages: &[(&str, u16, &str, &str)]) -> Self {
        let page = |&(path, status, about, body): &(&str, u16, &str, &str)| {
            let name = if (300..400).contains(&status) { "location" } else { "content-type" };
            (path.to_owned(), (status, vec![(name.to_owned(), about.to_owned())], body.to_owned()))
        };
        Self::with(pages.iter().map(page).collect())
    }

    /// Serves whole pages.
    pub(crate) fn with(pages: Vec<(String, Page)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let pages = Arc::new(Mutex::new(pages));
        let web = Self { port, pages: Arc::clone(&pages), requests: Arc::clone(&requests) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, counter) = (Arc::clone(&pages), Arc::clone(&requests));
                thread::spawn(move || answer(&stream, &pages, &counter));
            }
        });
        web
    }

    /// Serves these pages from now on, and no others.
    pub(crate) fn set(&self, pages: Vec<(String, Page)>) {
        *self.pages.lock().unwrap() = pages;
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// The next line, without its end.
fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

fn read_body(reader: &mut impl BufRead, fields: &[String]) {
    let field = |name: &str| {
        let named = fields.iter().filter_map(|field| field.split_once(':'));
        named.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let length = field("content-length").and_then(|length| length.parse().ok());
    if let Some(length) = length {
        let _ = io::copy(&mut reader.take(length), &mut io::sink());
    } else if field("transfer-encoding").is_some() {
        // The last chunk is empty, and an empty line follows.
        while line(reader).is_some_and(|line| line != "0") {}
        line(reader);
    }
}

fn answer(mut stream: &TcpStream, pages: &Mutex<Vec<(String, Page)>>, counter: &AtomicUsize) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(stream);
    let Some(first) = line(&mut reader) else { return };
    counter.fetch_add(1, Ordering::SeqCst);
    let fields: Vec<String> = iter::from_fn(|| line(&mut reader).filter(|line| !line.is_empty())).collect();
    // Whoever is answered before it has sent its body may take that for a violation of HTTP.
    read_body(&mut reader, &fields);
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let found = pages.lock().unwrap().iter().find(|(page, _)| page == path).map(|(_, page)| page.clone());
    let found = found.unwrap_or_else(|| (404, vec![], "not found".to_owned()));
    let mut fields = String::new();
    for (name, value) in &found.1 {
        fields = format!("{fields}{name}: {value}\r\n");
    }
    let body = if method == "HEAD" { "" } else { found.2.as_str() };
    let head =
        format!("HTTP/1.1 {} X\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n", found.0, found.2.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    // Closing before the request's body was read would reset the connection, and the
    // answer with it.
    let _ = stream.shutdown(Shutdown::Write).and_then(|()| io::copy(&mut stream, &mut io::sink()));
}
