//! Runs that a workflow's component drives.

use std::fs;

use serde_json::{Value, json};

use super::{SCOPES, home, serve, until};
use crate::client::Client;
use crate::host::{Home, eventually};

/// The workflow `tests/flow`, which does what its input says, with files and a model.
fn flow(settings: &str) -> Home {
    let home = home(settings);
    let asks =
        "idempotent = true\n[permissions]\nmodels = [\"script\"]\n[[permissions.skills]]\nid = \"bailiwick/files\"\n";
    home.guest("flow", asks);
    home.grant("tests/flow", &["--skill-call", "bailiwick/files", "--model", "script"]);
    home
}

fn drive(client: &Client, skill: &str, input: &Value) -> String {
    let body = json!({ "strategy": { "kind": "workflow", "skill": skill }, "input": input.to_string() });
    let answer = client.post("/v1/agents/runs", &body);
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn write(name: &str) -> Value {
    json!({ "call": {
        "skill": "bailiwick/files", "tool": "write",
        "arguments": { "path": format!("/work/{name}"), "content": name },
    } })
}

fn read(path: &str) -> Value {
    json!({ "skill": "bailiwick/files", "tool": "read", "arguments": { "path": path } })
}

fn steps(client: &Client, id: &str) -> Vec<Value> {
    client.get(&format!("/v1/agents/runs/{id}/steps")).ok()["steps"].as_array().unwrap().clone()
}

fn kinds(steps: &[Value]) -> Vec<&str> {
    steps.iter().map(|step| step["kind"].as_str().unwrap()).collect()
}

#[test]
fn the_example_workflow_drives_a_durable_run() {
    let home = home("");
    home.skill("table-query").skill("markdown").example("briefing");
    let sales = crate::host::target().parent().unwrap().join("examples/demo/documents/sales.csv");
    home.write("documents/sales.csv", fs::read(sales).unwrap());
    home.grant("bailiwick/table-query", &[]).grant("bailiwick/markdown", &[]);
    let all = ["bailiwick/files", "bailiwick/table-query", "bailiwick/markdown"];
    home.grant("examples/briefing", &all.iter().flat_map(|skill| ["--skill-call", skill]).collect::<Vec<_>>());
    let (_server, client) = serve(&home);
    let id = drive(&client, "examples/briefing", &json!({ "path": "/work/sales.csv", "by": "region", "sum": "units" }));
    let run = until(&client, &id, "completed");
    assert!(run["output"]["markdown"].as_str().unwrap().contains("**west** leads with 126."), "{run:#}");
    assert_eq!(run["tasks"][0]["agent"], "examples/briefing");
    let steps = steps(&client, &id);
    assert_eq!(kinds(&steps), ["workflow", "skill", "skill", "skill", "skill"], "{steps:#?}");
    // Each call is one of the run's own, with a receipt that names run and step.
    let log = home.run(&["audit", "export"]).expect(0).stdout;
    for step in &steps[1..] {
        let receipt = step["receipt"].as_str().unwrap();
        let record: Value = serde_json::from_str(log.lines().find(|line| line.contains(receipt)).unwrap()).unwrap();
        assert_eq!(record["record"]["run"], format!("{id}/{}", step["number"]), "{record:#}");
    }
    let ran = home.run(&["run", "examples/briefing", r#"{"path": "/work/sales.csv", "by": "region", "sum": "units"}"#]);
    assert!(ran.expect(0).stdout.contains("west"), "the command takes workflows too");
}

#[test]
fn a_workflow_waits_for_people_over_a_stop_of_the_host() {
    let home = flow("");
    let token = home.key("runs", &SCOPES);
    let input = json!({ "acts": [
        { "random": { "model": "script" } },
        { "call_all": [read("/work/notes.md"), read("/work/notes.md")] },
        { "complete": { "model": "script", "prompt": "hello" } },
        write("a.md"),
        { "ask": "Go on?" },
        write("b.md"),
    ] });
    let server = home.serve();
    let client = server.by(Some(&token));
    let id = drive(&client, "tests/flow", &input);
    // To write has a risk that was not accepted, so that a person is asked about each.
    answer(&client, &until(&client, &id, "waiting_approval"), "files");
    let asked = eventually("the question is asked", || {
        let run = client.get(&format!("/v1/agents/runs/{id}")).ok();
        (run["awaiting"][0]["approval"].is_string() && home.path("documents/a.md").exists()).then_some(run)
    });
    assert!(!home.path("documents/b.md").exists());
    server.kill();
    let server = home.serve();
    let client = server.by(Some(&token));
    answer(&client, &asked, "flow");
    let again = eventually("the second file is asked about", || {
        let run = client.get(&format!("/v1/agents/runs/{id}")).ok();
        let is_next = run["awaiting"][0]["approval"].is_string()
            && run["awaiting"][0]["approval"] != asked["awaiting"][0]["approval"];
        is_next.then_some(run)
    });
    answer(&client, &again, "files");
    let run = until(&client, &id, "completed");
    let output = &run["output"];
    assert_eq!(output[2], "You said: hello", "{run:#}");
    assert_eq!(output[4], true, "{run:#}");
    assert!(output[1][0]["content"].as_str().unwrap().contains("Buy milk."), "{run:#}");
    // Had it got another number when it ran again, it would have asked for something else.
    assert!(output[0].as_str().unwrap().starts_with("You said: number "), "{run:#}");
    assert_eq!(fs::read_to_string(home.path("documents/b.md")).unwrap(), "b.md");
    let steps = steps(&client, &id);
    assert_eq!(kinds(&steps), ["workflow", "completion", "skill", "skill", "completion", "skill", "question", "skill"]);
    let attempts = |number: usize| steps[number]["attempt"].as_u64().unwrap();
    assert_eq!((attempts(1), attempts(3)), (1, 1), "what was answered is not asked again: {steps:#?}");
    assert!(attempts(0) >= 2, "the workflow ran again: {steps:#?}");
    assert!(run["spend"]["input_tokens"].as_u64().unwrap() > 0, "{run:#}");
}

/// Approves what a run waits for, which the skill named so asks.
#[track_caller]
fn answer(client: &Client, run: &Value, skill: &str) {
    let approval = run["awaiting"][0]["approval"].as_str().unwrap();
    let path = format!("/v1/approvals/{approval}");
    assert!(client.get(&path).ok()["skill"].as_str().unwrap().ends_with(skill), "{run:#}");
    client.post(&format!("{path}/answer"), &json!({ "decision": "approve" })).ok();
}

#[test]
fn what_can_t_drive_a_run_is_refused_with_the_reason() {
    let home = flow("");
    home.guest("driver", "");
    let (_server, client) = serve(&home);
    let submit = |skill: &str, input: &str| {
        let body = json!({ "strategy": { "kind": "workflow", "skill": skill }, "input": input });
        client.post("/v1/agents/runs", &body)
    };
    submit("tests/none", "{}").problem("unknown-skill");
    let refused = submit("tests/driver", "{}").problem("invalid-run");
    assert!(refused["detail"].as_str().unwrap().contains("is no workflow"), "{refused}");
    let refused = submit("flow", "{}").problem("invalid-run");
    assert!(refused["detail"].as_str().unwrap().contains("/strategy/skill"), "{refused}");
    let refused = submit("tests/flow", "Do it.").problem("invalid-run");
    assert!(refused["detail"].as_str().unwrap().contains("must be a JSON object"), "{refused}");
    home.guest("flow", "[[permissions.fs]]\nroot = \"/work\"\naccess = \"read\"\n");
    let refused = eventually("the new manifest is read", || {
        let refused = submit("tests/flow", "{}");
        (refused.status != 202).then(|| refused.problem("invalid-run"))
    });
    assert!(refused["detail"].as_str().unwrap().contains("asks for `fs`"), "{refused}");
    home.guest("flow", "[[permissions.skills]]\nid = \"tests/none\"\n");
    let refused = eventually("the next manifest is read", || {
        let refused = submit("tests/flow", "{}").problem("invalid-run");
        refused["detail"].as_str().unwrap().contains("can't have the skill `tests/none`").then_some(refused)
    });
    assert!(refused["detail"].as_str().unwrap().starts_with("/strategy/skill: "), "{refused}");
}

#[test]
fn a_workflow_that_traps_ends_its_run_with_its_own_words() {
    let home = flow("");
    let (_server, client) = serve(&home);
    let id = drive(&client, "tests/flow", &json!({ "acts": [{ "panic": "the end is near" }] }));
    let run = until(&client, &id, "failed");
    assert_eq!(run["error"]["code"], "guest-trapped", "{run:#}");
    // Revoked, it may call nothing any more.
    home.run(&["grant", "revoke", "tests/flow"]).expect(0);
    let id = drive(&client, "tests/flow", &json!({ "acts": [] }));
    assert_eq!(until(&client, &id, "failed")["error"]["code"], "no-grant");
}
