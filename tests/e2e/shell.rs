//! Commands of the host: they are asked for, granted, approved, confined, and ended.

use std::fs;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::host::{Home, Ran, eventually};

/// Asks for what the tests run.
const MANIFEST: &str = "\
[permissions]
workspace = true
[[permissions.shell]]
command = [\"sh\", \"-c\"]
[[permissions.shell]]
command = [\"bash\", \"-c\"]
[[permissions.shell]]
command = [\"no-such-program\"]
[[permissions.shell]]
command = [\"echo\"]
";

fn home() -> Home {
    let home = Home::with("[skills]\nallow_shell = true\n");
    home.guest("commander", MANIFEST);
    home
}

/// A home in which `sh -c` is granted with whatever follows, and its risk accepted.
fn granted(more: &[&str]) -> Home {
    let home = home();
    let fixed = ["--workspace", "--shell", "sh -c ...", "--shell", "bash -c ...", "--accept-risk", "shell"];
    home.grant("tests/commander", &[&fixed, more].concat());
    home
}

fn call(home: &Home, command: &[&str]) -> Ran {
    let arguments = json!({ "command": command, "input": "what stdin has" }).to_string();
    home.run(&["--json", "skills", "run", "tests/commander", "run", "--args", &arguments])
}

/// What a shell answered.
#[track_caller]
fn sh(home: &Home, script: &str) -> Value {
    call(home, &["sh", "-c", script]).expect(0).json()["output"].clone()
}

#[test]
fn a_command_runs_once_a_person_approved_it_and_only_word_for_word() {
    let home = home();
    home.grant("tests/commander", &["--workspace", "--shell", "echo hello"]);
    let waiting = call(&home, &["echo", "hello"]).expect(4);
    assert!(waiting.stderr.contains("`shell`"), "{waiting:?}");
    let approvals = home.run(&["--json", "approvals", "list"]).expect(0).json();
    let id = approvals["approvals"][0]["id"].as_str().unwrap().to_owned();
    home.run(&["approvals", "approve", &id]).expect(0);
    let ran = call(&home, &["echo", "hello"]).expect(0).json();
    assert_eq!((&ran["output"]["status"], &ran["output"]["stdout"]), (&json!(0), &json!("hello\n")));
    call(&home, &["echo", "hello"]).expect(4);
    home.grant("tests/commander", &["--workspace", "--shell", "echo hello", "--accept-risk", "shell"]);
    for other in [&["echo", "hello", "x"][..], &["echo"], &["echo", "hello "], &["sh", "-c", "echo hello"]] {
        let refused = call(&home, other).expect(5);
        assert!(refused.stderr.contains("no granted command is this one"), "{refused:?}");
    }
}

#[test]
fn it_sees_nothing_of_the_host() {
    let home = granted(&[]);
    home.write("private/secret.txt", "a secret of the host");
    let environment = sh(&home, "env; cat");
    let environment = environment["stdout"].as_str().unwrap();
    let names: Vec<_> = environment.lines().filter_map(|line| line.split_once('=').map(|(name, _)| name)).collect();
    assert!(
        names.iter().all(|name| ["PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"].contains(name)),
        "{names:?}"
    );
    assert!(environment.ends_with("what stdin has"), "{environment}");
    let secret = home.path("private/secret.txt");
    // That something is there, and how large, the kernel does not hide.
    for (how, path) in [
        ("cat", "/etc/shadow"),
        ("cat", "/proc/self/environ"),
        ("cat", secret.to_str().unwrap()),
        ("ls", "/root"),
        ("ls", "/tmp"),
    ] {
        let read = sh(&home, &format!("{how} {path}"));
        assert_ne!(read["status"], 0, "{path}: {read}");
        assert_eq!(read["stdout"], "", "{path}: {read}");
    }
    let folder = home.path("data").canonicalize().unwrap();
    for place in [home.path("private/new"), folder.join("planted"), "/usr/planted".into(), "/tmp/planted".into()] {
        assert_ne!(sh(&home, &format!("echo x > {}", place.display()))["status"], 0, "{}", place.display());
        assert!(!place.exists(), "{}", place.display());
    }
}

#[test]
fn it_opens_no_connection() {
    let home = granted(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected");
    let tried = call(&home, &["bash", "-c", &script]).expect(0).json();
    assert_ne!(tried["output"]["status"], 0, "{tried}");
    assert!(tried["output"]["stderr"].as_str().unwrap().contains("denied"), "{tried}");
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn it_works_in_the_workspace_of_the_call_and_within_its_quota() {
    let home = granted(&["--quota", "/workspace=2 KiB"]);
    let leave = |script: &str| {
        let arguments = json!({ "command": ["sh", "-c", script] }).to_string();
        let ran = home.run(&["--json", "skills", "run", "tests/commander", "leave", "--args", &arguments]);
        ran.expect(0).json()["output"].clone()
    };
    assert_eq!(leave("echo one > a; mkdir b"), json!(["a", "b"]));
    assert_eq!(leave("true"), json!([]), "each call has its own");
    let large = sh(&home, "head -c 5000 /dev/zero > large; wc -c < large");
    assert_eq!(large["stdout"].as_str().unwrap().trim(), "2048", "{large}");
    let left = fs::read_dir(home.path("data/workspaces")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn it_ends_with_its_call_and_so_does_what_it_has_started() {
    let home = granted(&["--deadline", "1 s"]);
    // A number that no other process has among its arguments.
    let marker = format!("{}.25", 100_000 + std::process::id());
    call(&home, &["sh", "-c", &format!("sleep {marker} & sleep {marker}")]).expect(7);
    eventually("all of it is gone", || (!is_running(&marker)).then_some(()));
    // What is left behind by a command that has ended goes too.
    let left = sh(&home, &format!("sleep {marker} >/dev/null 2>&1 </dev/null & echo started"));
    assert_eq!(left["stdout"], "started\n", "{left}");
    eventually("what was left is gone", || (!is_running(&marker)).then_some(()));
}

#[test]
fn what_it_writes_has_an_end() {
    let home = granted(&[]);
    for script in ["yes", "yes >&2"] {
        let flood = call(&home, &["sh", "-c", script]).expect(5);
        assert!(flood.stdout.contains("TooLarge(4194304)") || flood.stderr.contains("TooLarge"), "{flood:?}");
    }
    let killed = sh(&home, "kill -9 $$");
    assert_eq!(killed["status"], Value::Null, "{killed}");
    assert_eq!(sh(&home, "exit 7")["status"], 7);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let home = home();
    home.grant("tests/commander", &["--workspace", "--shell", "no-such-program", "--accept-risk", "shell"]);
    let absent = call(&home, &["no-such-program"]).expect(5);
    assert!(absent.stdout.contains("no-such-program") && absent.stdout.contains("Unavailable"), "{absent:?}");
}

#[test]
fn what_may_be_granted_is_what_is_asked_for() {
    let home = home();
    for (command, says) in [
        ("git status", "asks for the command `git status`"),
        ("sh ...", "asks for the command `sh ...`"),
        ("/bin/sh -c x", "bare name"),
        ("...", "bare name"),
    ] {
        let refused = home.run(&["grant", "add", "tests/commander", "--shell", command]).expect(2);
        assert!(refused.stderr.contains(says), "{command}: {refused:?}");
    }
    home.grant("tests/commander", &["--workspace", "--shell", "echo hello", "--accept-risk", "shell"]);
    let exported = home.run(&["grant", "export"]).expect(0).stdout;
    assert!(exported.contains("shell = [[\"echo\", \"hello\"]]"), "{exported}");
    home.run(&["grant", "narrow", "tests/commander", "--shell", "echo hello"]).expect(0);
    assert!(call(&home, &["echo", "hello"]).expect(5).stderr.contains("no granted command"));
    let observed =
        home.run(&["skills", "observe", "tests/commander", "leave", "--arg", "command=[\"echo\"]", "--shell", "echo"]);
    assert!(observed.expect(2).stderr.contains("can't be observed"));
}

/// Whether a process has this among its arguments.
fn is_running(marker: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes.into_iter().any(|process| {
        let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        arguments.starts_with("sleep") && arguments.contains(marker)
    })
}
