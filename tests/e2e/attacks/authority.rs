//! Calls that nobody has allowed, or no longer allows.

use bailiwick_domain::quota::StateQuota;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::sandbox::Sandbox as _;
use bailiwick_domain::services::NoServices;
use bailiwick_domain::state::StateStore as _;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::host::{Home, Server, eventually};
use crate::sandbox::lab::{Lab, error, nothing};

const SKILL: &str = "tests/attacks-state";
const PERMISSIONS: &str = "[permissions]\nstate = true\n";

/// A skill that would leave a key behind, and an honest one that is called meanwhile.
struct Scene {
    server: Server,
    home: Home,
}

impl Scene {
    fn with(grants: impl FnOnce(&Home)) -> Self {
        let home = Home::new();
        home.guest("attacks-state", PERMISSIONS).skill("calculate").grant("bailiwick/calculate", &[]);
        grants(&home);
        let server = home.serve();
        Self { server, home }
    }

    /// The answer to a call that must not be made, amid calls that must.
    fn attack(&self) -> Answer {
        let arguments = json!({ "name": "increment_past_the_end", "target": "" });
        thread::scope(|scope| {
            let honest = scope.spawn(|| (0..5).for_each(|_| behave(&self.server)));
            let answer = self.server.execute(SKILL, "attack", &arguments);
            honest.join().unwrap();
            answer
        })
    }

    /// The refusal, after which the skill has no state: it never ran.
    #[track_caller]
    fn refused(&self, code: &str) -> Value {
        let problem = self.attack().problem(code);
        assert_eq!(problem["receipt"], Value::Null, "{problem}");
        self.server.regrant(&self.home, SKILL, &["--state"]);
        let keys = json!({ "name": "keys_of_another", "target": "" });
        assert_eq!(self.server.execute(SKILL, "attack", &keys).problem("tool-failed")["failure"], "no keys");
        problem
    }
}

fn behave(client: &Client) {
    let sum = client.execute("bailiwick/calculate", "evaluate", &json!({ "expression": "20 + 22.5" }));
    assert!(sum.output().to_string().contains("42.5"), "{}", sum.text());
}

#[test]
fn without_a_grant() {
    Scene::with(|_| ()).refused("not-granted");
}

#[test]
fn by_the_grant_of_another_skill() {
    let scene = Scene::with(|home| {
        // The same bytes by another name: a grant is for both.
        home.package("twin", "tests/twin", "1.0.0", "attacks-state", PERMISSIONS).grant("tests/twin", &["--state"]);
    });
    scene.refused("not-granted");
}

#[test]
fn by_the_grant_of_another_digest() {
    let scene = Scene::with(|home| {
        home.grant(SKILL, &["--state"]);
        let file = home.path("skills/attacks-state/attacks-state.wasm");
        let mut bytes = fs::read(&file).unwrap();
        // A custom section: other bytes that do the same.
        bytes.extend_from_slice(&[0, 3, 1, b'x', 0]);
        fs::write(&file, bytes).unwrap();
    });
    let problem = scene.refused("grant-suspended");
    assert!(problem["detail"].as_str().unwrap().contains("look at the difference"), "{problem}");
}

#[test]
fn by_a_grant_that_has_ended() {
    let scene = Scene::with(|home| {
        home.grant(SKILL, &["--state", "--expires", "1 ms"]);
        // Ends are on whole seconds.
        thread::sleep(Duration::from_millis(1100));
    });
    scene.refused("grant-expired");
}

#[test]
fn by_a_grant_that_was_revoked() {
    let scene = Scene::with(|home| {
        home.grant(SKILL, &["--state"]);
    });
    scene.home.run(&["grant", "revoke", SKILL]).expect(0);
    eventually("the grant is gone", || {
        let arguments = json!({ "name": "no such case", "target": "" });
        let answer = scene.server.execute(SKILL, "attack", &arguments);
        (answer.json()["code"] == "not-granted").then_some(())
    });
    scene.refused("not-granted");
}

