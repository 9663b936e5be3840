//! `bailiwick dev`: a package that is served while its author works on it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::{Value, json};

use super::{ADD, MANIFEST, built_by_make, package, wasm};
use crate::client::Client;
use crate::host::{Home, PATIENCE, component};

/// A session under way, ended when dropped.
struct Session {
    child: Child,
    events: Receiver<Value>,
    client: Client,
}

impl Session {
    fn of(home: &Home, folder: &str) -> Self {
        Self::by(home.command().args(["--json", "dev", folder]))
    }

    fn by(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let mut session = Self { child, events, client: Client::new(String::new(), None) };
        let listening = session.event("listening");
        let text = |key: &str| listening[key].as_str().unwrap().to_owned();
        session.client = Client::new(text("listening"), Some(&text("token")));
        session
    }

    /// The next event that has this key; those before it are passed over.
    #[track_caller]
    fn event(&self, key: &str) -> Value {
        loop {
            let event = self.events.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no event with `{key}` came"));
            if event.get(key).is_some() {
                return event;
            }
        }
    }

    fn call(&self, tool: &str, arguments: &Value) -> Value {
        self.client.execute("tests/greet", tool, arguments).ok()["output"].clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_saved_file_is_served_within_the_session() {
    let home = package(&[]);
    let session = Session::of(&home, "greet");
    assert_eq!(session.call("add", &json!({ "a": 20, "b": 1 })), 21);
    let record = session.event("record")["record"].clone();
    assert_eq!(
        (&record["kind"], &record["tool"], &record["outcome"]),
        (&"call".into(), &"add".into(), &"succeeded".into())
    );
    // Another component, as a build would leave it.
    home.write("greet/skill.wasm", wasm(&ADD.replace("i32.add", "i32.mul")));
    session.event("serving");
    assert_eq!(session.call("add", &json!({ "a": 20, "b": 1 })), 20);
    // The manifest counts too.
    home.write("greet/skill.toml", MANIFEST.replace("1.0.0", "1.1.0"));
    assert_eq!(session.event("serving")["version"], "1.1.0");
}

#[test]
fn the_last_good_version_goes_on_while_another_is_broken() {
    let home = package(&[]);
    let session = Session::of(&home, "greet");
    home.write("greet/skill.wasm", "no wasm");
    let problem = session.event("problem");
    assert!(problem["problem"].as_str().unwrap().contains("not WebAssembly"), "{problem}");
    assert_eq!(problem["served_before"], true);
    assert_eq!(session.call("add", &json!({ "a": 1, "b": 1 })), 2);
    home.write("greet/skill.wasm", wasm(ADD));
    session.event("serving");
    assert_eq!(session.call("add", &json!({ "a": 1, "b": 1 })), 2);
}

#[test]
fn what_is_asked_for_is_granted_within_the_package() {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\nconfig = [\"units\", \"other\"]\nsecrets = [\"token\"]\n");
    let mut command = home.command();
    command.args(["dev", "skills/keeper", "--setting", "units=metric"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<_> = lines.take_while(|line| !line.starts_with("Save a file")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for line in [
        "  granted here: state, gone with this session",
        "  granted here: setting units",
        "  not granted: setting other: `--setting other=VALUE` gives it",
        "  not granted: secret token: no secret of yours is used here",
    ] {
        assert!(said.iter().any(|it| it == line), "`{line}` is missing in {said:#?}");
    }
    let curl = said.iter().find(|line| line.trim_start().starts_with("curl ")).unwrap();
    assert!(curl.contains("/v1/skills/tests/keeper/execute"), "{curl}");
    assert!(!home.path("data").exists(), "the host's own data folder is not touched");
}

#[test]
fn folders_lie_in_the_package_and_logs_are_shown() {
    let home = Home::new();
    home.skill("files");
    let session = Session::of(&home, "skills/files");
    let written = json!({ "path": "/work/a.txt", "content": "hi" });
    session.client.execute("bailiwick/files", "write", &written).ok();
    assert_eq!(fs::read_to_string(home.path("skills/files/.build/dev/work/a.txt")).unwrap(), "hi");
    let record = session.event("record")["record"].clone();
    assert_eq!(record["used"], json!(["fs /work written"]));
    drop(session);
    let home = package(&[("skill.wasm", &component("hostile"))]);
    home.write("greet/skill.toml", MANIFEST.split("\n[tools.add]").next().unwrap());
    let session = Session::of(&home, "greet");
    let refused = session.client.execute("tests/greet", "panic", &json!({ "message": "it went wrong" }));
    refused.problem("guest-trapped");
    // One line of what the guest wrote after the other.
    while !session.event("log")["log"].as_str().unwrap().contains("it went wrong") {}
}

#[test]
fn a_source_that_is_saved_is_built_and_served() {
    let home = package(&[]);
    let toolchains = built_by_make(&home, "cp source.bin $(WORK)/skill.wasm");
    home.write("greet/source.bin", wasm(ADD));
    fs::remove_file(home.path("greet/skill.wasm")).unwrap();
    let mut command = home.command();
    command.args(["--json", "dev", "greet"]).env("BAILIWICK_TOOLCHAINS", toolchains);
    let session = Session::by(&mut command);
    assert_eq!(session.call("add", &json!({ "a": 20, "b": 1 })), 21);
    home.write("greet/source.bin", wasm(&ADD.replace("i32.add", "i32.sub")));
    session.event("serving");
    assert_eq!(session.call("add", &json!({ "a": 20, "b": 1 })), 19);
    home.write("greet/Makefile", "all:\n\tfalse\n");
    let problem = session.event("problem");
    assert!(problem["problem"].as_str().unwrap().starts_with("make ended with"), "{problem}");
    assert_eq!(session.call("add", &json!({ "a": 20, "b": 1 })), 19);
}
