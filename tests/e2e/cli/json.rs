//! `--json`: every command answers in JSON, for scripts.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use bailiwick_server::cli::Cli;
use clap::CommandFactory as _;
use serde_json::{Value, json};

use crate::host::Home;

/// Commands in an order in which each finds what it needs.
const COMMANDS: &[&[&str]] = &[
    &["config", "check"],
    &["skills", "list"],
    &["grant", "add", "tests/keeper", "--state", "--setting", "units=metric", "--reason", "to try"],
    &["grant", "list"],
    &["skills", "show", "tests/keeper"],
    &["skills", "run", "tests/keeper", "setting", "--arg", "key=units"],
    &["grant", "narrow", "tests/keeper", "--memory", "16 MiB"],
    &["grant", "export"],
    &["audit", "list"],
    &["audit", "skill", "tests/keeper"],
    &["audit", "verify"],
    &["audit", "key"],
    &["approvals", "list", "--all"],
    &["grant", "revoke", "tests/keeper"],
    &["key", "create", "ci"],
    &["key", "list"],
    &["key", "revoke", "ci"],
    &["secrets", "list"],
    &["skills", "observe", "tests/keeper", "setting", "--arg", "key=units", "--setting", "units=metric"],
    &["skills", "keygen", "key.pem"],
    &["skills", "pack", "skills/keeper", "--out", "keeper.tar", "--sign", "key.pem"],
    &["skills", "install", "keeper.tar", "--allow-unsigned"],
    &["skills", "install", "--allow-unsigned"],
    &["skills", "remove", "tests/keeper"],
    &["new", "reviews", "--kind", "prompt"],
    &["check", "skills/keeper"],
    &["test", "skills/keeper"],
    &["inspect", "skills/keeper/keeper.wasm"],
    &["bench", "skills/keeper", "keys", "--calls", "3"],
    &["agents", "check", "agents/scribe.toml"],
    &["agents", "list"],
    &["agents", "show", "scribe"],
    &["agents", "pause", "scribe"],
    &["agents", "resume", "scribe"],
    &["runs", "list"],
];

/// Commands that don't end by themselves, print something that is not for scripts, or
/// are not for people.
const OTHERS: &[&[&str]] = &[
    &["serve"],
    &["dev"],
    &["completion"],
    // The host's own, which becomes the command that it is given.
    &["launch"],
    // What they make are files.
    &["wit", "bindings"],
    &["wit", "componentize"],
    // Lines of JSON as they are.
    &["audit", "export"],
    // Their tests have what they need: a question, other bytes, a file.
    &["approvals", "show"],
    &["approvals", "approve"],
    &["approvals", "deny"],
    &["grant", "review"],
    &["grant", "accept"],
    &["grant", "import"],
    // A component, which takes a toolchain: `authoring::build` has it.
    &["build"],
    // To a registry, which `install::publish` has.
    &["skills", "publish"],
    // A model that answers, and runs that it makes.
    &["run"],
    &["runs", "show"],
    &["runs", "graph"],
    &["runs", "events"],
    &["runs", "cancel"],
    &["runs", "pause"],
    &["runs", "resume"],
    &["runs", "retry"],
    &["runs", "handoff"],
    &["runs", "task-answer"],
    &["runs", "stop"],
];

fn home() -> Home {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\nconfig = [\"units\"]\n");
    let case = "[[case]]\nname = \"no keys\"\ntool = \"keys\"\nexpect = { output = [] }\nallow = { state = true }\n";
    home.write("skills/keeper/tests/cases.toml", case);
    let scribe = "name = \"scribe\"\ndescription = \"Writes.\"\ninstructions = \"Write.\"\nmodels = [\"small\"]\n";
    home.write("agents/scribe.toml", scribe);
    home
}

fn json_of(home: &Home, command: &[&str]) -> Value {
    let ran = home.run(&[command, &["--json"]].concat()).expect(0);
    assert_eq!(ran.stderr, "", "{command:?}");
    ran.json()
}

