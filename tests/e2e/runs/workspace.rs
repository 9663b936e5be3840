//! What an agent's calls leave for one another, and for nobody else.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{SCOPES, agent, submit, until};
use crate::client::Client;
use crate::host::{Home, Server, eventually};

/// A file is made; then the model thinks for a while; then the file is read.
const SCRIPT: &str = r#"
[[rule]]
after_tool = "filler__settle"
delay = "2 s"
calls = [{ tool = "filler__read", arguments = { path = "/workspace/note" } }]

[[rule]]
after_tool = "filler__read"
text = "It says: {{result}}"

[[rule]]
contains = "write"
calls = [{ tool = "filler__settle", arguments = { name = "note", millis = 0 } }]

[[rule]]
contains = "read"
calls = [{ tool = "filler__read", arguments = { path = "/workspace/note" } }]
"#;

/// A run that nobody knows.
const STRANGER: &str = "0123456789abcdef0123456789abcdef";

fn home(settings: &str) -> Home {
    let home = Home::with(&format!("[models.script]\nprovider = \"scripted\"\nscript = \"script.toml\"\n{settings}"));
    home.guest("filler", "[permissions]\nworkspace = true\n").write("script.toml", SCRIPT);
    home.grant("tests/filler", &["--workspace"]);
    agent(&home, "ada", "skills = [\"tests/filler\"]\ndisclosure = \"all\"\n");
    home
}

fn serve(home: &Home, token: &str) -> (Server, Client) {
    let server = home.serve();
    let client = server.by(Some(token));
    (server, client)
}

/// The folder of a run.
fn of_run(home: &Home, run: &str) -> PathBuf {
    home.path("data/workspaces/runs").join(run)
}

/// The text of the file that the first call made.
fn note(folder: &Path) -> Option<String> {
    let own = fs::read_dir(folder).ok()?.next()?.ok()?.path();
    fs::read_to_string(own.join("note")).ok()
}

/// The steps that call a tool.
fn calls(client: &Client, run: &str) -> Vec<Value> {
    let steps = client.get(&format!("/v1/agents/runs/{run}/steps?limit=100")).ok();
    steps["steps"].as_array().unwrap().iter().filter(|step| step["tool"].is_string()).cloned().collect()
}

#[test]
fn an_agent_finds_its_files_in_the_next_call_after_a_power_cut_too_and_they_go_with_the_run() {
    let home = home("");
    let token = home.key("runs", &SCOPES);
    let (server, client) = serve(&home, &token);
    let id = submit(&client, "ada", "write it down");
    eventually("the first call has ended", || {
        calls(&client, &id).iter().any(|it| it["state"] == "ended").then_some(())
    });
    server.kill();
    assert_eq!(note(&of_run(&home, &id)).as_deref(), Some("mine"));
    home.write(&format!("data/workspaces/runs/{STRANGER}/0-0/note"), "left");
    let (server, client) = serve(&home, &token);
    assert!(!of_run(&home, STRANGER).exists(), "nobody knows that run");
    let run = until(&client, &id, "completed");
    assert!(run["output"].as_str().unwrap().contains("mine"), "{run:#}");
    eventually("its files are gone", || (!of_run(&home, &id).exists()).then_some(()));
    // Another run of the same agent, for the same principal, begins with nothing.
    let other = submit(&client, "ada", "read it");
    let run = until(&client, &other, "completed");
    assert!(!run["output"].as_str().unwrap().contains("mine"), "{run:#}");
    eventually("so are those", || (!of_run(&home, &other).exists()).then_some(()));
    server.stop();
}

#[test]
fn files_of_a_run_are_gone_when_it_is_cancelled_and_kept_as_long_as_configured() {
    for (settings, stays) in [("", false), ("[skills]\nworkspace_retention = \"1 h\"\n", true)] {
        let home = home(settings);
        let token = home.key("runs", &SCOPES);
        let (_server, client) = serve(&home, &token);
        let id = submit(&client, "ada", "write it down");
        eventually("a file is there", || note(&of_run(&home, &id)));
        eventually("the call has ended", || calls(&client, &id).iter().any(|it| it["state"] == "ended").then_some(()));
        client.post(&format!("/v1/agents/runs/{id}/cancel"), &json!({})).ok();
        let folder = of_run(&home, &id);
        if stays {
            eventually("the end is noted", || folder.join("over").exists().then_some(()));
        } else {
            eventually("its files are gone", || (!folder.exists()).then_some(()));
        }
    }
}
