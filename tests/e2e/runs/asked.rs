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
