//! The WebSocket, by a client of the test's own.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, UPGRADE};
use bailiwick_api::auth::{NewKey, Scope};
use bailiwick_api::options::ServeOptions;
use bailiwick_api::problem::Kind;
use bailiwick_api::serve;
use bailiwick_domain::clock::Clock as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::host::{NAME, TestHost, request};

/// Long for a machine, short for a person.
const SOON: Duration = Duration::from_secs(10);

/// As many `WebSockets` as the host has open at once.
const MAX_SOCKETS: usize = 64;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;

struct Server {
    host: TestHost,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn start() -> Server {
    let host = TestHost::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("address");
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(serve(listener, host.router(), ServeOptions::default(), async {
        let _ = stopped.await;
    }));
    Server { host, address, stop, done }
}

/// One side of a WebSocket (RFC 6455), as little of it as a test needs.
struct Socket {
    stream: TcpStream,
    head: String,
}

impl Server {
    /// Asks for a WebSocket with these headers beside those that make it one.
    async fn ask(&self, query: &str, headers: &str) -> Socket {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        let head = format!(
            "GET /ws/events{query} HTTP/1.1\r\nhost: {NAME}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(byte(&mut stream).await);
        }
        Socket { stream, head: String::from_utf8(head).expect("text").to_lowercase() }
    }

    /// A WebSocket by the key of this name.
    async fn open(&self, key: &str, topics: &str) -> Socket {
        let query = format!("?topics={topics}");
        let socket = self.ask(&query, &format!("authorization: Bearer {}\r\n", self.host.token(key))).await;
        assert!(socket.head.starts_with("http/1.1 101"), "{}", socket.head);
        // The key of RFC 6455, 1.3, and its answer.
        assert!(socket.head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{}", socket.head);
        socket
    }

    /// Submits a run of an agent whose model never answers.
    async fn submit(&self) -> String {
        let definition = json!({ "description": "d", "instructions": "i", "models": ["stuck"] });
        self.send("admin", "PUT", "/v1/agents/scout", &definition).await;
        let run = self.send("admin", "POST", "/v1/agents/runs", &json!({ "agent": "scout", "input": "x" })).await;
        run["id"].as_str().expect("an id").to_owned()
    }

    async fn send(&self, key: &str, method: &str, path: &str, body: &Value) -> Value {
        let request = self.host.request(method, path, key).header(CONTENT_TYPE, "application/json");
        let answer = self.host.send(request.body(Body::from(body.to_string())).expect("request")).await;
        serde_json::from_slice(&answer.body).expect("JSON")
    }
}

async fn byte(stream: &mut TcpStream) -> u8 {
    tokio::time::timeout(SOON, stream.read_u8()).await.expect("in time").expect("a byte")
}

impl Socket {
    async fn send_frame(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match u16::try_from(payload.len()) {
            Ok(short @ 0..=125) => frame.push(0x80 | short.to_be_bytes()[1]),
            Ok(length) => {
                frame.push(0x80 | 0x7e);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend((payload.len() as u64).to_be_bytes());
            }
        }
        // A mask of zeros changes nothing.
        frame.extend([0; 4]);
        frame.extend(payload);
        // A host that has had enough may have closed.
        let _ = self.stream.write_all(&frame).await;
    }

    async fn tell(&mut self, command: &Value) {
        self.send_frame(TEXT, command.to_string().as_bytes()).await;
    }

    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let opcode = byte(&mut self.stream).await & 0x0f;
        let length = match byte(&mut self.stream).await {
            126 => usize::from(self.stream.read_u16().await.expect("a length")),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.expect("a payload");
        (opcode, payload)
    }

    /// The next message.
    async fn next(&mut self) -> Value {
        loop {
            match self.frame().await {
                (TEXT, payload) => return serde_json::from_slice(&payload).expect("JSON"),
                (PING, _) => {}
                (opcode, payload) => panic!("{opcode}: {}", String::from_utf8_lossy(&payload)),
            }
        }
    }

