//! What commands read and print.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::host::{Home, Ran, binary};

#[test]
fn help_says_at_once_what_all_of_it_is_for() {
    let home = Home::new();
    let help = home.run(&["--help"]).expect(0).stdout;
    let (about, commands) = help.split_once("Usage:").unwrap();
    let serve = commands.lines().find(|line| line.trim_start().starts_with("serve ")).unwrap();
    let server = home.run(&["serve", "--help"]).expect(0).stdout;
    for (place, text) in [("--help", about), ("serve", serve), ("serve --help", server.lines().next().unwrap())] {
        assert!(text.contains("agents") && text.contains("skills"), "{place}: {text}");
    }
}

#[test]
fn one_checkpoint_is_not_told_as_many() {
    let told = Home::new().run(&["audit", "verify"]).expect(0).stdout;
    assert!(told.contains("  0 records, 1 checkpoint, up to "), "{told}");
}

#[test]
fn completions_name_the_commands() {
    let home = Home::new();
    // Not even a wrong configuration keeps a shell from starting.
    home.write("bailiwick.toml", "nonsense");
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(&["completion", shell]).expect(0).stdout;
        for word in ["bailiwick", "skills", "grant", "accept-risk", "completion"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let script = home.run(&["completion", "bash"]).expect(0).stdout;
    home.write("bailiwick.bash", script);
    let check = Command::new("bash").args(["-n", home.path("bailiwick.bash").to_str().unwrap()]).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

#[test]
fn arguments_come_from_a_file_from_stdin_or_one_by_one() {
    let home = Home::new();
    home.guest("hostile", "").grant("tests/hostile", &[]);
    let arguments = json!({ "text": "a \"quoted\" text" }).to_string();
    home.write("arguments.json", &arguments);
    let run = ["skills", "run", "tests/hostile", "echo"];
    let expected = "a \"quoted\" text\n";
    assert_eq!(home.run(&[&run, ["--args", "@arguments.json"].as_slice()].concat()).expect(0).stdout, expected);
    assert_eq!(home.feed(&[&run, ["--args", "-"].as_slice()].concat(), &arguments).expect(0).stdout, expected);
    assert_eq!(home.run(&[&run, ["--args", &arguments].as_slice()].concat()).expect(0).stdout, expected);
    assert_eq!(home.run(&[&run, ["--arg", "text=a \"quoted\" text"].as_slice()].concat()).expect(0).stdout, expected);
    // One by one goes before all at once, and what reads as JSON is JSON.
    let both = home.run(&[&run, ["--args", &arguments, "--arg", "text=plain"].as_slice()].concat()).expect(0);
    assert_eq!(both.stdout, "plain\n");
    home.run(&[&run, ["--arg", "text=7"].as_slice()].concat()).expect(6);
    assert_eq!(home.run(&[&run, ["--arg", "text=\"7\""].as_slice()].concat()).expect(0).stdout, "7\n");
    let long = format!("{{\"text\": \"{}\"}}", "x".repeat(5 << 20));
    let ran = home.feed(&[&run, ["--args", "-"].as_slice()].concat(), &long).expect(6);
    assert!(ran.stderr.contains("4 MiB"), "{}", ran.stderr);
}

#[test]
fn a_run_tells_what_it_did() {
    let home = Home::new();
    home.guest("hostile", "").grant("tests/hostile", &[]);
    let ran = home.run(&["skills", "run", "tests/hostile", "count", "--receipt"]).expect(0);
    let (output, receipt) = ran.stdout.split_once('\n').unwrap();
    let receipt: serde_json::Value = serde_json::from_str(receipt).unwrap();
    assert_eq!((output, &receipt["outcome"]), ("1", &json!("succeeded")));
    // What a guest writes is beside the answer, never in it.
    let ran = home.run(&["skills", "run", "tests/hostile", "flood", "--arg", "bytes=4096"]).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr), ("4096\n", "x".repeat(4096) + "\n"));
}

