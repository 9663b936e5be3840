//! Registries that are none, or worse.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bailiwick_domain::digest::Digest;

use super::{Source, install, refused};
use crate::host::Home;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A server that answers each request by what `answer` makes of its path.
struct Rogue(u16);

impl Rogue {
    fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            // One at a time is enough: a client of a registry waits for each answer.
            for mut stream in listener.incoming().flatten() {
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                answer(head.split(' ').nth(1).unwrap_or_default(), &mut stream);
            }
        });
        Self(port)
    }

    fn place(&self) -> String {
        format!("oci://127.0.0.1:{}/acme/hello:1.0.0", self.0)
    }
}

fn say(stream: &mut TcpStream, status: &str, fields: &str, body: &str) {
    let length = body.len();
    // Whoever asked may be gone.
    let _ = write!(stream, "HTTP/1.1 {status}\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
}

/// A rogue that answers every request alike.
fn always(status: &'static str, fields: &'static str, body: &'static str) -> Rogue {
    Rogue::start(move |_, stream| say(stream, status, fields, body))
}

fn manifest(body: &str) -> Rogue {
    let body = body.to_owned();
    Rogue::start(move |_, stream| say(stream, "200 OK", &format!("content-type: {MANIFEST}\r\n"), &body))
}

/// A manifest of a skill whose layers have these digests and sizes.
fn skill(component: (&str, u64), files: (&str, u64)) -> String {
    let layer = |kind: &str, (digest, size): (&str, u64)| {
        format!(
            "{{\"mediaType\":\"{kind}\",\"digest\":\"{digest}\",\"size\":{size},\"annotations\":{{\"org.opencontainers.image.title\":\"../x.wasm\"}}}}"
        )
    };
    let empty = layer("application/vnd.oci.empty.v1+json", component);
    let code = layer("application/wasm", component);
    let files = layer("application/vnd.bailiwick.skill.files.v1.tar", files);
    format!(
        "{{\"schemaVersion\":2,\"artifactType\":\"application/vnd.bailiwick.skill.v1\",\"config\":{empty},\"layers\":[{code},{files}]}}"
    )
}

#[track_caller]
fn fails(rogue: &Rogue, code: i32, says: &[&str]) {
    let home = Home::with("[skills]\nallow_unsigned = true\n");
    refused(&home, install(&home, &[&rogue.place()]), code, says);
}

#[test]
fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fails(&Rogue(port), 1, &[&format!("can't reach `127.0.0.1:{port}`"), "refused"]);
}

#[test]
fn a_web_server_is_no_registry() {
    fails(
        &always("200 OK", "content-type: text/html\r\n", "<html>"),
        1,
        &["answered what is no manifest: its media type is `text/html`"],
    );
    fails(&always("200 OK", "", ""), 1, &["its media type is `none`"]);
    fails(&always("404 Not Found", "", "nothing here"), 1, &["the registry has no `oci://"]);
    fails(&always("403 Forbidden", "", ""), 1, &["answered the status 403"]);
    let said = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"not \\u001b[2Jyou\"}]}";
    fails(&always("403 Forbidden", "", said), 1, &["answered the status 403", "(DENIED: not \u{fffd}[2Jyou)"]);
    fails(
        &Rogue::start(|_, stream| drop(stream.write_all(b"220 mail.example ESMTP\r\n"))),
        1,
        &["answered what is no HTTP answer"],
    );
    fails(&Rogue::start(|_, _| ()), 1, &["answered what is no HTTP answer"]);
}

#[test]
fn manifests_that_are_none_are_refused() {
    for (body, says) in [
        ("", "answered what is no manifest: EOF"),
        ("{}", "answered what is no manifest: missing field"),
        (
            "{\"schemaVersion\":1,\"config\":{\"mediaType\":\"a\",\"digest\":\"b\",\"size\":1},\"layers\":[]}",
            "is not a digest",
        ),
    ] {
        fails(&manifest(body), 1, &[says]);
    }
    let zero = format!("sha256:{}", "0".repeat(64));
    let good = skill((&zero, 1), (&zero, 1));
    let image = good.replace("application/vnd.bailiwick.skill.v1", "application/vnd.example");
    fails(&manifest(&image), 2, &["is no skill: its `artifactType` is `application/vnd.example`"]);
    let plain = good.replace("\"artifactType\":\"application/vnd.bailiwick.skill.v1\",", "");
    fails(&manifest(&plain), 2, &["is no skill: it has no `artifactType`"]);
    fails(
        &manifest(&good.replace("\"size\":1", "\"size\":99999999999")),
        1,
        &["the layer of files is larger than it may be"],
    );
}

#[test]
fn a_component_without_a_name_is_refused() {
    let (home, source) = (Home::new(), Source::hello());
    let file = home.path("hello.tar");
    home.run(&["skills", "pack", source.path(), "--out", file.to_str().unwrap()]).expect(0);
    let (files, code) = (fs::read(file).unwrap(), b"\0asm".to_vec());
    let (of_files, of_code) = (Digest::of(&files).to_string(), Digest::of(&code).to_string());
    let body = skill((&of_code, code.len() as u64), (&of_files, files.len() as u64));
    let registry = |body: String| {
        let (files, code, of_files) = (files.clone(), code.clone(), of_files.clone());
        let kind = format!("content-type: {MANIFEST}\r\n");
        Rogue::start(move |path, stream| match path {
            path if path.contains(".sig") => say(stream, "404 Not Found", "", ""),
            path if path.contains("/manifests/") => say(stream, "200 OK", &kind, &body),
            path => {
                let bytes = if path.ends_with(&of_files) { &files } else { &code };
                let length = bytes.len();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                // Whoever asked may be gone.
                let _ = stream.write_all(&[head.as_bytes(), bytes.as_slice()].concat());
            }
        })
    };
    // All is as it should be but for the name, which is looked at last.
    fails(&registry(body.clone()), 2, &["holds no package: the path `../x.wasm` has `.` or `..`"]);
    let nameless = body.replace(",\"annotations\":{\"org.opencontainers.image.title\":\"../x.wasm\"}", "");
    assert_ne!(nameless, body);
    fails(&registry(nameless), 2, &["is no skill: its component has no `org.opencontainers.image.title`"]);
}

