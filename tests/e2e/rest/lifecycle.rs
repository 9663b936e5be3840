//! A server from its start to its end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::host::{Home, Ran, eventually};

#[test]
fn probes_are_answered_to_anybody() {
    let home = Home::new();
    home.guest("hostile", "").prompt("advice");
    let server = home.serve();
    let anybody = server.by(None);
    let health = anybody.get("/healthz").ok();
    assert_eq!((&health["status"], &health["version"]), (&json!("ok"), &json!(env!("CARGO_PKG_VERSION"))));
    let ready = anybody.get("/readyz").ok();
    assert_eq!((&ready["skills"], &ready["releases"], &ready["tools"]), (&json!(2), &json!(2), &json!(12)));
    let document = anybody.get("/openapi.json").ok();
    assert!(document["paths"]["/v1/skills/{namespace}/{name}/execute"]["post"].is_object(), "{document}");
}

#[test]
fn a_call_under_way_is_finished_before_the_server_ends() {
    let home = Home::new();
    home.guest("hostile", "[limits]\nconcurrency = 1\n").grant("tests/hostile", &[]);
    let mut server = home.serve();
    let client = Client::clone(&server);
    let slow = thread::spawn(move || client.execute_when_free("tests/hostile", "sleep", &json!({ "millis": 3_000 })));
    server.wait_until_busy();
    server.terminate();
    let address = server.address().to_owned();
    eventually("nobody new is let in", || TcpStream::connect(&address).is_err().then_some(()));
    assert_eq!(slow.join().unwrap().output(), json!(null));
    assert!(server.wait().success(), "{}", server.log());
    assert!(server.log().contains("stopping"), "{}", server.log());
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let home = Home::new();
    let mut server = home.serve();
    let idle = TcpStream::connect(server.address()).unwrap();
    server.get("/healthz").ok();
    let start = Instant::now();
    server.terminate();
    assert!(server.wait().success());
    assert!(start.elapsed() < Duration::from_secs(8), "it waited for the idle: {:?}", start.elapsed());
    drop(idle);
}

#[test]
fn a_folder_of_data_has_one_server() {
    let home = Home::new();
    let server = home.serve();
    let second = Ran::of(home.command().args(["serve", "--listen", "127.0.0.1:0"])).expect(1);
    assert!(second.stderr.contains("journal.redb"), "{}", second.stderr);
    server.get("/v1/skills").ok();
    server.stop();
    home.serve().get("/v1/skills").ok();
}

#[test]
fn revoking_a_grant_ends_a_call_under_way() {
    let home = Home::new();
    home.guest("hostile", "[limits]\ndeadline = \"110 s\"\nconcurrency = 1\n").grant("tests/hostile", &[]);
    for (tool, arguments) in [("sleep", json!({ "millis": 100_000 })), ("spin", json!({}))] {
        home.grant("tests/hostile", &[]);
        let server = home.serve();
        let client = Client::clone(&server);
        let call = thread::spawn(move || (client.execute_when_free("tests/hostile", tool, &arguments), Instant::now()));
        server.wait_until_busy();
        home.run(&["grant", "revoke", "tests/hostile"]).expect(0);
        let revoked = Instant::now();
        let (answer, ended) = call.join().unwrap();
        let problem = answer.problem("grant-revoked");
        assert_eq!(problem["receipt"]["outcome"], "revoked");
        let waited = ended.saturating_duration_since(revoked);
        assert!(waited < Duration::from_secs(5), "{tool} went on for {waited:?} after its grant was gone");
        server.execute("tests/hostile", "echo", &json!({ "text": "" })).problem("not-granted");
        server.stop();
    }
}

#[test]
fn a_narrower_grant_ends_what_it_no_longer_gives() {
    let home = Home::new();
    let manifest = "[permissions]\nstate = true\n[limits]\ndeadline = \"110 s\"\nconcurrency = 1\n";
    home.guest("hostile", manifest).grant("tests/hostile", &["--state"]);
    let server = home.serve();
    let client = Client::clone(&server);
    let call = thread::spawn(move || client.execute_when_free("tests/hostile", "sleep", &json!({ "millis": 100_000 })));
    server.wait_until_busy();
    // The same grant once more ends nothing.
    home.grant("tests/hostile", &["--state"]);
    thread::sleep(Duration::from_millis(500));
    assert!(!call.is_finished());
    home.grant("tests/hostile", &[]);
    call.join().unwrap().problem("grant-revoked");
}

#[test]
fn an_earlier_end_ends_a_call_under_way() {
    let home = Home::new();
    home.guest("hostile", "[limits]\ndeadline = \"110 s\"\nconcurrency = 1\n").grant("tests/hostile", &[]);
    let server = home.serve();
    let client = Client::clone(&server);
    let call = thread::spawn(move || client.execute_when_free("tests/hostile", "sleep", &json!({ "millis": 100_000 })));
    server.wait_until_busy();
    let start = Instant::now();
    home.run(&["grant", "narrow", "tests/hostile", "--expires", "2 s"]).expect(0);
    // As a call ends whose grant had that end from the beginning.
    let problem = call.join().unwrap().problem("deadline-exceeded");
    assert_eq!(problem["receipt"]["outcome"], "deadline-exceeded");
    assert!(start.elapsed() < Duration::from_secs(30), "it went on for {:?}", start.elapsed());
    server.execute("tests/hostile", "echo", &json!({ "text": "" })).problem("grant-expired");
}

#[test]
fn a_grant_ends_by_itself() {
    let home = Home::new();
    home.guest("hostile", "[limits]\ndeadline = \"110 s\"\n").grant("tests/hostile", &["--expires", "3 s"]);
    let server = home.serve();
    // A call that is under way then ends with it.
    let start = Instant::now();
    let answer = server.execute("tests/hostile", "sleep", &json!({ "millis": 100_000 }));
    assert!(matches!(answer.json()["code"].as_str(), Some("deadline-exceeded" | "grant-expired")), "{}", answer.text());
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    eventually("the grant is over", || {
        let answer = server.execute("tests/hostile", "echo", &json!({ "text": "" }));
        (answer.status == 403).then(|| answer.problem("grant-expired"))
    });
}

#[test]
fn a_client_that_goes_away_takes_its_call_with_it() {
    let home = Home::new();
    home.guest("hostile", "[limits]\ndeadline = \"110 s\"\nconcurrency = 1\n").grant("tests/hostile", &[]);
    let server = home.serve();
    let body = json!({ "tool": "sleep", "arguments": { "millis": 100_000 } }).to_string();
    let head = format!(
        "POST /v1/skills/tests/hostile/execute HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        server.address(),
        home.token(),
        body.len()
    );
    let mut gone = TcpStream::connect(server.address()).unwrap();
    gone.write_all(format!("{head}{body}").as_bytes()).unwrap();
    // Whoever asks whether the one place is taken would take it: an answer would be a refusal.
    gone.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(gone.read(&mut [0; 1]).is_err(), "the call is not under way");
    server.wait_until_busy();
    drop(gone);
    let start = Instant::now();
    server.execute_when_free("tests/hostile", "echo", &json!({ "text": "" })).ok();
    assert!(start.elapsed() < Duration::from_secs(30), "the place came free after {:?}", start.elapsed());
    eventually("the call is logged", || server.log().contains("cancelled").then_some(()));
}
