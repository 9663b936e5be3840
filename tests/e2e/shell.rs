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
    assert!(environment.contains("HOME=/workspace\n") && environment.ends_with("what stdin has"), "{environment}");
    let (secret, data) = (home.path("private/secret.txt"), home.path("data"));
    for path in [secret.to_str().unwrap(), data.to_str().unwrap(), "/etc/shadow", "/root", "/home", "/proc/1", "/sys"] {
        assert_ne!(sh(&home, &format!("ls -d {path}"))["status"], 0, "{path}");
    }
    let known = sh(&home, "id -u; pwd; ls -d /tmp/* /run/* 2>/dev/null");
    assert_eq!(known["stdout"], "65534\n/workspace\n", "nobody, somewhere");
    for place in [home.path("private/new"), data.join("planted"), "/usr/planted".into(), "/planted".into()] {
        assert_ne!(sh(&home, &format!("echo x > {}", place.display()))["status"], 0, "{}", place.display());
        assert!(!place.exists(), "{}", place.display());
    }
    for change in ["chmod 777 /usr/bin/env", "touch /usr/bin/env", "mount -t tmpfs x /mnt", "unshare -U true"] {
        assert_ne!(sh(&home, change)["status"], 0, "{change}");
    }
}

/// Supervisors and shells leave files open in what they start.
#[test]
fn it_gets_no_file_that_the_host_was_started_with() {
    let home = granted(&[]);
    home.write("inherited", "a secret of the host");
    let script = "exec 9<inherited; exec \"$0\" \"$@\"";
    let arguments = json!({ "command": ["sh", "-c", "cat <&9"], "input": "" }).to_string();
    let mut shell = home.command_by(&["sh", "-c", script]);
    let ran = Ran::of(shell.args(["--json", "skills", "run", "tests/commander", "run", "--args", &arguments]));
    let answer = ran.expect(0).json();
    assert_ne!(answer["output"]["status"], 0, "{answer}");
    assert_eq!(answer["output"]["stdout"], "", "{answer}");
}

#[test]
fn it_opens_no_connection_and_signals_nobody() {
    let home = granted(&[]);
    let server = home.serve();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let run = |command: [&str; 3]| {
        let arguments = json!({ "command": command, "input": "" });
        server.execute("tests/commander", "run", &arguments).output()
    };
    for protocol in ["tcp", "udp"] {
        let script = format!("exec 3<>/dev/{protocol}/127.0.0.1/{port} && echo x >&3 && echo sent");
        let tried = run(["bash", "-c", &script]);
        assert!(protocol == "udp" || tried["status"] != 0, "{tried}");
    }
    assert!(listener.accept().is_err(), "nobody came");
    // What lives in its namespace is all that it can reach.
    run(["sh", "-c", "kill -9 -1"]);
    run(["sh", "-c", &format!("kill -9 {}", server.id())]);
    assert_eq!(run(["sh", "-c", "echo still here"])["stdout"], "still here\n");
    assert!(home.path("data/control.sock").exists(), "which no command finds");
}

#[test]
fn it_ends_when_its_grant_is_taken_back() {
    let home = granted(&[]);
    let server = home.serve();
    let marker = format!("{}.5", 200_000 + std::process::id());
    std::thread::scope(|scope| {
        let call = scope.spawn(|| {
            let arguments = json!({ "command": ["sh", "-c", format!("sleep {marker}")], "input": "" });
            server.execute("tests/commander", "run", &arguments)
        });
        eventually("it runs", || is_running(&marker).then_some(()));
        home.run(&["grant", "revoke", "tests/commander"]).expect(0);
        call.join().unwrap().problem("grant-revoked");
    });
    eventually("it is gone", || (!is_running(&marker)).then_some(()));
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
    // Neither do many small files get past it, nor does one that never stops.
    for script in [
        "for i in 1 2 3; do head -c 1000 /dev/zero > $i; done",
        "while :; do head -c 1000 /dev/zero > $(date +%N); done",
    ] {
        let much = call(&home, &["sh", "-c", script]).expect(5);
        assert!(much.stderr.contains("quota of 2048 bytes"), "{script}: {much:?}");
    }
    let left = fs::read_dir(home.path("data/workspaces")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn it_ends_with_its_call_and_so_does_what_it_has_started() {
    let home = granted(&["--deadline", "2 s"]);
    // A number that no other process has among its arguments. Ten minutes: `xtask mutate` takes out what ends it.
    let marker = format!("600.{}25", std::process::id());
    let detached = format!("setsid sleep {marker} >/dev/null 2>&1 </dev/null &");
    call(&home, &["sh", "-c", &format!("{detached} sleep {marker}")]).expect(7);
    eventually("all of it is gone", || (!is_running(&marker)).then_some(()));
    // What is left behind by a command that has ended goes at once, wherever it writes to.
    let left = sh(&home, &format!("{detached} sleep {marker} & sleep 0.3; echo started"));
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
    assert_eq!(killed["status"], 128 + 9, "{killed}");
    for status in [1, 7, 125, 126, 127] {
        assert_eq!(sh(&home, &format!("exit {status}"))["status"], status);
    }
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