#[test]
fn floods_end_at_their_limits() {
    let flood = |fields: String| {
        Rogue::start(move |_, stream| {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\n{fields}\r\n");
            while stream.write_all(&[b'x'; 16 << 10]).is_ok() {}
        })
    };
    let kind = format!("content-type: {MANIFEST}\r\n");
    fails(&flood(kind.clone()), 1, &["is larger than it may be: expected at most 65536 bytes"]);
    fails(&flood(format!("{kind}content-length: 99999999999\r\n")), 1, &["is larger than it may be"]);
    let fields = Rogue::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x: y\r\n").is_ok() {}
    });
    fails(&fields, 1, &["answered what is no HTTP answer"]);
    // A layer of another size than was announced.
    let zero = format!("sha256:{}", "0".repeat(64));
    let (kind, body) = (format!("content-type: {MANIFEST}\r\n"), skill((&zero, 10), (&zero, 10)));
    let layers = Rogue::start(move |path, stream| match path {
        path if path.contains(".sig") => say(stream, "404 Not Found", "", ""),
        path if path.contains("/manifests/") => say(stream, "200 OK", &kind, &body),
        _ => {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(&[b'x'; 16 << 10]).is_ok() {}
        }
    });
    fails(&layers, 1, &["the layer of files is larger than it may be: expected at most 10 bytes"]);
}

#[test]
fn redirects_lead_neither_round_nor_out_of_encryption() {
    fails(&always("307 Temporary Redirect", "location: /v2/again\r\n", ""), 1, &["more than 5 redirects"]);
    fails(&always("307 Temporary Redirect", "", ""), 1, &["no place to go to"]);
    fails(&always("307 Temporary Redirect", "location: file:///etc/passwd\r\n", ""), 1, &["a place that is none"]);
    // An address that is not this machine's, without encryption.
    fails(
        &always("307 Temporary Redirect", "location: http://192.0.2.1/x\r\n", ""),
        4,
        &["`192.0.2.1` is not on this machine and would be asked without encryption", "--plain-http"],
    );
}

#[test]
fn tokens_are_fetched_where_the_registry_says_and_sent_to_it_alone() {
    let token = Rogue::start(|path, stream| {
        assert!(path.starts_with("/token?service=here&scope=repository:acme/hello:pull"), "{path}");
        say(stream, "200 OK", "content-type: application/json\r\n", "{\"token\":\"abc\"}");
    });
    let challenge =
        format!("www-authenticate: Bearer realm=\"http://127.0.0.1:{}/token\",service=\"here\"\r\n", token.0);
    let (registry, asked) = listen(vec![("401 Unauthorized", challenge), ("404 Not Found", String::new())]);
    fails(&registry, 1, &["the registry has no"]);
    let heads = asked.join().unwrap();
    assert!(!heads[0].contains("authorization"), "{heads:?}");
    assert!(heads[1].contains("authorization: Bearer abc\r\n"), "{heads:?}");
}

#[test]
fn a_token_stays_where_a_redirect_leads_elsewhere() {
    let token = always("200 OK", "content-type: application/json\r\n", "{\"token\":\"abc\"}");
    let (elsewhere, asked) = listen(vec![("404 Not Found", String::new())]);
    let challenge = format!("www-authenticate: Bearer realm=\"http://127.0.0.1:{}/token\"\r\n", token.0);
    let there = format!("location: http://127.0.0.1:{}/x\r\n", elsewhere.0);
    let (registry, _) = listen(vec![("401 Unauthorized", challenge), ("307 Temporary Redirect", there)]);
    fails(&registry, 1, &["the registry has no"]);
    let heads = asked.join().unwrap();
    assert!(heads[0].starts_with("GET /x ") && !heads[0].contains("authorization"), "{heads:?}");
}

/// A rogue that gives these answers with these fields, one after the other, and what it was asked.
fn listen(answers: Vec<(&'static str, String)>) -> (Rogue, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = thread::spawn(move || {
        let mut heads = Vec::new();
        for (answer, fields) in answers {
            let mut stream = listener.accept().unwrap().0;
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            heads.push(String::from_utf8(head).unwrap());
            say(&mut stream, answer, &fields, "");
        }
        heads
    });
    (Rogue(port), asked)
}

#[test]
fn only_this_machine_is_asked_without_encryption() {
    let home = Home::new();
    // TEST-NET-1 leads nowhere, so that only what happens before a connection is seen.
    let ran = home
        .run(&["skills", "publish", Source::hello().path(), "oci://acme.invalid/acme/hello:1", "--plain-http"])
        .expect(1);
    assert!(ran.stderr.contains("can't reach `acme.invalid`"), "{}", ran.stderr);
}
