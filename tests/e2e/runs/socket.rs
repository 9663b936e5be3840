//! The WebSocket of the real binary, by a client as small as can be.

use std::fs;
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

    /// The answer to a command, and what was told until the event `last` was too. They come in
    /// any order.
    #[track_caller]
    fn ask(&mut self, command: &Value, last: &str) -> (Value, Vec<Value>) {
        self.tell(command);
        let (mut answer, mut told) = (Value::Null, Vec::new());
        while answer.is_null() || told.iter().all(|event: &Value| event["name"] != last) {
            let message = self.until(|_| true);
            if message["type"] == "answer" {
                answer = message;
            } else {
                told.push(message);
            }
        }
        (answer, told)
    }

    /// The approval that the run waits for.
    #[track_caller]
    fn asked(&mut self, run: &str) -> String {
        let asked = self.until(|message| message["name"] == "approval.requested" && message["run"] == run);
        asked["data"]["approval"].as_str().unwrap().to_owned()
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

/// Each event by its name and its data.
fn named(told: &[Value]) -> Vec<(&str, &Value)> {
    told.iter().map(|event| (event["name"].as_str().unwrap(), &event["data"])).collect()
}

#[test]
fn a_page_pauses_a_run_lets_it_go_on_and_says_yes_and_no_to_what_is_asked() {
    let home = home("");
    let token = home.key("runs", &SCOPES);
    let server = home.serve();
    let client = server.by(Some(&token));
    let mut socket = Socket::open(&client, &token, "workflow.*");
    let written = home.path("documents/new.md");
    let id = submit(&client, "scribe", "write it down");
    let approval = socket.asked(&id);
    let (answer, told) = socket.ask(&json!({ "id": "1", "command": "pause", "run": id }), "run.paused");
    assert_eq!(answer, json!({ "type": "answer", "id": "1", "ok": true, "status": "paused" }));
    assert_eq!(named(&told), [("run.paused", &json!({ "by": "key:runs" }))]);
    until(&client, &id, "paused");
    let (answer, told) = socket.ask(&json!({ "id": "2", "command": "resume", "run": id }), "run.resumed");
    assert_eq!(answer, json!({ "type": "answer", "id": "2", "ok": true, "status": "queued" }));
    assert_eq!(named(&told), [("run.resumed", &json!({ "by": "key:runs", "repeat": false }))]);
    until(&client, &id, "waiting_approval");
    assert!(!written.exists(), "nobody has said yes");
    let yes = json!({ "id": "3", "command": "approve", "approval": approval });
    let (answer, told) = socket.ask(&yes, "workflow.completed");
    assert_eq!(answer, json!({ "type": "answer", "id": "3", "ok": true, "approval": "approved" }));
    let (said, over) = (json!({ "step": 1, "approved": true }), json!({ "status": "completed" }));
    assert_eq!(named(&told), [("approval.answered", &said), ("workflow.completed", &over)]);
    assert_eq!(fs::read_to_string(&written).unwrap(), "new");
    let kept = client.get(&format!("/v1/approvals/{approval}")).ok();
    assert_eq!((&kept["state"], &kept["decided_by"]), (&json!("used"), &json!("key:runs")), "{kept:#}");
    // The yes was for one call, so that the same call of the next run is asked for.
    fs::remove_file(&written).unwrap();
    let id = submit(&client, "scribe", "write it down");
    let approval = socket.asked(&id);
    let no = json!({ "id": "4", "command": "deny", "approval": approval, "reason": "not today" });
    let (answer, told) = socket.ask(&no, "workflow.completed");
    assert_eq!(answer, json!({ "type": "answer", "id": "4", "ok": true, "approval": "denied" }));
    let said = json!({ "step": 1, "approved": false });
    assert_eq!(named(&told), [("approval.answered", &said), ("workflow.completed", &over)]);
    let output = until(&client, &id, "completed")["output"].as_str().unwrap().to_owned();
    assert!(output.contains("a person denied this call: not today"), "{output}");
    assert!(!written.exists(), "it was denied");
    socket.tell(&json!({ "id": "5", "command": "approve", "approval": approval }));
    let late = socket.until(|message| message["id"] == "5");
    assert_eq!((&late["ok"], &late["problem"]["code"]), (&json!(false), &json!("approval-settled")), "{late:#}");
}
