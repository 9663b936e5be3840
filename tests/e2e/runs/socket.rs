//! The WebSocket of the real binary, by a client as small as can be.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{SCOPES, home, submit, until};
use crate::client::Client;
use crate::host::PATIENCE;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;

pub(super) struct Socket {
    stream: TcpStream,
    head: String,
}

impl Socket {
    /// As a browser opens it: the key is a protocol, because there is no header for it.
    pub(super) fn open(client: &Client, token: &str, topics: &str) -> Self {
        let address = client.address();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "GET /ws/events?topics={topics} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\n\
             connection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: bailiwick.v1, bearer.{token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        Self { stream, head }
    }

    /// A short text, with a mask of zeros.
    fn tell(&mut self, command: &Value) {
        let text = command.to_string();
        let mut frame = vec![0x80 | TEXT, 0x80 | u8::try_from(text.len()).unwrap()];
        assert!(text.len() < 126, "a length of one byte");
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).unwrap();
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut start = [0; 2];
        self.stream.read_exact(&mut start).unwrap();
        let mut length = usize::from(start[1]);
        if length == 126 {
            let mut more = [0; 2];
            self.stream.read_exact(&mut more).unwrap();
            length = u16::from_be_bytes(more).into();
        }
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).unwrap();
        (start[0] & 0x0f, payload)
    }

    /// The next message of which `is_it` is true.
    #[track_caller]
    pub(super) fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (opcode, payload) = self.frame();
            assert_ne!(opcode, CLOSE, "{}", String::from_utf8_lossy(&payload));
            if opcode == TEXT {
                let message: Value = serde_json::from_slice(&payload).unwrap();
                if is_it(&message) {
                    return message;
                }
            }
        }
    }
}

#[test]
fn a_page_watches_a_run_ends_it_and_is_told_when_the_host_goes_down() {
    let home = home("");
    let token = home.key("runs", &SCOPES);
    let mut server = home.serve();
    let client = server.by(Some(&token));
    let mut socket = Socket::open(&client, &token, "agent.*,workflow.*");
    assert!(socket.head.starts_with("http/1.1 101"), "{}", socket.head);
    assert!(socket.head.contains("sec-websocket-protocol: bailiwick.v1\r\n"), "{}", socket.head);
    let id = submit(&client, "clerk", "slow");
    let started = socket.until(|message| message["name"] == "workflow.started");
    assert_eq!((&started["run"], &started["data"]["strategy"]), (&json!(id), &json!("single")));
    socket.until(|message| message["name"] == "agent.status_changed" && message["data"]["status"] == "working");
    socket.tell(&json!({ "id": "1", "command": "cancel", "run": id }));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let message = socket.until(|_| true);
        seen.push(message["name"].as_str().unwrap_or("answer").to_owned());
        if message["type"] == "answer" {
            assert_eq!(message["status"], "cancelled", "{message}");
        }
    }
    seen.sort();
    assert_eq!(seen, ["agent.status_changed", "answer", "workflow.completed"]);
    // A file that is new is an agent that is new; a run that names it has the host look.
    home.write(
        "agents/guard.toml",
        "name = \"guard\"\ndescription = \"Guards.\"\ninstructions = \"Guard.\"\nmodels = [\"script\"]\n",
    );
    crate::host::eventually("the new file is read", || {
        let answer = client.post("/v1/agents/runs", &json!({ "agent": "guard", "input": "x" }));
        (answer.status == 202).then_some(())
    });
    let registered = socket.until(|message| message["name"] == "agent.registered");
    assert_eq!((&registered["topic"], &registered["data"]["source"]), (&json!("agent.guard.status"), &json!("file")));
    server.terminate();
    let (code, reason) = loop {
        if let (CLOSE, payload) = socket.frame() {
            break (u16::from_be_bytes([payload[0], payload[1]]), payload[2..].to_vec());
        }
    };
    assert_eq!((code, reason.as_slice()), (1001, b"the host goes down".as_slice()));
    drop(socket);
    assert!(server.wait().success(), "{}", server.log());
    assert!(!server.log().contains(&token), "a key is in the log");
}

#[test]
fn a_page_that_was_cut_off_comes_back_and_reads_what_it_missed() {
    let home = home("");
    let token = home.key("runs", &SCOPES);
    let server = home.serve();
    let client = server.by(Some(&token));
    let mut socket = Socket::open(&client, &token, "workflow.*");
    let id = submit(&client, "clerk", "a while");
    socket.until(|message| message["name"] == "workflow.started");
    drop(socket);
    until(&client, &id, "completed");
    let mut socket = Socket::open(&client, &token, "workflow.*");
    let path = format!("/v1/agents/runs/{id}/events?after=2");
    let missed = client.send("GET", &path, &[("accept", "application/json")], None).ok();
    let kinds: Vec<&str> =
        missed["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["task.assigned", "step.started", "step.ended", "task.ended", "run.completed"]);
    let next = submit(&client, "clerk", "hello");
    socket.until(|message| message["name"] == "workflow.completed" && message["run"] == next.as_str());
}