#[test]
fn every_command_answers_in_json() {
    let home = home();
    for command in COMMANDS {
        let answer = json_of(&home, command);
        assert!(answer.is_object() || answer.is_array(), "{command:?}: {answer}");
    }
}

#[test]
fn no_command_is_left_out() {
    let covered = |path: &[String]| {
        COMMANDS
            .iter()
            .chain(OTHERS)
            .any(|command| command.len() >= path.len() && command.iter().zip(path).all(|(a, b)| a == b))
    };
    let mut leaves = BTreeSet::new();
    collect(&Cli::command(), &mut Vec::new(), &mut leaves);
    assert!(leaves.len() >= 12, "{leaves:?}");
    for leaf in &leaves {
        assert!(covered(leaf), "no test shows `{} --json`", leaf.join(" "));
    }
}

fn collect(command: &clap::Command, path: &mut Vec<String>, leaves: &mut BTreeSet<Vec<String>>) {
    for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
        path.push(child.get_name().to_owned());
        if child.has_subcommands() {
            collect(child, path, leaves);
        } else {
            leaves.insert(path.clone());
        }
        path.pop();
    }
}

#[test]
fn the_answers_say_what_was_asked() {
    let home = home();
    let config = json_of(&home, COMMANDS[0]);
    assert_eq!((&config["server"]["max_body"], &config["skills"]["watch"]), (&json!("4 MiB"), &json!(true)));
    assert_eq!(config["limits"]["default"]["memory"], "64 MiB");
    let list = json_of(&home, COMMANDS[1]);
    assert_eq!((&list["skills"][0]["id"], &list["skills"][0]["granted"]), (&json!("tests/keeper"), &json!(false)));
    let grant = json_of(&home, COMMANDS[2]);
    assert_eq!(
        (&grant["skill"], &grant["state"], &grant["giver"]),
        (&json!("tests/keeper"), &json!({ "max_bytes": "64 MiB", "max_keys": 10_000 }), &json!("cli:tester"))
    );
    // The value of a setting may be a secret.
    assert_eq!(grant["config"], json!({ "units": "(not shown)" }));
    assert_eq!(json_of(&home, COMMANDS[3]), json!([grant]));
    let shown = json_of(&home, COMMANDS[4]);
    assert_eq!(
        (&shown["digest"], &shown["granted"][0]),
        (&grant["digest"], &json!("durable state, at most 64 MiB and 10000 keys"))
    );
    assert_eq!(shown["tools"].as_array().unwrap().len(), 9);
    let run = json_of(&home, COMMANDS[5]);
    assert_eq!((&run["output"], &run["receipt"]["outcome"]), (&json!("metric"), &json!("succeeded")));
    let revoked = json_of(&home, COMMANDS[13]);
    assert_eq!(revoked["revoked"], json!([grant["digest"]]));
    let key = json_of(&home, COMMANDS[14]);
    assert_eq!(key["scopes"], json!(["skills:read", "skills:execute"]));
    let listed = json_of(&home, COMMANDS[15]);
    assert_eq!((&listed[0]["id"], listed[0].get("token")), (&key["id"], None));
    assert_eq!(json_of(&home, COMMANDS[16])["id"], key["id"]);
    assert_eq!(json_of(&home, COMMANDS[17]), json!([]));
}

#[test]
fn a_server_says_in_json_where_it_is_and_logs_in_json() {
    let home = home();
    let token = home.token();
    let mut command = home.command();
    command.args(["--json", "serve", "--log-json", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&said["skills"], &said["broken"]), (&json!(1), &json!(0)));
    let client = crate::client::Client::new(said["listening"].as_str().unwrap().to_owned(), Some(token));
    client.execute("tests/keeper", "setting", &json!({ "key": "k" })).problem("not-granted");
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let call = log.find_map(|line| {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        (line["fields"]["message"] == "call").then_some(line)
    });
    assert_eq!(call.unwrap()["fields"]["outcome"], "no-grant");
    child.kill().unwrap();
    child.wait().unwrap();
}
