//! What is typed or sent reaches the run that it is for.

use serde_json::{Value, json};

use super::{SCOPES, agent, home, serve, submit, until};
use crate::client::Client;
use crate::host::eventually;

#[test]
fn runs_are_listed_by_what_is_asked_for_and_tried_again_with_more() {
    let home = home("");
    let (_server, client) = serve(&home);
    let start =
        |words: &[&str]| home.run(&[&["run"], words, &["--detach"]].concat()).expect(0).stdout.trim().to_owned();
    let poor = start(&["scribe", "read the notes", "--budget-steps", "1", "--label", "notes"]);
    until(&client, &poor, "failed");
    let done = start(&["clerk", "hello"]);
    until(&client, &done, "completed");
    let listed = |options: &[&str]| -> Vec<String> {
        let list = home.run(&[&["--json", "runs", "list"], options].concat()).expect(0).json();
        list["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    };
    for options in [["--status", "failed"], ["--agent", "scribe"], ["--label", "notes"]] {
        assert_eq!(listed(&options), [poor.as_str()], "{options:?}");
    }
    assert_eq!(listed(&["--limit", "1"]), [done.as_str()], "the newest");
    for more in [["--after", "2"].as_slice(), &["--after", "2", "--follow"]] {
        let told = home.run(&[&["--json", "runs", "events", &done], more].concat()).expect(0).stdout;
        let first: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
        assert_eq!(first["seq"], 3, "{told}");
    }
    home.run(&["runs", "retry", &poor, "--budget-steps", "9"]).expect(0);
    until(&client, &poor, "completed");
}

#[test]
fn a_person_says_at_the_terminal_whether_a_call_is_made_again_that_was_cut_off() {
    for (word, attempt) in [("--repeat", 2), ("--skip", 1)] {
        let home = home("");
        home.guest("hostile", "").grant("tests/hostile", &[]);
        agent(&home, "sleeper", "skills = [\"tests/hostile\"]\ndisclosure = \"all\"\n");
        home.write(
            "script.toml",
            "[[rule]]\nafter_tool = \"hostile__sleep\"\ntext = \"Awake.\"\n\n\
             [[rule]]\ncalls = [{ tool = \"hostile__sleep\", arguments = { millis = 2000 } }]\n",
        );
        let token = home.key("runs", &SCOPES);
        let server = home.serve();
        let client = server.by(Some(&token));
        let id = submit(&client, "sleeper", "sleep");
        let call = |client: &Client| client.get(&format!("/v1/agents/runs/{id}/steps")).ok()["steps"][1].clone();
        eventually("it sleeps", || (call(&client)["state"] == "under_way").then_some(()));
        server.kill();
        let server = home.serve();
        let client = server.by(Some(&token));
        until(&client, &id, "interrupted");
        assert_eq!(home.run(&["runs", "resume", &id]).code, 2, "it has to be said");
        home.run(&["runs", "resume", &id, word]).expect(0);
        until(&client, &id, "completed");
        assert_eq!(call(&client)["attempt"], attempt, "{word}");
    }
}

#[test]
fn the_graph_of_a_subrun_is_printed_where_its_number_is_typed() {
    let home = home("");
    let (_server, client) = serve(&home);
    let inner = json!({
        "nodes": [{ "id": "draft", "agent": "clerk" }, { "id": "polish", "agent": "clerk" }],
        "edges": [{ "from": "draft", "to": "polish" }],
    });
    let graph = json!({
        "nodes": [{ "id": "text", "run": { "kind": "graph", "graph": inner } }, { "id": "end", "agent": "clerk" }],
        "edges": [{ "from": "text", "to": "end" }],
    });
    let strategy = json!({ "kind": "graph", "graph": graph });
    let answer = client.post("/v1/agents/runs", &json!({ "strategy": strategy, "input": "hello" }));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    until(&client, &id, "completed");
    let cases: [(&[&str], [&str; 2], &str); 2] =
        [(&[], ["text", "end"], "draft"), (&["--subrun", "0"], ["draft", "polish"], "text")];
    for (more, own, other) in cases {
        let shown = home.run(&[&["--json", "runs", "graph", &id], more].concat()).expect(0).json();
        let ids: Vec<&Value> = shown["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
        assert_eq!(json!(ids), json!(own), "{shown:#}");
        let picture = home.run(&[&["runs", "graph", &id], more].concat()).expect(0).stdout;
        assert!(picture.starts_with("flowchart TD\n"), "{picture}");
        assert!(own.iter().all(|node| picture.contains(*node)) && !picture.contains(other), "{picture}");
    }
    // There is no other subrun, and what is no number is no subrun.
    home.run(&["runs", "graph", &id, "--subrun", "1"]).expect(3);
    home.run(&["runs", "graph", &id, "--subrun", "first"]).expect(2);
}

#[test]
fn a_run_that_goes_on_is_watched_where_that_is_wanted() {
    let home = home("");
    home.write(
        "script.toml",
        "[[rule]]\nafter_tool = \"files__write\"\ntext = \"It is done.\"\n\n\
         [[rule]]\ncontains = \"write\"\n\
         calls = [{ tool = \"files__write\", arguments = { path = \"/work/new.md\", content = \"new\" } }]\n\n\
         [[rule]]\ntimes = 1\nfail = \"payment\"\n\n[[rule]]\ntext = \"Now I can.\"\n",
    );
    let (_server, client) = serve(&home);
    // It waits for a person, so that it can't come to its end before it is paused.
    let paused = submit(&client, "scribe", "write it down");
    let run = until(&client, &paused, "waiting_approval");
    client.post(&format!("/v1/agents/runs/{paused}/pause"), &json!({})).ok();
    let approval = run["awaiting"][0]["approval"].as_str().unwrap();
    client.post(&format!("/v1/approvals/{approval}/answer"), &json!({ "decision": "approve" })).ok();
    let failed = submit(&client, "clerk", "hello");
    until(&client, &failed, "failed");
    for (what, id, output) in [("resume", &paused, "It is done."), ("retry", &failed, "Now I can.")] {
        let watched = home.run(&["runs", what, id, "--follow"]).expect(0);
        assert_eq!(watched.stdout.trim(), output, "{what}: its output stands alone");
        let told = &watched.stderr;
        assert!(told.contains("run.completed"), "{what}: {told}");
        assert!(!told.contains("run.queued"), "{what} tells what follows, and not what was before: {told}");
        let run = client.get(&format!("/v1/agents/runs/{id}")).ok();
        assert_eq!(run["status"], "completed", "{what} waited for the end");
    }
    assert!(home.path("documents/new.md").exists());
}

#[test]
fn a_call_burns_no_more_fuel_than_its_run_has() {
    let home = home("");
    home.guest("hostile", "").grant("tests/hostile", &[]);
    agent(&home, "spinner", "skills = [\"tests/hostile\"]\ndisclosure = \"all\"\n");
    home.write(
        "script.toml",
        "[[rule]]\nafter_tool = \"hostile__spin\"\ntext = \"Spun.\"\n\n[[rule]]\ncalls = [{ tool = \"hostile__spin\" }]\n",
    );
    let (_server, client) = serve(&home);
    let body = json!({ "agent": "spinner", "input": "spin", "budget": { "fuel": 3_000_000 } });
    let id = client.post("/v1/agents/runs", &body).json()["id"].as_str().unwrap().to_owned();
    let run = until(&client, &id, "failed");
    assert_eq!(
        (&run["error"]["code"], &run["spend"]["fuel"]),
        (&json!("BUDGET_EXHAUSTED"), &json!(3_000_000)),
        "{run:#}"
    );
}