/// A call under way is no right to go on.
#[test]
fn after_its_grant_has_ended() {
    let home = Home::new();
    home.guest("attacks-time", "[limits]\ndeadline = \"40 s\"\n").grant("tests/attacks-time", &["--expires", "2 s"]);
    let server = home.serve();
    let start = Instant::now();
    let answer = server.execute("tests/attacks-time", "attack", &json!({ "name": "sleep", "target": "" }));
    let code = answer.json()["code"].clone();
    assert!(code == "deadline-exceeded" || code == "grant-expired", "{}", answer.text());
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

/// And neither is it one after the grant was revoked.
#[test]
fn after_its_grant_was_revoked() {
    let home = Home::new();
    home.guest("attacks-time", "[limits]\ndeadline = \"40 s\"\n").grant("tests/attacks-time", &[]);
    let server = home.serve();
    thread::scope(|scope| {
        let arguments = json!({ "name": "sleep", "target": "" });
        let server = &server;
        let call = scope.spawn(move || server.execute("tests/attacks-time", "attack", &arguments));
        // However soon it comes: a call that has not begun is refused, one that has is ended.
        thread::sleep(Duration::from_millis(300));
        let start = Instant::now();
        home.run(&["grant", "revoke", "tests/attacks-time"]).expect(0);
        call.join().unwrap().problem("grant-revoked");
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    });
}

/// The sandbox itself asks who allowed a call.
#[tokio::test]
async fn by_a_permit_of_another_policy() {
    let lab = Lab::new();
    let guest = lab.guest("attacks-state");
    let mut terms = nothing(&guest);
    terms.state = Some(StateQuota::MOST);
    let (stranger, _) = bailiwick_domain::permit::authority();
    let permit = stranger.issue(Arc::new(terms), Instant::now(), Duration::from_secs(5));
    let (index, _) = guest.tool("attack").unwrap();
    let arguments = json!({ "name": "increment_past_the_end", "target": "" });
    assert_eq!(error(lab.sandbox.invoke(permit, index, &arguments, Arc::new(NoServices)).await).code(), "no-permit");
    assert_eq!(lab.journal.keys(&"tests/guest".parse().unwrap(), None, 10).unwrap(), Vec::<String>::new());
}

/// More than the manifest asks for can't be granted, and what is granted is all there is.
#[test]
fn wider_than_the_manifest() {
    let home = Home::new();
    fs::create_dir(home.path("docs")).unwrap();
    home.guest("attacks-settings", "").guest("attacks-state", "");
    home.guest("attacks-network", "[[permissions.http]]\nhost = \"api.example.com\"\nmethods = [\"GET\"]\n");
    for (skill, options) in [
        ("tests/attacks-settings", ["--fs", "docs:/work"].as_slice()),
        ("tests/attacks-settings", &["--setting", "units=metric"]),
        ("tests/attacks-state", &["--state"]),
        ("tests/attacks-state", &["--http", "https://api.example.com"]),
        ("tests/attacks-network", &["--http", "https://example.com"]),
        ("tests/attacks-network", &["--http", "POST https://api.example.com"]),
    ] {
        home.run(&[&["grant", "add", skill], options].concat()).expect(2);
    }
    home.grant("tests/attacks-settings", &[]).grant("tests/attacks-state", &[]);
    let server = home.serve();
    for (skill, case, refusal) in [
        ("tests/attacks-settings", "folders", "nothing"),
        ("tests/attacks-settings", "all_settings", ""),
        ("tests/attacks-state", "open", "AccessDenied"),
    ] {
        let answer = server.execute(skill, "attack", &json!({ "name": case, "target": "" }));
        assert_eq!(answer.problem("tool-failed")["failure"], refusal, "{case}");
    }
}

/// A manifest that asks for more after it was granted less gets what was granted.
#[test]
fn by_a_manifest_that_asks_for_more_later() {
    let home = Home::new();
    home.guest("attacks-state", "").grant("tests/attacks-state", &[]);
    home.guest("attacks-state", PERMISSIONS);
    let server = home.serve();
    let answer = server.execute(SKILL, "attack", &json!({ "name": "open", "target": "" }));
    assert_eq!(answer.problem("tool-failed")["failure"], "AccessDenied");
}

/// The clock of the host decides, and not a time that a caller sends.
#[test]
fn with_a_deadline_of_its_own() {
    let home = Home::new();
    home.guest("attacks-time", "[limits]\ndeadline = \"1 s\"\n").grant("tests/attacks-time", &[]);
    let server = home.serve();
    let start = SystemTime::now();
    let body = json!({ "tool": "attack", "arguments": { "name": "sleep", "target": "" }, "deadline_ms": 40_000 });
    server.execute_with("tests/attacks-time", &[], &body).problem("deadline-exceeded");
    assert!(start.elapsed().unwrap() < Duration::from_secs(30));
}
