//! Runs from the command line, with and without a server.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{SCOPES, home, serve, submit, until};
use crate::host::{Home, eventually};

#[test]
fn a_run_tells_what_it_does_and_its_output_stands_alone() {
    let home = home("");
    let ran = home.run(&["run", "scribe", "read the notes"]).expect(0);
    assert!(ran.stdout.contains("Buy milk.") && ran.stdout.lines().count() == 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("bailiwick/files") && ran.stderr.contains("read"), "{}", ran.stderr);
    let list = home.run(&["--json", "runs", "list"]).expect(0).json();
    let id = list["runs"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!((&list["runs"][0]["status"], &list["runs"][0]["class"]), (&json!("completed"), &json!("interactive")));
    let shown = home.run(&["runs", "show", &id[..20]]).expect(0).stdout;
    for part in ["scribe", "bailiwick/files", "read", "completed", "Buy milk."] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    let events = home.run(&["--json", "runs", "events", &id]).expect(0).stdout;
    let first: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    assert_eq!(first["kind"], "run.queued");
    assert_eq!(home.run(&["runs", "show", "0000"]).code, 3);
}

#[test]
fn a_run_for_each_item_and_one_answer_of_all() {
    let home = home("");
    let ran = home.run(&["run", "clerk", "Say it.", "--each", "a", "b", "--reduce", "clerk"]).expect(0);
    assert!(ran.stdout.starts_with("You said: Say it.") && ran.stdout.contains("\"item\": \"b\""), "{}", ran.stdout);
    let ran = home.run(&["--json", "run", "clerk", "Say it.", "--each", "a", "b"]).expect(0).json();
    assert_eq!(ran["output"][1]["item"], "b", "{ran:#}");
}

#[test]
fn the_readers_of_the_demo_each_read_their_own_document() {
    let demo = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/demo")).unwrap();
    let demo = demo.display();
    let home = Home::with(&format!(
        "[agents]\ndirectories = [\"{demo}/agents\"]\n\
         [models.scripted]\nprovider = \"scripted\"\nscript = \"{demo}/script.toml\"\n"
    ));
    home.skill("files").grant("bailiwick/files", &["--fs", &format!("{demo}/documents:/work:ro")]);
    let items = ["minutes/2026-09-14.md", "minutes/2026-10-12.md"];
    let run = ["--json", "run", "reader", "What are the deadlines?", "--each", items[0], items[1]];
    let ran = home.run(&run).expect(0).json();
    for (place, item) in items.iter().enumerate() {
        let said = ran["output"][place]["output"].as_str().unwrap();
        assert!(said.contains(item) && !said.contains(items[1 - place]), "{said}");
    }
}

#[test]
fn a_person_answers_from_another_terminal() {
    let home = home("");
    let mut command = home.command();
    command.args(["run", "scribe", "write it down"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = command.spawn().unwrap();
    let approval = eventually("somebody is asked", || {
        let ran = home.run(&["--json", "approvals", "list"]);
        let list: Value = serde_json::from_str(&ran.stdout).ok()?;
        list["approvals"][0]["id"].as_str().map(str::to_owned)
    });
    home.run(&["approvals", "approve", &approval]).expect(0);
    let ended = running.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{told}");
    assert!(told.contains("approvals approve"), "it says how to answer: {told}");
    assert_eq!(fs::read_to_string(home.path("documents/new.md")).unwrap(), "new");
}

#[test]
fn runs_of_a_server_are_left_to_it_and_controlled() {
    let home = home("");
    let (_server, client) = serve(&home);
    let id = home.run(&["run", "clerk", "slow", "--detach"]).expect(0).stdout.trim().to_owned();
    until(&client, &id, "running");
    home.run(&["runs", "pause", &id]).expect(0);
    until(&client, &id, "paused");
    home.run(&["runs", "retry", &id]).expect(2);
    home.run(&["runs", "resume", &id]).expect(0);
    home.run(&["runs", "cancel", &id, "--reason", "enough"]).expect(0);
    let run = until(&client, &id, "cancelled");
    assert!(run["tasks"][0]["agent"] == "clerk", "{run:#}");
    let events = home.run(&["--json", "runs", "events", &id]).expect(0).stdout;
    let last: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!((&last["kind"], &last["reason"]), (&json!("run.cancelled"), &json!("enough")), "{events}");
    let failed = submit(&client, "clerk", "refuse");
    until(&client, &failed, "failed");
    home.run(&["runs", "retry", &failed]).expect(0);
}

#[test]
fn what_goes_wrong_with_a_run_says_what_to_do() {
    let home = home("");
    let unknown = home.run(&["run", "clerc", "x"]);
    assert_eq!(unknown.code, 3, "{unknown:?}");
    assert!(unknown.stderr.contains("`clerk`"), "{}", unknown.stderr);
    let failed = home.run(&["run", "clerk", "refuse"]);
    assert_eq!(failed.code, 7, "{failed:?}");
    assert!(failed.stderr.contains("MODEL_PAYMENT") && failed.stderr.contains("runs retry"), "{}", failed.stderr);
    let detached = home.run(&["run", "clerk", "x", "--detach"]);
    assert_eq!(detached.code, 2, "{detached:?}");
    let poor = home.run(&["run", "scribe", "read the notes", "--budget-steps", "1"]);
    assert!(poor.code == 7 && poor.stderr.contains("BUDGET_EXHAUSTED"), "{poor:?}");
    let slow = home.run(&["run", "clerk", "slow", "--timeout", "300 ms"]);
    assert!(slow.code == 7 && slow.stderr.contains("TIMEOUT"), "{slow:?}");
}

#[test]
fn agents_are_listed_shown_and_checked() {
    let home = home("");
    let list = home.run(&["agents", "list"]).expect(0).stdout;
    assert!(list.contains("clerk") && list.contains("scribe"), "{list}");
    let shown = home.run(&["agents", "show", "scribe"]).expect(0).stdout;
    assert!(shown.contains("bailiwick/files"), "{shown}");
    home.write("agents/bad.toml", "name = \"bad\"\nmodel = \"x\"\n");
    let bad = home.path("agents/bad.toml");
    let checked = home.run(&["agents", "check", bad.to_str().unwrap()]);
    assert_ne!(checked.code, 0);
    let told = checked.stdout + &checked.stderr;
    assert!(told.contains("did you mean `models`?"), "{told}");
    assert!(home.run(&["agents", "list"]).expect(0).stdout.contains("bad"), "a broken one is listed");
    let token = home.key("runs", &SCOPES);
    let server = home.serve();
    server.by(Some(&token)).get("/v1/agents/bad").ok();
}

#[test]
fn a_person_says_at_the_terminal_whether_another_agent_takes_over() {
    let home = home("");
    home.write(
        "script.toml",
        "[[rule]]\ncontains = \"\\\"from\\\": \\\"clerk\\\"\"\ntext = \"I took over.\"\n\n\
         [[rule]]\ncalls = [{ tool = \"handoff\", arguments = { to = \"scribe\" } }]\n",
    );
    let mut command = home.command();
    command.args(["run", "clerk", "Do it.", "--hand-to", "scribe"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = command.spawn().unwrap();
    let id = eventually("a person is asked", || {
        let list: Value = serde_json::from_str(&home.run(&["--json", "runs", "list"]).stdout).ok()?;
        let run = &list["runs"][0];
        (run["status"] == "waiting_approval").then(|| run["id"].as_str().unwrap().to_owned())
    });
    assert!(home.run(&["runs", "show", &id]).expect(0).stdout.contains("runs handoff"));
    home.run(&["runs", "handoff", &id, "0", "--approve"]).expect(0);
    let ended = running.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stdout).trim(), "I took over.");
}

#[test]
fn a_person_says_whether_a_task_that_failed_is_tried_once_more() {
    let home = home("");
    let ivy = "name = \"ivy\"\ndescription = \"Counts.\"\ninstructions = \"Count.\"\nmodels = [\"script\"]\n\n\
               [on_failure]\nask = true\n\n[output_schema]\ntype = \"integer\"\n";
    home.write("agents/ivy.toml", ivy);
    let (_server, client) = serve(&home);
    let id = submit(&client, "ivy", "three");
    let run = until(&client, &id, "waiting_approval");
    let task = &run["tasks"][0];
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("asked"), &json!("MODEL_UNFIT")), "{run:#}");
    assert_eq!(run["spend"]["steps"], 4, "it was asked three times more");
    assert!(home.run(&["runs", "show", &id]).expect(0).stdout.contains("runs task-answer"));
    client.post(&format!("/v1/agents/runs/{id}/tasks/0/answer"), &json!({ "decision": "approve" })).ok();
    eventually("it was tried once more", || {
        let run = client.get(&format!("/v1/agents/runs/{id}")).ok();
        (run["spend"]["steps"] == 8 && run["status"] == "waiting_approval").then_some(())
    });
    home.run(&["runs", "task-answer", &id, "0", "--deny", "--reason", "enough"]).expect(0);
    let run = until(&client, &id, "failed");
    assert_eq!(run["error"]["code"], "MODEL_UNFIT");
    assert!(run["error"]["message"].as_str().unwrap().ends_with("tried again: enough"), "{run:#}");
    client
        .post(&format!("/v1/agents/runs/{id}/tasks/0/answer"), &json!({ "decision": "deny" }))
        .problem("illegal-transition");
}

#[test]
fn a_kill_switch_ends_all_runs_or_those_of_an_agent_or_of_a_skill() {
    let home = home("");
    let (_server, client) = serve(&home);
    let start = |agent: &str| {
        let id = submit(&client, agent, "slow");
        until(&client, &id, "running");
        id
    };
    let ended = |arguments: &[&str]| -> Vec<String> {
        let told = home.run(&[&["--json", "runs", "stop"], arguments].concat()).expect(0).json();
        told["cancelled"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let (clerk, scribe) = (start("clerk"), start("scribe"));
    assert_eq!(ended(&["--agent", "nobody"]), Vec::<String>::new());
    assert_eq!(ended(&["--skill", "bailiwick/files"]), [scribe.as_str()]);
    assert_eq!(ended(&["--agent", "clerk", "--reason", "enough"]), [clerk.as_str()]);
    let run = until(&client, &clerk, "cancelled");
    assert!(run["error"]["message"].as_str().unwrap().contains("enough"), "{run:#}");
    let (clerk, scribe) = (start("clerk"), start("scribe"));
    assert_eq!(ended(&["--all"]), [clerk, scribe]);
    assert_eq!(home.run(&["runs", "stop"]).code, 2, "all of them must be said");
    client.post("/v1/agents/runs/cancel", &json!({ "all": true })).problem("forbidden-scope");
}