    /// The answer to the command of this id; what happens meanwhile is passed over.
    async fn answer(&mut self, id: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == "answer" && message["id"] == id {
                return message;
            }
        }
    }

    /// The next event of this name.
    async fn event(&mut self, name: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["name"] == name {
                return message;
            }
        }
    }

    /// The code and the reason with which the host closes.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            if let (CLOSE, payload) = self.frame().await {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                return (code, String::from_utf8(payload[2..].to_vec()).expect("text"));
            }
        }
    }

    /// The problem that came in place of a WebSocket.
    async fn problem(mut self, kind: Kind) -> Value {
        let head = format!("http/1.1 {} ", kind.status);
        assert!(self.head.starts_with(&head), "{}", self.head);
        let length = self.head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        self.stream.read_exact(&mut body).await.expect("a body");
        let problem: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(problem["code"], kind.code, "{problem}");
        problem
    }
}

#[tokio::test]
async fn events_come_by_topic_and_a_command_cancels_the_run() {
    let server = start().await;
    let mut all = server.open("admin", "*").await;
    let mut status = server.open("watcher", "agent.*.status").await;
    let mut completed = server.open("watcher", "workflow.completed.*").await;
    let id = server.submit().await;
    let started = all.event("workflow.started").await;
    assert_eq!((&started["run"], &started["topic"]), (&json!(id), &json!(format!("workflow.{id}.events"))));
    let assigned = all.event("task.assigned").await;
    assert_eq!((&assigned["topic"], &assigned["data"]["agent"]), (&json!("agent.scout.task"), &json!("scout")));
    all.tell(&json!({ "id": "1", "command": "pause", "run": id })).await;
    assert_eq!(all.answer("1").await, json!({ "type": "answer", "id": "1", "ok": true, "status": "paused" }));
    all.tell(&json!({ "id": "2", "command": "cancel", "run": id, "reason": "enough" })).await;
    assert_eq!(all.answer("2").await["status"], "cancelled");
    for expected in ["working", "idle"] {
        let told = status.next().await;
        assert_eq!((&told["name"], &told["data"]["status"]), (&json!("agent.status_changed"), &json!(expected)));
    }
    let told = completed.next().await;
    assert_eq!(told["data"], json!({ "status": "cancelled", "by": "key:admin" }));
    all.tell(&json!({ "id": "3", "command": "pause", "run": id })).await;
    let refused = all.answer("3").await;
    assert_eq!((&refused["ok"], &refused["problem"]["code"]), (&json!(false), &json!("illegal-transition")));
}

#[tokio::test]
async fn what_people_do_with_agents_and_the_numbers_of_the_host_are_told() {
    let server = start().await;
    let mut agents = server.open("watcher", "agent.*.status").await;
    server.submit().await;
    assert_eq!(agents.next().await["data"]["status"], "working");
    let mut numbers = server.open("watcher", "metrics").await;
    server.send("admin", "POST", "/v1/agents/scout/pause", &Value::Null).await;
    let paused = agents.next().await;
    assert_eq!((&paused["name"], &paused["data"]["by"]), (&json!("agent.paused"), &json!("key:admin")));
    let told = agents.next().await;
    assert_eq!((&told["name"], &told["data"]["status"]), (&json!("agent.status_changed"), &json!("paused")));
    server.send("admin", "POST", "/v1/agents/scout/resume", &Value::Null).await;
    assert_eq!(agents.next().await["name"], "agent.resumed");
    assert_eq!(agents.next().await["data"]["status"], "working");
    let definition = json!({ "description": "d", "instructions": "i", "models": ["stuck"] });
    server.send("admin", "PUT", "/v1/agents/pilot", &definition).await;
    for name in ["agent.registered", "agent.spawned", "agent.status_changed"] {
        let told = agents.next().await;
        assert_eq!((&told["name"], &told["data"]["agent"]), (&json!(name), &json!("pilot")));
    }
    server.send("admin", "DELETE", "/v1/agents/scout", &Value::Null).await;
    assert_eq!(agents.next().await["name"], "agent.terminated");
    assert_eq!(agents.next().await["data"], json!({ "agent": "scout", "status": "terminated" }));
    let told = numbers.next().await;
    assert_eq!((&told["topic"], &told["name"]), (&json!("metrics"), &json!("metrics.updated")));
    assert_eq!((&told["data"]["open_runs"], &told["data"]["usd"]), (&json!(1), &json!(0.0)));
}

