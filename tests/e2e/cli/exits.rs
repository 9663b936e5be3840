//! The codes that commands end with. They are part of the interface: scripts look at them.

use std::collections::BTreeSet;

use serde_json::json;

use crate::host::{Home, Ran};

/// A home with a guest that misbehaves and one that keeps state, both granted.
fn home() -> Home {
    let home = Home::new();
    let manifest = "[permissions]\nfs = [{ root = \"/work\", access = \"read\" }]\n[limits]\nmemory = \"16 MiB\"\n\
                    deadline = \"20 s\"\noutput = \"64 KiB\"\n[tools.count]\nrisk_tags = [\"destructive\"]\n";
    home.guest("hostile", manifest).guest("keeper", "[permissions]\nstate = true\n");
    home.grant("tests/hostile", &[]).grant("tests/keeper", &[]);
    home
}

fn refused(ran: Ran, code: i32, says: &[&str]) {
    let ran = ran.expect(code);
    assert!(ran.stderr.starts_with("bailiwick: ") || ran.stderr.starts_with("error: "), "{}", ran.stderr);
    for text in says {
        assert!(ran.stderr.contains(text), "`{text}` is missing in: {}", ran.stderr);
    }
}

/// The table that `--help` prints.
#[test]
fn every_code_that_help_names_is_shown_below() {
    let help = Home::new().run(&["--help"]).expect(0).stdout;
    let (_, table) = help.split_once("Exit codes:").unwrap();
    let named: BTreeSet<u32> = table.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    let this = include_str!("exits.rs");
    let shown: BTreeSet<u32> = (0..10).filter(|code| this.contains(&format!("fn code_{code}_"))).collect();
    assert_eq!(named, shown);
}

#[test]
fn code_0_is_for_what_was_done() {
    let home = home();
    home.run(&["skills", "list"]).expect(0);
    let ran = home.run(&["skills", "run", "tests/hostile", "echo", "--arg", "text=hello"]).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("hello\n", ""));
}

#[test]
fn code_1_is_for_what_the_host_could_not_do() {
    let home = home();
    home.write("file", "");
    let blocked = home.path("file/data");
    let ran = home.run(&["--data-dir", blocked.to_str().unwrap(), "skills", "list"]);
    refused(ran, 1, &["the data folder", "file/data"]);
    home.write("other/journal.redb", "not a journal, and long enough to be looked at");
    let other = home.path("other");
    refused(home.run(&["--data-dir", other.to_str().unwrap(), "grant", "list"]), 1, &["journal.redb"]);
    home.write("data/keys.toml", "version = 1\nkeys = 7\n");
    refused(home.run(&["key", "list"]), 1, &["keys.toml"]);
}

#[test]
fn code_2_is_for_wrong_usage() {
    let home = home();
    home.run(&["skills"]).expect(2);
    refused(home.run(&["skills", "lst"]), 2, &["lst"]);
    refused(home.run(&["skills", "list", "--colour"]), 2, &["--colour"]);
    refused(home.run(&["skills", "show", "calculate"]), 2, &["calculate", "expected"]);
    refused(home.run(&["skills", "show", "tests/hostile@newest"]), 2, &["newest"]);
    refused(home.run(&["skills", "run", "tests/hostile", "spin", "--deadline", "fast"]), 2, &["fast", "expected"]);
    refused(home.run(&["skills", "run", "tests/hostile", "echo", "--arg", "text"]), 2, &["NAME=VALUE"]);
    refused(home.run(&["key", "create", "x", "--scope", "skills:write"]), 2, &["skills:write", "expected"]);
    refused(home.run(&["grant", "revoke", "tests/hostile", "--digest", "sha256:12"]), 2, &["sha256:12"]);
    refused(home.run(&["--config", "nowhere.toml", "config", "check"]), 2, &["nowhere.toml"]);
    home.write("bailiwick.toml", "[server]\nport = 80\n");
    refused(home.run(&["skills", "list"]), 2, &["port"]);
}

