//! An approval for one call, used for another one.

use std::fs;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::host::{Home, Server, eventually};

const SKILL: &str = "tests/keeper";

/// Callers who come at the same time.
const AT_ONCE: usize = 16;

/// A skill that leaves a key behind, and an approval of `put` with `k` and `v`.
struct Scene {
    home: Home,
    server: Server,
    id: String,
}

impl Scene {
    /// One that nobody has answered.
    fn asked(settings: &str) -> Self {
        let home = Home::with(settings);
        home.guest("keeper", &manifest(&["destructive"])).grant(SKILL, &["--state"]);
        let server = home.serve();
        let id = required(&put(&server, "v"));
        Self { home, server, id }
    }

    fn approved() -> Self {
        let scene = Self::asked("");
        scene.answer("approve");
        scene
    }

    fn answer(&self, answer: &str) {
        self.home.run(&["approvals", answer, &self.id]).expect(0);
    }

    /// The call needs another approval, and nothing was kept by it.
    #[track_caller]
    fn asks_anew(&self, answer: &Answer) {
        assert_ne!(required(answer), self.id);
        let grant = ["--state", "--accept-risk", "destructive"];
        self.server.regrant(&self.home, SKILL, &grant);
        assert_eq!(self.server.execute(SKILL, "keys", &json!({})).output(), json!([]));
    }
}

fn manifest(tags: &[&str]) -> String {
    format!("risk_tags = {}\n[permissions]\nstate = true\n", json!(tags))
}

fn put(client: &Client, value: &str) -> Answer {
    client.execute(SKILL, "put", &json!({ "key": "k", "value": value }))
}

/// The approval that a call waits for.
#[track_caller]
fn required(answer: &Answer) -> String {
    answer.problem("approval-required")["approval"].as_str().unwrap().to_owned()
}

#[test]
fn before_anybody_has_answered() {
    let scene = Scene::asked("");
    assert_eq!(required(&put(&scene.server, "v")), scene.id, "the same question");
    scene.server.regrant(&scene.home, SKILL, &["--state", "--accept-risk", "destructive"]);
    assert_eq!(scene.server.execute(SKILL, "keys", &json!({})).output(), json!([]));
}

#[test]
fn after_it_was_denied() {
    let scene = Scene::asked("");
    scene.answer("deny");
    for _ in 0..2 {
        put(&scene.server, "v").problem("approval-denied");
    }
}

#[test]
fn for_other_arguments() {
    let scene = Scene::approved();
    scene.asks_anew(&put(&scene.server, "other"));
}

#[test]
fn for_another_caller() {
    let scene = Scene::approved();
    let other = scene.server.by(Some(&scene.home.key("other", &["skills:execute", "skills:read"])));
    eventually("the key is known", || (other.get("/v1/skills").status == 200).then_some(()));
    scene.asks_anew(&put(&other, "v"));
}

/// Two tools of one skill that take the same arguments.
#[test]
fn for_another_tool() {
    let scene = Scene::asked("");
    let get = json!({ "key": "k" });
    let id = required(&scene.server.execute(SKILL, "get", &get));
    scene.home.run(&["approvals", "approve", &id]).expect(0);
    assert_ne!(required(&scene.server.execute(SKILL, "setting", &get)), id);
}

#[test]
fn under_another_grant() {
    let scene = Scene::approved();
    scene.server.regrant(&scene.home, SKILL, &["--state", "--reason", "another one"]);
    scene.asks_anew(&put(&scene.server, "v"));
}

#[test]
fn for_other_bytes() {
    let scene = Scene::approved();
    let file = scene.home.path("skills/keeper/keeper.wasm");
    let mut bytes = fs::read(&file).unwrap();
    // A custom section: other bytes that do the same.
    bytes.extend_from_slice(&[0, 3, 1, b'x', 0]);
    fs::write(scene.home.path("new.wasm"), bytes).unwrap();
    let digest = || scene.server.get(&format!("/v1/skills/{SKILL}")).ok()["digest"].clone();
    let before = digest();
    fs::rename(scene.home.path("new.wasm"), file).unwrap();
    eventually("the bytes are known", || (digest() != before).then_some(()));
    scene.home.grant(SKILL, &["--state"]);
    let answer = eventually("the grant is known", || {
        Some(put(&scene.server, "v")).filter(|answer| answer.json()["code"] != "grant-suspended")
    });
    scene.asks_anew(&answer);
}

/// Whoever said yes to one risk has not said yes to two.
#[test]
fn for_a_risk_that_was_not_shown() {
    let scene = Scene::approved();
    let tags = ["destructive", "external_side_effect"];
    scene.home.guest("keeper", &manifest(&tags));
    eventually("the manifest is read", || {
        let detail = scene.server.get(&format!("/v1/skills/{SKILL}")).ok();
        (detail["tools"][0]["risk_tags"] == json!(tags)).then_some(())
    });
    assert_ne!(required(&put(&scene.server, "v")), scene.id);
}

#[test]
fn twice() {
    let scene = Scene::approved();
    put(&scene.server, "v").output();
    assert_ne!(required(&put(&scene.server, "v")), scene.id);
}

#[test]
fn at_once() {
    let scene = Scene::approved();
    let codes = all_at_once(|| put(&scene.server, "v"));
    let ran = codes.iter().filter(|code| code.is_null()).count();
    assert_eq!(ran, 1, "{codes:?}");
}

#[test]
fn after_its_time() {
    let scene = Scene::asked("[skills]\napproval_lifetime = \"2 s\"\n");
    scene.answer("approve");
    thread::sleep(Duration::from_millis(2100));
    assert_ne!(required(&put(&scene.server, "v")), scene.id);
}

/// The codes of calls that were made at the same time; none for those that ran.
pub(super) fn all_at_once(call: impl Fn() -> Answer + Sync) -> Vec<Value> {
    let barrier = Barrier::new(AT_ONCE);
    thread::scope(|scope| {
        let one = || {
            barrier.wait();
            call().json()["code"].clone()
        };
        let calls: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(one)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}