#[tokio::test]
async fn clients_hear_what_others_publish() {
    let server = start().await;
    let mut hears = server.open("watcher", "broadcast.*").await;
    let mut says = server.open("admin", "agent.*").await;
    says.tell(&json!({ "id": "1", "command": "publish", "text": "good morning" })).await;
    assert_eq!(says.answer("1").await["ok"], true);
    let told = hears.next().await;
    assert_eq!((&told["topic"], &told["name"]), (&json!("broadcast.clients"), &json!("broadcast.message")));
    assert_eq!(told["data"], json!({ "from": "key:admin", "text": "good morning" }));
}

#[tokio::test]
async fn commands_need_their_scope_and_what_is_wrong_is_answered() {
    let server = start().await;
    let mut socket = server.open("watcher", "agent.*").await;
    let run = "0".repeat(32);
    let approval = "apr_0006611d2a3c41f09c21";
    for (command, code) in [
        (json!({ "id": "1", "command": "cancel", "run": run }), "forbidden-scope"),
        (json!({ "id": "2", "command": "approve", "approval": approval }), "forbidden-scope"),
        (json!({ "id": "3", "command": "publish", "text": "x" }), "forbidden-scope"),
        (json!({ "id": "4", "command": "cancel", "run": run, "why": "x" }), "invalid-request"),
    ] {
        socket.tell(&command).await;
        let answer = socket.answer(command["id"].as_str().expect("an id")).await;
        assert_eq!((&answer["ok"], &answer["problem"]["code"]), (&json!(false), &json!(code)), "{command}");
    }
    socket.send_frame(TEXT, b"not JSON").await;
    assert_eq!(socket.next().await["problem"]["code"], "invalid-json");
    let mut admin = server.open("admin", "agent.*").await;
    for (command, code) in [
        (json!({ "id": "1", "command": "cancel", "run": run }), "unknown-run"),
        (json!({ "id": "2", "command": "deny", "approval": approval }), "unknown-approval"),
    ] {
        admin.tell(&command).await;
        assert_eq!(admin.answer(command["id"].as_str().expect("an id")).await["problem"]["code"], code);
    }
}

#[tokio::test]
async fn nobody_is_let_in_without_a_good_key_and_from_foreign_pages() {
    let server = start().await;
    let bad = format!("{}A", server.host.token("reader"));
    let [watcher, reader] = ["watcher", "reader"].map(|key| server.host.token(key));
    server.ask("", "").await.problem(Kind::UNAUTHENTICATED).await;
    server.ask("", &format!("authorization: Bearer {bad}\r\n")).await.problem(Kind::UNAUTHENTICATED).await;
    let twice = format!("authorization: Bearer {watcher}\r\nsec-websocket-protocol: bearer.{watcher}\r\n");
    server.ask("", &twice).await.problem(Kind::UNAUTHENTICATED).await;
    server.ask("", &format!("authorization: Bearer {reader}\r\n")).await.problem(Kind::FORBIDDEN_SCOPE).await;
    let foreign = format!("authorization: Bearer {watcher}\r\norigin: https://evil.example\r\n");
    server.ask("", &foreign).await.problem(Kind::WRONG_ORIGIN).await;
    let good = format!("authorization: Bearer {watcher}\r\n");
    let problem = server.ask("?topics=a..b", &good).await.problem(Kind::INVALID_QUERY).await;
    assert!(problem["detail"].as_str().expect("text").contains("a..b"), "{problem}");
}

