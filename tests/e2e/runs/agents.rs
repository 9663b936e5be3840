//! What people do with agents, how these fare, and skills that break under them.

use serde_json::{Value, json};

use super::{agent, home, serve, submit, until};
use crate::client::{Answer, Client};

fn hello(client: &Client) -> Answer {
    client.post("/v1/agents/runs", &json!({ "agent": "clerk", "input": "hello" }))
}

#[test]
fn a_paused_agent_stays_so_over_a_restart_until_somebody_lets_it_go_on() {
    let home = home("");
    let key = home.key("ops", &["admin"]);
    let server = home.serve();
    let client = server.by(Some(&key));
    let open = submit(&client, "clerk", "a while");
    until(&client, &open, "running");
    let paused = client.post("/v1/agents/clerk/pause", &json!({})).ok();
    assert_eq!((&paused["state"], &paused["open_tasks"]), (&json!("paused"), &json!(1)), "{paused:#}");
    let problem = hello(&client).problem("agent-paused");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("`key:ops`") && detail.contains("agents resume clerk"), "{detail}");
    until(&client, &open, "completed");
    server.stop();

    let ran = home.run(&["run", "clerk", "hello"]).expect(4);
    assert!(ran.stderr.contains("agents resume clerk"), "{}", ran.stderr);
    let server = home.serve();
    let client = server.by(Some(&key));
    hello(&client).problem("agent-paused");
    home.run(&["agents", "resume", "clerk"]).expect(0);
    let id = submit(&client, "clerk", "hello");
    until(&client, &id, "completed");

    let told = client.get("/v1/audit?kind=agent").ok();
    let changes: Vec<[&Value; 3]> =
        told["records"].as_array().unwrap().iter().map(|it| &it["record"]).map(change).collect();
    let expected = [["paused", "clerk", "key:ops"], ["resumed", "clerk", "cli:tester"]];
    assert_eq!(json!(changes), json!(expected), "{told:#}");
}

fn change(record: &Value) -> [&Value; 3] {
    ["change", "name", "principal"].map(|key| &record[key])
}

#[test]
fn how_agents_fare_is_shown_and_they_are_paused_at_the_terminal() {
    let home = home("");
    let (_server, client) = serve(&home);
    for (input, status) in [("hello", "completed"), ("refuse", "failed"), ("hello", "completed")] {
        let id = submit(&client, "clerk", input);
        until(&client, &id, status);
    }
    let list = home.run(&["--json", "agents", "list"]).expect(0).json();
    let clerk = &list["agents"][0];
    let fared = (&clerk["tasks_completed"], &clerk["tasks_failed"], &clerk["state"]);
    assert_eq!(fared, (&json!(2), &json!(1), &json!("idle")), "{list:#}");
    assert!(clerk["last_active"].is_string() && list["agents"][1].get("last_active").is_none(), "{list:#}");
    let shown = home.run(&["agents", "show", "clerk"]).expect(0).stdout;
    assert!(shown.contains("2 tasks, 1 failed"), "{shown}");

    let paused = home.run(&["agents", "pause", "clerk"]).expect(0).stdout;
    assert!(paused.starts_with("clerk is paused by cli:tester since "), "{paused}");
    hello(&client).problem("agent-paused");
    let shown = home.run(&["agents", "show", "clerk"]).expect(0).stdout;
    assert!(shown.contains("by cli:tester since"), "{shown}");
    let table = home.run(&["agents", "list"]).expect(0).stdout;
    assert!(table.lines().any(|line| line.starts_with("clerk") && line.contains("paused")), "{table}");
    assert_eq!(home.run(&["agents", "resume", "clerk"]).expect(0).stdout.trim(), "clerk is idle");
    assert_eq!(hello(&client).status, 202);
    assert_eq!(home.run(&["agents", "pause", "clerc"]).expect(3).stdout, "");
    client.post("/v1/agents/clerk/pause", &json!({})).problem("forbidden-scope");
}

#[test]
fn a_skill_that_traps_five_times_is_left_alone() {
    let home = home("");
    home.write(
        "script.toml",
        "[[rule]]\nafter_tool = \"hostile__trap\"\ntext = \"It says: {{result}}\"\n\n\
         [[rule]]\nafter_tool = \"hostile__echo\"\ntext = \"It says: {{result}}\"\n\n\
         [[rule]]\ncontains = \"echo\"\ncalls = [{ tool = \"hostile__echo\", arguments = { text = \"still there\" } }]\n\n\
         [[rule]]\ncalls = [{ tool = \"hostile__trap\" }]\n",
    );
    home.guest("hostile", "").grant("tests/hostile", &[]);
    agent(&home, "clown", "skills = [\"tests/hostile\"]\ndisclosure = \"all\"\n");
    let caller = home.key("caller", &["skills:execute"]);
    let (server, client) = serve(&home);
    let said = |input: &str| {
        let id = submit(&client, "clown", input);
        until(&client, &id, "completed")["output"].as_str().unwrap().to_owned()
    };
    for _ in 0..5 {
        let told = said("do it");
        assert!(told.contains("guest-trapped"), "{told}");
    }
    let told = said("do it");
    assert!(told.contains("CIRCUIT_OPEN") && told.contains("`tests/hostile`"), "{told}");
    // The whole skill is, and not the tool alone.
    let told = said("echo");
    assert!(told.contains("CIRCUIT_OPEN"), "{told}");
    let calls = client.get("/v1/audit?kind=call&skill=tests/hostile").ok();
    assert_eq!(calls["records"].as_array().unwrap().len(), 5, "the others were not made: {calls:#}");
    // Whoever calls it without an agent decides alone.
    let answer = server.by(Some(&caller)).execute("tests/hostile", "echo", &json!({ "text": "hello" }));
    assert_eq!(answer.output(), "hello");
}

#[test]
fn a_page_sees_agents_come_pause_and_go() {
    let home = home("");
    let token = home.key("all", &["admin"]);
    let server = home.serve();
    let client = server.by(Some(&token));
    let mut socket = super::socket::Socket::open(&client, &token, "agent.*.status,metrics");
    let definition = json!({ "description": "Tells.", "instructions": "Tell.", "models": ["script"] });
    let body = definition.to_string();
    client.send("PUT", "/v1/agents/herald", &[("content-type", "application/json")], Some(body.as_bytes())).ok();
    client.post("/v1/agents/herald/pause", &json!({})).ok();
    client.post("/v1/agents/herald/resume", &json!({})).ok();
    client.send("DELETE", "/v1/agents/herald", &[], None).ok();
    for name in ["agent.registered", "agent.spawned", "agent.paused", "agent.resumed", "agent.terminated"] {
        let told = socket.until(|message| message["topic"] == "agent.herald.status" && message["name"] == name);
        assert_eq!(told["data"]["agent"], "herald");
    }
    let id = submit(&client, "clerk", "hello");
    until(&client, &id, "completed");
    let told = socket.until(|message| {
        let data = &message["data"];
        message["name"] == "metrics.updated" && data["input_tokens"] != 0 && data["open_runs"] == 0
    });
    assert_eq!(told["topic"], "metrics");
}
