//! The host is killed at random points, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::host::Home;

/// How often the host is killed: enough to meet each moment of a call.
const KILLS: u32 = 200;

/// The longest that a host lives after it listens.
const LIFE_MS: u64 = 60;

/// What callers were told before the host died.
#[derive(Default)]
struct Told {
    /// Ids of receipts.
    receipts: BTreeSet<String>,
    /// Calls that succeeded, by the approval that they needed.
    approved: BTreeMap<String, u32>,
}

#[test]
fn no_acknowledged_record_is_lost_and_no_approval_is_used_twice() {
    let home = Home::new();
    home.package("plain", "tests/plain", "1.0.0", "hostile", "");
    home.package("risky", "tests/risky", "1.0.0", "hostile", "risk_tags = [\"destructive\"]\n");
    home.grant("tests/plain", &[]).grant("tests/risky", &[]);
    let token = home.key("all", &["skills:execute", "approvals:answer"]);
    let told = Arc::new(Mutex::new(Told::default()));
    for turn in 0..KILLS {
        let server = home.serve();
        let caller = Caller { address: server.address().to_owned(), token: token.clone(), told: Arc::clone(&told) };
        let calls = thread::spawn(move || caller.call_until_killed(turn));
        thread::sleep(Duration::from_millis(RandomState::new().build_hasher().finish() % LIFE_MS));
        server.kill();
        calls.join().unwrap();
    }
    let told = Arc::into_inner(told).unwrap().into_inner().unwrap();
    assert!(!told.receipts.is_empty() && !told.approved.is_empty(), "no call was answered in any life of the host");
    let export = home.path("export");
    home.run(&["audit", "export", export.to_str().unwrap()]).expect(0);
    home.run(&["audit", "verify", export.to_str().unwrap()]).expect(0);
    let lines = std::fs::read_to_string(export).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    let records: Vec<&Value> = records.iter().map(|line| &line["record"]).collect();
    let of = |kind: &str| records.iter().filter(|record| record["kind"] == kind).copied().collect::<Vec<_>>();
    let kept: BTreeSet<&str> = of("call").iter().filter_map(|record| record["receipt"].as_str()).collect();
    for receipt in &told.receipts {
        assert!(kept.contains(receipt.as_str()), "the receipt {receipt} was told and is lost");
    }
    let mut used = BTreeMap::<&str, u32>::new();
    for record in of("approval-used") {
        *used.entry(record["approval"].as_str().unwrap()).or_default() += 1;
    }
    assert!(used.values().all(|times| *times == 1), "{used:?}");
    assert!(told.approved.values().all(|times| *times == 1), "{:?}", told.approved);
    for approval in told.approved.keys() {
        assert!(used.contains_key(approval.as_str()), "{approval} was used and that is lost");
    }
}

struct Caller {
    address: String,
    token: String,
    told: Arc<Mutex<Told>>,
}

impl Caller {
    /// A call that needs an approval, made as often as it goes, and then calls that need none.
    fn call_until_killed(&self, turn: u32) -> Option<()> {
        let risky = json!({ "tool": "echo", "arguments": { "text": format!("turn {turn}") } });
        let execute = "/v1/skills/tests/risky/execute";
        let (_, asked) = self.post(execute, &risky)?;
        let approval = asked["approval"].as_str()?.to_owned();
        self.post(&format!("/v1/approvals/{approval}/answer"), &json!({ "decision": "approve" }))?;
        for _ in 0..3 {
            let (status, answer) = self.post(execute, &risky)?;
            if status == 200 {
                self.note(&answer);
                *self.told.lock().unwrap().approved.entry(approval.clone()).or_default() += 1;
            }
        }
        loop {
            let plain = json!({ "tool": "echo", "arguments": { "text": "x" } });
            let (_, answer) = self.post("/v1/skills/tests/plain/execute", &plain)?;
            self.note(&answer);
        }
    }

    fn note(&self, answer: &Value) {
        let receipt = answer["receipt"]["id"].as_str().map(str::to_owned);
        self.told.lock().unwrap().receipts.extend(receipt);
    }

    /// The status and the body, if the whole answer came.
    fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let body = body.to_string();
        let (host, token, length) = (&self.address, &self.token, body.len());
        let mut stream = TcpStream::connect(&self.address).ok()?;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body).ok()?))
    }
}