#[test]
fn code_3_is_for_what_is_not_there() {
    let home = home();
    refused(home.run(&["skills", "show", "tests/hostle"]), 3, &["tests/hostile"]);
    refused(home.run(&["skills", "show", "tests/hostile@^2"]), 3, &["1.0.0"]);
    refused(home.run(&["skills", "run", "tests/hostile", "ecko"]), 3, &["`echo`"]);
    refused(home.run(&["skills", "run", "tests/hostile"]), 3, &["several tools"]);
    refused(home.run(&["grant", "add", "tests/nobody"]), 3, &["tests/nobody"]);
    refused(home.run(&["grant", "revoke", "tests/nobody"]), 3, &["tests/nobody"]);
    refused(home.run(&["key", "revoke", "nobody"]), 3, &["nobody"]);
}

#[test]
fn code_4_is_for_what_nobody_allowed() {
    let home = home();
    refused(home.run(&["skills", "run", "tests/hostile", "count"]), 4, &["destructive", "--accept-risk destructive"]);
    home.grant("tests/hostile", &["--expires", "1 ms"]);
    // Ends are on whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    refused(home.run(&["skills", "run", "tests/hostile", "trap"]), 4, &["ended at"]);
    home.run(&["grant", "revoke", "tests/hostile"]).expect(0);
    refused(home.run(&["skills", "run", "tests/hostile", "trap"]), 4, &["bailiwick grant add tests/hostile"]);
    home.write("skills/keeper/keeper.wasm", crate::host::component("foreign"));
    refused(home.run(&["skills", "run", "tests/keeper", "version"]), 4, &["suspended"]);
    home.prompt("advice");
    refused(home.run(&["skills", "run", "local/advice"]), 4, &["prompt"]);
}

#[test]
fn code_5_is_for_failures_of_the_tool_itself() {
    let home = home();
    let ran = home.run(&["skills", "run", "tests/keeper", "put", "--arg", "key=k", "--arg", "value=v"]).expect(5);
    assert!(ran.stderr.contains("denied: state"), "{}", ran.stderr);
    assert!(!ran.stdout.trim().is_empty(), "the failure is the answer");
    let ran = home.run(&["--json", "skills", "run", "tests/keeper", "put", "--args", r#"{"key":"k","value":"v"}"#]);
    let answer = ran.expect(5).json();
    assert!(answer["failure"].is_string() && answer.get("output").is_none(), "{answer}");
    assert_eq!(answer["receipt"]["outcome"], "failed");
}

#[test]
fn code_6_is_for_arguments_that_do_not_fit() {
    let home = home();
    let echo = |args: &str| home.run(&["skills", "run", "tests/hostile", "echo", "--args", args]);
    refused(echo(r#"{"text":7}"#), 6, &["/text", "expected string"]);
    refused(echo("{}"), 6, &["text"]);
    refused(echo(r#"{"text":"a","more":1}"#), 6, &["more"]);
    refused(echo("[1]"), 6, &["not a JSON object"]);
    refused(echo("{"), 6, &["not JSON"]);
    refused(echo("@nowhere.json"), 6, &["nowhere.json"]);
}

#[test]
fn code_7_is_for_calls_that_were_ended() {
    let home = home();
    let run = |tool: &str, arguments: serde_json::Value, more: &[&str]| {
        let arguments = arguments.to_string();
        home.run(&[&["skills", "run", "tests/hostile", tool, "--args", &arguments], more].concat())
    };
    refused(run("spin", json!({}), &["--deadline", "300 ms"]), 7, &["deadline"]);
    refused(run("sleep", json!({ "millis": 19_000 }), &["--deadline", "300 ms"]), 7, &["deadline"]);
    refused(run("allocate", json!({}), &[]), 7, &["memory"]);
    refused(run("huge", json!({ "bytes": 200_000 }), &[]), 7, &["65536"]);
    refused(run("trap", json!({}), &[]), 7, &["trapped"]);
    refused(run("exit", json!({ "status": 3 }), &[]), 7, &["status"]);
    home.grant("tests/hostile", &["--fuel", "10000000"]);
    refused(run("spin", json!({}), &[]), 7, &["fuel of 10000000"]);
}