#[tokio::test]
async fn browsers_show_their_key_as_a_protocol_and_never_see_it_again() {
    let server = start().await;
    let token = server.host.token("watcher").to_owned();
    let headers = format!("origin: http://{NAME}\r\nsec-websocket-protocol: bailiwick.v1, bearer.{token}\r\n");
    let socket = server.ask("", &headers).await;
    assert!(socket.head.starts_with("http/1.1 101"), "{}", socket.head);
    assert!(socket.head.contains("sec-websocket-protocol: bailiwick.v1\r\n"), "{}", socket.head);
    assert!(!socket.head.contains(&token.to_lowercase()), "{}", socket.head);
}

#[tokio::test]
async fn a_request_that_is_no_upgrade_is_told_what_is_needed() {
    let host = TestHost::new();
    let plain = host.request("GET", "/ws/events", "watcher").body(Body::empty()).expect("request");
    let answer = host.send(plain).await;
    answer.problem(Kind::UPGRADE_REQUIRED);
    assert_eq!(answer.headers[UPGRADE], "websocket");
    let anonymous = request("GET", "/ws/events").body(Body::empty()).expect("request");
    host.send(anonymous).await.problem(Kind::UNAUTHENTICATED);
}

#[tokio::test]
async fn more_sockets_than_may_be_open_are_refused_until_one_is_closed() {
    let server = start().await;
    let mut open = Vec::new();
    for _ in 0..MAX_SOCKETS {
        open.push(server.open("watcher", "agent.*").await);
    }
    let headers = format!("authorization: Bearer {}\r\n", server.host.token("watcher"));
    let refused = server.ask("", &headers).await;
    assert!(refused.head.contains("retry-after: 5\r\n"), "{}", refused.head);
    refused.problem(Kind::TOO_MANY_SOCKETS).await;
    let mut gone = open.pop().expect("one of them");
    gone.send_frame(CLOSE, &1000_u16.to_be_bytes()).await;
    assert_eq!(gone.closed().await.0, 1000, "a close frame is answered with its code");
    let again = async {
        while !server.ask("", &headers).await.head.starts_with("http/1.1 101") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, again).await.expect("the place is free");
}

#[tokio::test]
async fn what_is_not_taken_closes_with_a_code() {
    let server = start().await;
    let mut socket = server.open("watcher", "agent.*").await;
    socket.send_frame(BINARY, b"{}").await;
    assert_eq!(socket.closed().await.0, 1003);
    let mut socket = server.open("watcher", "agent.*").await;
    socket.send_frame(TEXT, &vec![b' '; (64 << 10) + 1]).await;
    assert_eq!(socket.closed().await.0, 1002);
}

#[tokio::test]
async fn a_host_that_goes_down_takes_leave_before_it_is_gone() {
    let server = start().await;
    let mut socket = server.open("watcher", "agent.*").await;
    server.host.ready.set(false);
    server.stop.send(()).expect("running");
    assert_eq!(socket.closed().await, (1001, "the host goes down".to_owned()));
    drop(socket);
    tokio::time::timeout(SOON, server.done).await.expect("in time").expect("no panic").expect("no error");
}

#[tokio::test]
async fn a_key_that_is_over_is_good_for_nothing_on_an_open_socket() {
    let server = start().await;
    let hour = Duration::from_hours(1);
    let now = server.host.clock.now();
    let scopes = BTreeSet::from([Scope::RunsRead]);
    let key = NewKey { name: "short".to_owned(), scopes, expires_at: Some(now + hour) };
    let token = server.host.keys.create(key, now).expect("created").token;
    let headers = format!("authorization: Bearer {token}\r\n");
    // The host looks at its key file by and by.
    let mut socket = loop {
        let socket = server.ask("", &headers).await;
        if socket.head.starts_with("http/1.1 101") {
            break socket;
        }
        assert!(!socket.head.starts_with("http/1.1 429"), "the key is never known");
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    server.host.clock.advance(hour);
    assert_eq!(socket.closed().await, (1008, "the API key has expired".to_owned()));
}