#[test]
fn commands_work_beside_a_running_server() {
    let home = Home::new();
    home.guest("hostile", "").guest("keeper", "[permissions]\nstate = true\n");
    home.grant("tests/hostile", &[]).grant("tests/keeper", &["--state"]);
    let server = home.serve();
    let ran = home.run(&["skills", "run", "tests/hostile", "echo", "--arg", "text=beside"]).expect(0);
    assert_eq!(ran.stdout, "beside\n");
    home.run(&["skills", "list"]).expect(0);
    // The server makes the call, and so with its state.
    let put = ["skills", "run", "tests/keeper", "put", "--arg", "key=k", "--arg", "value=v"];
    home.run(&put).expect(0);
    let got = server.execute("tests/keeper", "get", &json!({ "key": "k" }));
    assert_eq!(got.output(), json!("v"));
    server.stop();
    let ran = home.run(&["skills", "run", "tests/keeper", "get", "--arg", "key=k"]).expect(0);
    assert_eq!(ran.stdout, "v\n");
    home.run(&put).expect(0);
}

#[test]
fn people_are_told_what_is_there() {
    let home = Home::new();
    let ran = home.run(&["skills", "list"]).expect(0);
    assert!(ran.stdout.contains("skills.directories"), "{}", ran.stdout);
    home.skill("calculate").guest("keeper", "").prompt("advice");
    home.write("skills/wrong/skill.toml", "skill_id = 7\n");
    let all = home.run(&["skills", "list"]).expect(0).stdout;
    for text in ["bailiwick/calculate", "local/advice", "prompt", "broken: ", "skills/wrong"] {
        assert!(all.contains(text), "`{text}` is missing in: {all}");
    }
    let some = home.run(&["skills", "list", "calc"]).expect(0).stdout;
    assert!(some.contains("bailiwick/calculate") && !some.contains("keeper"), "{some}");
    let page = home.run(&["skills", "show", "bailiwick/calculate"]).expect(0).stdout;
    for text in
        ["sha256:", "tool evaluate", "Asks for\n    nothing", "bailiwick grant add bailiwick/calculate", "wasi:"]
    {
        assert!(page.contains(text), "`{text}` is missing in: {page}");
    }
}

