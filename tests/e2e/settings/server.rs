//! Where things are kept, and the keys of `[server]`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::host::{Home, Server};

/// Bytes of all files below `folder`.
fn size(folder: &std::path::Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let sizes = entries.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { size(&path) } else { fs::metadata(&path).unwrap().len() }
    });
    sizes.sum()
}

#[test]
pub(super) fn what_lasts_is_kept_where_data_dir_says() {
    let home = Home::configured("data_dir = \"kept/here\"\n");
    home.guest("keeper", "[permissions]\nstate = true\n").grant("tests/keeper", &["--state"]);
    let server = home.serve();
    server.execute("tests/keeper", "put", &json!({ "key": "k", "value": "v" })).ok();
    for file in ["audit.key", "keys.toml", "journal.redb", "cache"] {
        assert!(home.path("kept/here").join(file).exists(), "{file} is not there");
    }
    assert!(!home.path(".local").exists(), "nothing is kept at the default place");
    // Relative to the configuration, and not to where the command is run.
    let mut command = home.command();
    command.current_dir("/").args(["--json", "grant", "list"]);
    assert_eq!(crate::host::Ran::of(&mut command).expect(0).json().as_array().unwrap().len(), 1);
}

#[test]
pub(super) fn compiled_code_is_kept_where_cache_dir_says() {
    let home = Home::configured("data_dir = \"data\"\ncache_dir = \"fast/cache\"\n");
    home.guest("hostile", "");
    home.run(&["skills", "list"]).expect(0);
    assert!(size(&home.path("fast/cache")) > 10_000, "the code of a component is larger");
    assert!(!home.path("data/cache").exists());
}

#[test]
pub(super) fn the_server_is_where_it_was_told_to_be() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = Home::with(&format!("[server]\nlisten = \"127.0.0.1:{port}\"\n"));
    let server = Server::start(home.command().arg("serve"), home.token());
    assert_eq!(server.url(), format!("http://127.0.0.1:{port}"));
    server.get("/healthz").ok();
}

#[test]
pub(super) fn there_are_as_many_threads_as_configured() {
    let threads = |workers: u16| {
        let home = Home::with(&format!("[server]\nworker_threads = {workers}\n"));
        let server = home.serve();
        server.get("/healthz").ok();
        fs::read_dir(format!("/proc/{}/task", server.id())).unwrap().count()
    };
    let (few, many) = (threads(1), threads(13));
    // Each server has some threads besides, and one or two that come and go.
    assert!((10..=14).contains(&(many - few)), "{few} threads with one worker, {many} with thirteen");
}

#[test]
pub(super) fn callers_on_this_machine_need_no_key_if_told_so() {
    for allowed in [false, true] {
        let home = Home::with(&format!("[server]\nallow_unauthenticated_loopback = {allowed}\n"));
        home.guest("hostile", "").grant("tests/hostile", &[]);
        let server = home.serve();
        let nobody = server.by(None);
        let answer = nobody.execute("tests/hostile", "echo", &json!({ "text": "" }));
        if allowed {
            answer.ok();
            // Somebody elsewhere who comes through a proxy on this machine is not on this machine.
            nobody.send("GET", "/v1/skills", &[("x-forwarded-for", "192.0.2.1")], None).problem("unauthenticated");
        } else {
            answer.problem("unauthenticated");
        }
    }
}

fn head_of_answer(server: &Server, token: &str, host: &str, more: &str) -> String {
    let request = format!(
        "GET /v1/skills HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n{more}\r\n"
    );
    server.raw(&request).lines().next().unwrap_or_default().to_owned()
}

#[test]
pub(super) fn a_configured_name_is_served() {
    let home = Home::with("[server]\nallowed_hosts = [\"skills.example.com\"]\n");
    let server = home.serve();
    assert!(head_of_answer(&server, home.token(), "skills.example.com", "").contains(" 200 "));
    assert!(head_of_answer(&server, home.token(), "other.example.com", "").contains(" 421 "));
}

#[test]
pub(super) fn a_page_of_a_configured_origin_may_call() {
    let home = Home::with("[server]\nallowed_origins = [\"https://app.example.com\"]\n");
    let server = home.serve();
    let from = |origin: &str| {
        let host = server.address();
        head_of_answer(&server, home.token(), host, &format!("origin: {origin}\r\n"))
    };
    assert!(from("https://app.example.com").contains(" 200 "));
    assert!(from("https://evil.example.com").contains(" 403 "));
}

#[test]
pub(super) fn a_body_above_the_configured_size_is_refused() {
    let home = Home::with("[server]\nmax_body = \"2 KiB\"\n");
    home.guest("hostile", "").grant("tests/hostile", &[]);
    let server = home.serve();
    server.execute("tests/hostile", "echo", &json!({ "text": "x".repeat(1900) })).ok();
    let problem =
        server.execute("tests/hostile", "echo", &json!({ "text": "x".repeat(2100) })).problem("body-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("2048"), "{problem}");
}

/// A connection on which a request was answered, and which is kept.
fn kept(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    ask(&mut stream, server);
    assert!(answered(&mut stream, Duration::from_secs(30)));
    stream
}

fn ask(stream: &mut TcpStream, server: &Server) {
    let request = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", server.address());
    stream.write_all(request.as_bytes()).unwrap();
}

fn answered(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).unwrap();
    stream.read(&mut [0; 1024]).is_ok_and(|bytes| bytes > 0)
}

#[test]
pub(super) fn connections_above_the_configured_number_wait() {
    let home = Home::with("[server]\nmax_connections = 2\n");
    let server = home.serve();
    let first = kept(&server);
    let _second = kept(&server);
    let mut third = TcpStream::connect(server.address()).unwrap();
    ask(&mut third, &server);
    assert!(!answered(&mut third, Duration::from_secs(2)), "there is a place for a third connection");
    drop(first);
    assert!(answered(&mut third, Duration::from_secs(30)), "the place that became free was not given on");
}

#[test]
pub(super) fn calls_that_outlast_the_drain_are_cut_off() {
    let home = Home::with("[server]\ndrain = \"500 ms\"\n");
    home.guest("hostile", "[limits]\ndeadline = \"110 s\"\nconcurrency = 1\n").grant("tests/hostile", &[]);
    let mut server = home.serve();
    let client = Client::clone(&server);
    let call = thread::spawn(move || client.execute_when_free("tests/hostile", "sleep", &json!({ "millis": 100_000 })));
    server.wait_until_busy();
    let start = Instant::now();
    server.terminate();
    assert!(server.wait().success());
    // Ten seconds would be the time where none is configured.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(call.join().is_err(), "the call was cut off");
    assert!(server.log().contains("cut off"), "{}", server.log());
}
