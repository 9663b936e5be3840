//! Guests that misbehave, as the clients of others meet them: not at all.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::host::{Home, Server};

/// Calls that others make while a guest misbehaves, and how many of them at once.
const OTHERS: usize = 50;
const AT_ONCE: usize = 5;

/// Far above the deadline of a call that must end at it.
const ENDED_EARLY: Duration = Duration::from_mins(1);

struct Scene {
    server: Server,
    _home: Home,
}

impl Scene {
    fn new(limits: &str) -> Self {
        let home = Home::new();
        home.guest("hostile", &format!("[limits]\n{limits}")).skill("calculate");
        home.grant("tests/hostile", &[]).grant("bailiwick/calculate", &[]);
        let server = home.serve();
        Self { server, _home: home }
    }

    /// The answer to the misbehaving call, made amid others, which must all succeed.
    fn amid_others(&self, tool: &str, arguments: &Value, deadline_ms: Option<u64>) -> Answer {
        let body = json!({ "tool": tool, "arguments": arguments, "deadline_ms": deadline_ms });
        let body = without_nulls(body);
        let answer = thread::scope(|scope| {
            let others: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| behave(&self.server, OTHERS / AT_ONCE))).collect();
            let answer = self.server.execute_with("tests/hostile", &[], &body);
            for other in others {
                other.join().unwrap();
            }
            answer
        });
        behave(&self.server, 1);
        self.server.by(None).get("/readyz").ok();
        answer
    }
}

/// Calls of the same skill and of another one.
fn behave(client: &Client, calls: usize) {
    for n in 0..calls {
        let text = format!("call {n}");
        assert_eq!(client.execute("tests/hostile", "echo", &json!({ "text": text })).output(), text);
        let sum = client.execute("bailiwick/calculate", "evaluate", &json!({ "expression": format!("{n} + 0.5") }));
        assert!(sum.output().to_string().contains(&format!("{n}.5")), "{}", sum.text());
    }
}

fn without_nulls(mut value: Value) -> Value {
    value.as_object_mut().unwrap().retain(|_, member| !member.is_null());
    value
}

#[test]
fn trap() {
    let problem = Scene::new("").amid_others("trap", &json!({}), None).problem("guest-trapped");
    assert!(problem["detail"].as_str().unwrap().contains("unreachable"), "{problem}");
    assert_eq!((&problem["status"], &problem["receipt"]["outcome"]), (&json!(422), &json!("guest-trapped")));
}

#[test]
fn panic() {
    let scene = Scene::new("");
    let answer = scene.amid_others("panic", &json!({ "message": "the cat is on the keyboard" }), None);
    answer.problem("guest-trapped");
}

#[test]
fn exit() {
    let problem = Scene::new("").amid_others("exit", &json!({ "status": 3 }), None).problem("guest-exited");
    assert_eq!(problem["status"], 422);
}

#[test]
fn spin() {
    let start = Instant::now();
    let problem =
        Scene::new("deadline = \"100 s\"").amid_others("spin", &json!({}), Some(1_000)).problem("deadline-exceeded");
    assert!(problem["usage"]["wall_us"].as_u64().unwrap() >= 900_000, "{problem}");
    assert!(start.elapsed() < ENDED_EARLY, "{:?}", start.elapsed());
}

#[test]
fn sleep() {
    let start = Instant::now();
    let scene = Scene::new("deadline = \"100 s\"");
    scene.amid_others("sleep", &json!({ "millis": 90_000 }), Some(1_000)).problem("deadline-exceeded");
    assert!(start.elapsed() < ENDED_EARLY, "{:?}", start.elapsed());
}

#[test]
fn recurse() {
    // It runs out of the engine's stack or of its own, whichever is shorter.
    Scene::new("").amid_others("recurse", &json!({ "depth": 100_000_000 }), None).problem("guest-trapped");
}

#[test]
fn allocate() {
    let scene = Scene::new("memory = \"16 MiB\"\ndeadline = \"60 s\"");
    let problem = scene.amid_others("allocate", &json!({}), None).problem("memory-exhausted");
    let held = problem["usage"]["memory_bytes"].as_u64().unwrap();
    assert!((1 << 20..=16 << 20).contains(&held), "{problem}");
}

#[test]
fn flood() {
    // What a guest writes goes nowhere but into a log that is cut, so this is no failure.
    let scene = Scene::new("deadline = \"60 s\"\nlog = \"8 MiB\"");
    assert_eq!(scene.amid_others("flood", &json!({ "bytes": 8 << 20 }), None).output(), 8 << 20);
    assert!(scene.server.log().len() < 1 << 20, "{} bytes of log", scene.server.log().len());
}

#[test]
fn huge() {
    let scene = Scene::new("output = \"64 KiB\"\ndeadline = \"60 s\"");
    let problem = scene.amid_others("huge", &json!({ "bytes": 2_000_000 }), None).problem("output-too-large");
    assert!(problem["detail"].as_str().unwrap().contains("65536"), "{problem}");
    let fits = scene.amid_others("huge", &json!({ "bytes": 60_000 }), None);
    assert_eq!(fits.output().as_str().unwrap().len(), 60_000);
}

#[test]
fn fuel() {
    let scene = Scene::new("fuel = 50000000\ndeadline = \"100 s\"");
    let problem = scene.amid_others("spin", &json!({}), None).problem("fuel-exhausted");
    assert_eq!(problem["usage"]["fuel"], 50_000_000, "{problem}");
}

/// Many who misbehave at once, in every way, and those who don't are served still.
#[test]
fn all_of_it_at_once() {
    let scene = Scene::new("memory = \"16 MiB\"\ndeadline = \"60 s\"\noutput = \"64 KiB\"");
    let ways = [
        ("trap", json!({}), "guest-trapped"),
        ("panic", json!({ "message": "no" }), "guest-trapped"),
        ("exit", json!({ "status": 0 }), "guest-exited"),
        ("spin", json!({}), "deadline-exceeded"),
        ("sleep", json!({ "millis": 90_000 }), "deadline-exceeded"),
        ("recurse", json!({ "depth": 100_000_000 }), "guest-trapped"),
        ("huge", json!({ "bytes": 2_000_000 }), "output-too-large"),
    ];
    let server: &Client = &scene.server;
    thread::scope(|scope| {
        for (tool, arguments, code) in &ways {
            let deadline = (*code == "deadline-exceeded").then_some(2_000);
            let body = without_nulls(json!({ "tool": tool, "arguments": arguments, "deadline_ms": deadline }));
            scope.spawn(move || {
                for _ in 0..3 {
                    server.execute_with("tests/hostile", &[], &body).problem(code);
                }
            });
        }
        for _ in 0..AT_ONCE {
            scope.spawn(|| behave(server, 10));
        }
    });
    behave(server, 1);
}