/// Runs a command on a terminal of its own, which `script` makes.
fn on_a_terminal(home: &Home, line: &str, no_color: Option<&str>) -> Option<Ran> {
    let mut command = Command::new("script");
    let line = format!("{} {line}", binary().display());
    command.args(["-qec", &line, "/dev/null"]).env("BAILIWICK_CONFIG", home.path("bailiwick.toml"));
    command.current_dir(home.path("")).env("HOME", home.path("")).env("TERM", "xterm").env_remove("NO_COLOR");
    if let Some(value) = no_color {
        command.env("NO_COLOR", value);
    }
    match command.output() {
        Ok(output) => Some(output.into()),
        // A machine without `script` has no way to show this.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("script: {error}"),
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let home = Home::new();
    home.guest("keeper", "");
    // What makes a head bold. The bar that shows progress moves the cursor, in no colour.
    let escape = "\u{1b}[1m";
    assert!(!home.run(&["skills", "list"]).expect(0).stdout.contains(escape), "a pipe takes no colours");
    let Some(coloured) = on_a_terminal(&home, "skills list", None) else { return };
    assert!(coloured.expect(0).stdout.contains(escape));
    assert!(!on_a_terminal(&home, "skills list", Some("1")).unwrap().expect(0).stdout.contains(escape));
    let empty = on_a_terminal(&home, "skills list", Some("")).unwrap().expect(0);
    assert!(empty.stdout.contains(escape), "an empty NO_COLOR says nothing");
}

#[test]
fn a_skill_can_not_steer_the_terminal() {
    let home = Home::new();
    home.guest("hostile", "").grant("tests/hostile", &[]);
    let text = "\u{1b}[2Jgone";
    home.write("arguments.json", json!({ "text": text }).to_string());
    let run = ["skills", "run", "tests/hostile", "echo", "--args", "@arguments.json"];
    assert_eq!(home.run(&run).expect(0).stdout, format!("{text}\n"), "a program gets what the tool answered");
    let Some(seen) = on_a_terminal(&home, &run.join(" "), None) else { return };
    assert!(seen.stdout.contains("\u{fffd}[2Jgone"), "{:?}", seen.stdout);
    // What a guest writes by the way is for people only.
    let panic = ["skills", "run", "tests/hostile", "panic", "--arg", "message=\u{1b}[2Jgone"];
    let log = home.run(&panic).expect(7).stderr;
    assert!(!log.contains('\u{1b}'), "{log:?}");
}

#[test]
fn a_right_configuration_is_shown_with_what_holds() {
    let home = Home::with("[limits.ceiling]\nmemory = \"32 MiB\"\n");
    let text = home.run(&["config", "check"]).expect(0).stdout;
    for part in [
        "bailiwick.toml is right",
        "limits.ceiling.memory = \"32 MiB\"",
        "limits.default.memory = \"32 MiB\"",
        "server.listen = \"127.0.0.1:7171\"",
    ] {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
    fs::remove_file(home.path("bailiwick.toml")).unwrap();
    let mut command = home.command();
    let ran = Ran::of(command.env_remove("BAILIWICK_CONFIG").args(["config", "check"])).expect(0);
    assert!(ran.stdout.contains("no configuration file"), "{}", ran.stdout);
}

#[test]
fn a_wrong_configuration_is_told_by_file_key_and_what_was_expected() {
    let home = Home::new();
    for (text, key, expected) in [
        ("[server]\nlistn = \"127.0.0.1:1\"", "listn", "`listen`"),
        ("[server]\nlisten = \"localhost:80\"", "listen", "socket address"),
        ("[server]\nworker_threads = 0", "worker_threads", "nonzero"),
        ("[server]\nmax_body = \"4 MB\"", "max_body", "MiB"),
        ("[server]\nmax_body = 4096", "max_body", "a string"),
        ("[server]\ndrain = \"10\"", "drain", "ms, s, min or h"),
        ("[server]\nallowed_hosts = \"a\"", "allowed_hosts", "a sequence"),
        ("[skills]\nwatch = \"yes\"", "watch", "a boolean"),
        ("[skills]\nmax_concurrent_calls = 70000", "max_concurrent_calls", "u16"),
        ("[skills]\ndirectories = \"skills\"", "directories", "a sequence"),
        ("[limits.default]\nfuel = -1", "fuel", "u64"),
        ("[limits.default]\ncpu = \"1 s\"", "cpu", "`deadline`"),
        ("[limits.defaults]\n", "defaults", "`default`"),
        ("[limits.ceiling]\nmemory = \"5 GiB\"", "limits.ceiling.memory", "4 GiB"),
        ("[limits.default]\noutput = \"1 GiB\"", "limits.default.output", "limits.ceiling.output"),
        ("[limits.default]\ndeadline = \"0 s\"", "deadline", "zero"),
        ("[server]\nallowed_hosts = [\"http://a\"]", "server.allowed_hosts", "a name or an address"),
        ("[server]\nallowed_origins = [\"a\"]", "server.allowed_origins", "https://"),
        ("[skills]\nrequire_approval_tags = [\"Loud\"]", "require_approval_tags", "lowercase"),
        ("[servers]", "servers", "`server`"),
        ("[server", "server", "expected"),
    ] {
        let path = home.write("wrong.toml", text);
        let ran = home.run(&["--config", path.to_str().unwrap(), "config", "check"]).expect(2);
        for part in ["wrong.toml", key, expected] {
            assert!(ran.stderr.contains(part), "{text}: `{part}` is missing in: {}", ran.stderr);
        }
    }
}
