//! Agents at work on the real binary: a model by a script, and real skills on real files.

mod agents;
mod asked;
mod cli;
mod crash;
mod guest_models;
mod provider;
mod rest;
pub(crate) mod settings;
mod socket;
mod spend;
pub(crate) mod traces;
mod workflow;
mod workspace;

use serde_json::{Value, json};

use crate::client::Client;
use crate::host::{Home, Server, eventually};

/// A script for agents with the skill `bailiwick/files`: what the input names is what is done.
const SCRIPT: &str = r#"
[[rule]]
after_tool = "files__read"
text = "It says: {{result}}"

[[rule]]
after_tool = "files__write"
text = "Written: {{result}}"

[[rule]]
contains = "read"
calls = [{ tool = "files__read", arguments = { path = "/work/notes.md" } }]

[[rule]]
contains = "write"
calls = [{ tool = "files__write", arguments = { path = "/work/new.md", content = "new" } }]

[[rule]]
contains = "slow"
delay = "20 s"
text = "At last."

[[rule]]
contains = "a while"
delay = "1500 ms"
text = "There."

[[rule]]
contains = "refuse"
fail = "payment"

[[rule]]
text = "You said: {{input}}"
"#;

/// A host with the agents `scribe`, who has files, and `clerk`, who has nothing.
fn home(settings: &str) -> Home {
    let models = "[models.script]\nprovider = \"scripted\"\nscript = \"script.toml\"\n";
    let home = Home::with(&format!("{models}{settings}"));
    home.skill("files").write("script.toml", SCRIPT);
    agent(&home, "scribe", "skills = [\"bailiwick/files\"]\ndisclosure = \"all\"\n");
    agent(&home, "clerk", "");
    home.write("documents/notes.md", "Buy milk.");
    let documents = format!("{}:/work:rw", home.path("documents").display());
    home.grant("bailiwick/files", &["--fs", &documents]);
    home
}

fn agent(home: &Home, name: &str, more: &str) {
    let text = format!(
        "name = \"{name}\"\ndescription = \"Works.\"\ninstructions = \"Do what you are asked.\"\nmodels = [\"script\"]\n{more}"
    );
    home.write(&format!("agents/{name}.toml"), text);
}

/// The scopes of whoever works with runs.
const SCOPES: [&str; 4] = ["runs:read", "runs:submit", "approvals:answer", "audit:read"];

/// A server, and a client who works with runs.
fn serve(home: &Home) -> (Server, Client) {
    let token = home.key("runs", &SCOPES);
    let server = home.serve();
    let client = server.by(Some(&token));
    (server, client)
}

/// Submits a run, and answers its id.
#[track_caller]
fn submit(client: &Client, agent: &str, input: &str) -> String {
    let answer = client.post("/v1/agents/runs", &json!({ "agent": agent, "input": input }));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), Some(format!("/v1/agents/runs/{id}").as_str()));
    id
}

/// Waits until the run stands there.
#[track_caller]
fn until(client: &Client, id: &str, status: &str) -> Value {
    eventually(&format!("run {id} is {status}"), || {
        let run = client.get(&format!("/v1/agents/runs/{id}")).ok();
        let over = ["completed", "failed", "cancelled"].contains(&run["status"].as_str().unwrap());
        assert!(!over || run["status"] == status, "{run:#}");
        (run["status"] == status).then_some(run)
    })
}
