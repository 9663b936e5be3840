//! Runs over REST.

use std::fs;

use serde_json::{Value, json};

use super::{SCOPES, agent, home, serve, submit, until};
use crate::host::eventually;

#[test]
fn an_agent_reads_a_real_file_and_everything_names_the_run() {
    let home = home("");
    let (_server, client) = serve(&home);
    let id = submit(&client, "scribe", "read the notes");
    let run = until(&client, &id, "completed");
    assert!(run["output"].as_str().unwrap().contains("Buy milk."), "{run:#}");
    assert_eq!((&run["tasks"][0]["agent"], &run["tasks"][0]["status"]), (&json!("scribe"), &json!("done")));
    assert_eq!(run["spend"]["steps"], 3);
    let steps = client.get(&format!("/v1/agents/runs/{id}/steps")).ok();
    let call = &steps["steps"][1];
    assert_eq!((&call["skill"], &call["tool"]), (&json!("bailiwick/files"), &json!("read")), "{steps:#}");
    let receipt = call["receipt"].as_str().unwrap();
    let log = home.run(&["audit", "export"]).expect(0).stdout;
    let record = log.lines().find(|line| line.contains(receipt)).unwrap();
    let record: Value = serde_json::from_str(record).unwrap();
    let record = &record["record"];
    assert_eq!(record["run"], format!("{id}/1"), "{record:#}");
    assert_eq!(record["trace_id"], run["trace_id"]);
    assert_eq!(record["principal"], "key:runs");
}

#[test]
fn a_run_has_all_that_a_task_has_and_its_steps_all_that_a_result_has() {
    let home = home("");
    let (_server, client) = serve(&home);
    let budget = json!({ "wall": "90 s", "usd": 1.5 });
    let body = json!({ "agent": "scribe", "input": "read the notes", "class": "batch", "budget": budget });
    let answer = client.post("/v1/agents/runs", &body);
    assert_eq!(answer.status, 202, "{}", answer.text());
    let run = until(&client, answer.json()["id"].as_str().unwrap(), "completed");
    assert_eq!(run["strategy"], json!({ "kind": "single", "agent": "scribe" }));
    assert_eq!((&run["class"], &run["input"]), (&json!("batch"), &json!("read the notes")));
    assert_eq!((&run["budget"]["wall"], &run["budget"]["usd"]), (&json!("90 s"), &json!(1.5)));
    let moment = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no moment: {run:#}")).to_owned();
    assert!(moment(&run["queued_at"]) <= moment(&run["started_at"]), "{run:#}");
    let id = run["id"].as_str().unwrap();
    let steps = client.get(&format!("/v1/agents/runs/{id}/steps")).ok();
    let steps = steps["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    for step in steps {
        assert_eq!((&step["task"], &step["attempt"], &step["state"]), (&json!(0), &json!(1), &json!("ended")));
        assert!(moment(&step["started_at"]) <= moment(&step["ended_at"]), "{step:#}");
        let spend = &step["spend"];
        let tokens = spend["input_tokens"].as_u64().unwrap() + spend["output_tokens"].as_u64().unwrap();
        assert_eq!(tokens > 0, step["kind"] == "model", "{step:#}");
        assert_eq!(spend["usd"], 0.0, "a script is free: {step:#}");
    }
    assert!(steps[1]["output"].to_string().contains("Buy milk.") && steps[1]["receipt"].is_string(), "{:#}", steps[1]);
    assert!(steps[2]["answer"]["text"].as_str().unwrap().contains("Buy milk."), "{:#}", steps[2]);
}

#[test]
fn an_approval_in_the_middle_of_a_run_is_given_by_a_person() {
    let home = home("");
    let (_server, client) = serve(&home);
    let id = submit(&client, "scribe", "write it down");
    let run = until(&client, &id, "waiting_approval");
    assert!(!home.path("documents/new.md").exists());
    let approval = run["awaiting"][0]["approval"].as_str().unwrap();
    let path = format!("/v1/approvals/{approval}");
    assert_eq!(client.get(&path).ok()["arguments"]["content"], "new");
    client.post(&format!("{path}/answer"), &json!({ "decision": "approve" })).ok();
    until(&client, &id, "completed");
    assert_eq!(fs::read_to_string(home.path("documents/new.md")).unwrap(), "new");
}

#[test]
fn a_question_of_a_run_that_is_cancelled_is_withdrawn() {
    let home = home("");
    let (_server, client) = serve(&home);
    let id = submit(&client, "scribe", "write it down");
    let run = until(&client, &id, "waiting_approval");
    let approval = run["awaiting"][0]["approval"].as_str().unwrap();
    let path = format!("/v1/approvals/{approval}");
    assert_eq!(client.get(&path).ok()["state"], "pending");
    client.post(&format!("/v1/agents/runs/{id}/cancel"), &json!({})).ok();
    eventually("the question is withdrawn", || (client.get(&path).ok()["state"] == "withdrawn").then_some(()));
    let pending = client.get("/v1/approvals?state=pending").ok();
    assert_eq!(pending["approvals"], json!([]), "{pending:#}");
    client.post(&format!("{path}/answer"), &json!({ "decision": "approve" })).problem("approval-settled");
    // The same call of another run is another question.
    let again = submit(&client, "scribe", "write it down");
    let run = until(&client, &again, "waiting_approval");
    assert_ne!(run["awaiting"][0]["approval"], approval);
    assert!(!home.path("documents/new.md").exists());
}

#[test]
fn events_come_by_sse_from_any_point_and_as_pages() {
    let home = home("");
    let (_server, client) = serve(&home);
    let id = submit(&client, "clerk", "hello");
    until(&client, &id, "completed");
    let path = format!("/v1/agents/runs/{id}/events");
    let stream = client.get(&path);
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    let text = stream.text();
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    let expected =
        ["run.queued", "run.started", "task.assigned", "step.started", "step.ended", "task.ended", "run.completed"];
    assert_eq!(names, expected);
    let rest = client.send("GET", &path, &[("last-event-id", "5")], None).text();
    assert!(rest.contains("id: 6\n") && !rest.contains("id: 5\n"), "{rest}");
    let page = client.send("GET", &format!("{path}?after=2&limit=2"), &[("accept", "application/json")], None).ok();
    assert_eq!((page["events"].as_array().unwrap().len(), &page["next"]), (2, &json!(4)));
    assert_eq!(page["events"][0]["kind"], "task.assigned");
}

#[test]
fn a_request_that_is_repeated_is_one_run_after_a_restart_too() {
    let home = home("");
    let key = home.key("runs", &SCOPES);
    let body = json!({ "agent": "clerk", "input": "hello" });
    let send = |client: &crate::client::Client, body: &Value| {
        client.post_with("/v1/agents/runs", &[("idempotency-key", "k1")], body)
    };
    let server = home.serve();
    let client = server.by(Some(&key));
    let first = send(&client, &body);
    assert_eq!(first.status, 202, "{}", first.text());
    let id = first.json()["id"].clone();
    until(&client, id.as_str().unwrap(), "completed");
    server.stop();
    let server = home.serve();
    let client = server.by(Some(&key));
    let again = send(&client, &body);
    assert_eq!((again.status, &again.json()["id"]), (200, &id), "{}", again.text());
    send(&client, &json!({ "agent": "clerk", "input": "other" })).problem("idempotency-mismatch");
}

#[test]
fn people_pause_resume_cancel_and_retry() {
    let home = home("");
    let (_server, client) = serve(&home);
    let control = |id: &str, what: &str| client.post(&format!("/v1/agents/runs/{id}/{what}"), &json!({}));
    let id = submit(&client, "clerk", "slow");
    until(&client, &id, "running");
    control(&id, "pause").ok();
    until(&client, &id, "paused");
    control(&id, "retry").problem("illegal-transition");
    control(&id, "resume").ok();
    control(&id, "cancel").ok();
    until(&client, &id, "cancelled");
    let failed = submit(&client, "clerk", "refuse");
    let run = until(&client, &failed, "failed");
    assert_eq!(run["error"]["code"], "MODEL_PAYMENT", "{run:#}");
    assert_eq!(control(&failed, "retry").ok()["status"], "queued");
    until(&client, &failed, "failed");
}

#[test]
fn teams_map_and_route() {
    let home = home("");
    let (_server, client) = serve(&home);
    let map = json!({ "kind": "parallel_map", "agent": "clerk", "items": ["a", "b", "c"] });
    let answer = client.post("/v1/agents/runs", &json!({ "strategy": map, "input": "Say it." }));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let run = until(&client, answer.json()["id"].as_str().unwrap(), "completed");
    assert_eq!(run["output"][1], json!({ "item": "b", "output": "You said: Say it.\n\nb" }));
    let route = json!({ "kind": "router", "agents": ["clerk"] });
    let answer = client.post("/v1/agents/runs", &json!({ "strategy": route, "input": "hello" }));
    let run = until(&client, answer.json()["id"].as_str().unwrap(), "completed");
    assert_eq!(run["output"], "You said: hello");
}

#[test]
fn a_model_chooses_among_the_agents_that_can_do_it() {
    let home = home("");
    home.write(
        "script.toml",
        "[[rule]]\ntimes = 1\ncalls = [{ tool = \"choose_agent\", arguments = { agent = \"poet\" } }]\n\n\
         [[rule]]\ntext = \"A verse on {{input}}\"\n",
    );
    for name in ["critic", "poet"] {
        agent(&home, name, "capabilities = [\"verse\"]\n");
    }
    let (_server, client) = serve(&home);
    let route = json!({ "kind": "router", "capability": "verse" });
    let answer = client.post("/v1/agents/runs", &json!({ "strategy": route, "input": "the sea" }));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let run = until(&client, answer.json()["id"].as_str().unwrap(), "completed");
    assert_eq!(run["strategy"]["agents"], json!(["critic", "poet"]), "and not those that can't");
    let tasks = run["tasks"].as_array().unwrap();
    let roles: Vec<[&Value; 2]> = tasks.iter().map(|task| [&task["agent"], &task["role"]]).collect();
    assert_eq!(json!(roles), json!([["critic", "route"], ["poet", "work"]]));
    assert_eq!(run["output"], "A verse on the sea");
}

#[test]
fn what_is_wrong_with_a_request_is_pointed_at() {
    let home = home("[agents]\nmax_steps_per_run = 5\n");
    let (_server, client) = serve(&home);
    let post = |body: Value| client.post("/v1/agents/runs", &body);
    assert!(
        post(json!({ "agent": "clerc", "input": "x" })).problem("unknown-agent")["detail"]
            .as_str()
            .unwrap()
            .contains("`clerk`")
    );
    for (body, at) in [
        (json!({ "input": "x" }), "agent"),
        (json!({ "agent": "clerk", "strategy": { "kind": "single", "agent": "clerk" }, "input": "x" }), "strategy"),
        (json!({ "agent": "clerk", "input": "" }), "input"),
        (json!({ "agent": "clerk", "input": "x", "budget": { "steps": 6 } }), "steps"),
        (json!({ "agent": "clerk", "input": "x", "budget": { "wall": "soon" } }), "wall"),
        (json!({ "agent": "clerk", "input": "x", "class": "urgent" }), "class"),
        (json!({ "agent": "clerk", "input": "x", "prio": 1 }), "prio"),
        (json!({ "strategy": { "kind": "parallel_map", "agent": "clerk", "items": [] }, "input": "x" }), "items"),
    ] {
        let answer = post(body.clone());
        assert!((400..500).contains(&answer.status), "{body}: {}", answer.text());
        assert!(answer.text().contains(at), "{body}: {}", answer.text());
    }
    assert_eq!(client.get("/v1/agents/runs").ok()["runs"], json!([]), "nothing of it was kept");
}

#[test]
fn agents_are_files_and_records_and_files_are_read_again() {
    let home = home("[agents]\ndirectories = [\"agents\", \"more\"]\n");
    let token = home.key("admin", &["admin"]);
    let server = home.serve();
    let client = server.by(Some(&token));
    let names = |client: &crate::client::Client| -> Vec<String> {
        let agents = client.get("/v1/agents").ok();
        agents["agents"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&client), ["clerk", "scribe"]);
    let record = json!({ "name": "herald", "description": "Tells.", "instructions": "Tell.", "models": ["script"] });
    let put = client.send(
        "PUT",
        "/v1/agents/herald",
        &[("content-type", "application/json")],
        Some(record.to_string().as_bytes()),
    );
    assert!([200, 201].contains(&put.status), "{}", put.text());
    assert_eq!(names(&client), ["clerk", "herald", "scribe"]);
    let mut same = record.clone();
    same["name"] = json!("clerk");
    let put = client.send(
        "PUT",
        "/v1/agents/clerk",
        &[("content-type", "application/json")],
        Some(same.to_string().as_bytes()),
    );
    put.problem("agent-is-a-file");
    home.write(
        "more/guard.toml",
        "name = \"guard\"\ndescription = \"Guards.\"\ninstructions = \"Guard.\"\nmodels = [\"script\"]\n",
    );
    eventually("the new file is read", || {
        let answer = client.post("/v1/agents/runs", &json!({ "agent": "guard", "input": "x" }));
        (answer.status == 202).then_some(())
    });
    assert_eq!(client.send("DELETE", "/v1/agents/herald", &[], None).status, 200);
    assert_eq!(names(&client), ["clerk", "guard", "scribe"]);
}

#[test]
fn work_is_handed_over_when_a_person_agrees_to_what_the_receiver_may_do() {
    let home = home("");
    home.write(
        "script.toml",
        "[[rule]]\nafter_tool = \"files__read\"\ntext = \"It says: {{result}}\"\n\n\
         [[rule]]\nafter_tool = \"handoff\"\ntext = \"Then I can't.\"\n\n\
         [[rule]]\ncontains = \"\\\"from\\\": \\\"clerk\\\"\"\ncalls = [{ tool = \"files__read\", arguments = { path = \"/work/notes.md\" } }]\n\n\
         [[rule]]\ncalls = [{ tool = \"handoff\", arguments = { to = \"scribe\", reason = \"files\" } }]\n",
    );
    let (_server, client) = serve(&home);
    let team = json!({ "kind": "handoff", "agents": ["clerk", "scribe"] });
    let start = || {
        let answer = client.post("/v1/agents/runs", &json!({ "strategy": team, "input": "What is in the notes?" }));
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let answer = |id: &str, body: Value| client.post(&format!("/v1/agents/runs/{id}/handoffs/0/answer"), &body);
    let id = start();
    let run = until(&client, &id, "waiting_approval");
    assert_eq!((&run["handoffs"][0]["to"], &run["handoffs"][0]["state"]), (&json!("scribe"), &json!("asked")));
    answer(&id, json!({ "decision": "approve" })).ok();
    let run = until(&client, &id, "completed");
    assert!(run["output"].as_str().unwrap().contains("Buy milk."), "{run:#}");
    assert_eq!(run["handoffs"][0]["state"], "completed");
    answer(&id, json!({ "decision": "approve" })).problem("illegal-transition");
    let id = start();
    until(&client, &id, "waiting_approval");
    let long = json!({ "decision": "deny", "reason": "x".repeat(1001) });
    assert_eq!(answer(&id, long).problem("invalid-request")["errors"][0]["pointer"], "/reason");
    answer(&id, json!({ "decision": "deny", "reason": "no files" })).ok();
    let run = until(&client, &id, "completed");
    assert_eq!(run["output"], "Then I can't.");
    let path = format!("/v1/agents/runs/{id}/events");
    let page = client.send("GET", &path, &[("accept", "application/json")], None).ok();
    let events = page["events"].as_array().unwrap();
    let rejected = events.iter().find(|event| event["kind"] == "handoff.rejected").unwrap();
    assert_eq!((&rejected["reason"], &rejected["by"]), (&json!("no files"), &json!("key:runs")), "{rejected:#}");
}

#[test]
fn a_graph_runs_as_its_edges_say_and_one_with_a_cycle_is_refused() {
    let home = home("");
    let (_server, client) = serve(&home);
    let graph = json!({
        "nodes": [
            { "id": "notes", "agent": "scribe", "input": "read {{input}}" },
            { "id": "left", "agent": "clerk", "input": "Left: {{notes}}" },
            { "id": "right", "agent": "clerk", "input": "Right of {{input}}" },
            { "id": "both", "agent": "clerk" },
        ],
        "edges": [
            { "from": "notes", "to": "left", "label": "what they say" },
            { "from": "notes", "to": "right", "when": { "kind": "contains", "text": "milk" } },
            { "from": "left", "to": "both" },
            { "from": "right", "to": "both" },
        ],
    });
    let submit = |graph: &Value| {
        let strategy = json!({ "kind": "graph", "graph": graph });
        client.post("/v1/agents/runs", &json!({ "strategy": strategy, "input": "it" }))
    };
    let answer = submit(&graph);
    assert_eq!(answer.status, 202, "{}", answer.text());
    let run = until(&client, answer.json()["id"].as_str().unwrap(), "completed");
    let output = run["output"].as_str().unwrap();
    assert!(output.contains("You said: Left: It says:") && output.contains("You said: Right of it"), "{output}");
    let nodes: Vec<&str> = run["tasks"].as_array().unwrap().iter().map(|it| it["node"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["notes", "left", "right", "both"]);
    assert_eq!(run["strategy"]["graph"]["edges"][0]["label"], "what they say");
    let mut cycle = graph;
    cycle["edges"][3] = json!({ "from": "right", "to": "notes" });
    let problem = submit(&cycle).problem("invalid-run");
    assert!(problem["detail"].as_str().unwrap().contains("notes -> right -> notes"), "{problem}");
}

#[test]
fn a_strategy_is_a_node_of_a_graph_and_the_graph_is_shown_as_it_stands() {
    let home = home("");
    let (_server, client) = serve(&home);
    let each = json!({ "kind": "parallel_map", "agent": "clerk", "items": ["a", "b"] });
    let graph = json!({
        "nodes": [{ "id": "each", "run": each }, { "id": "end", "agent": "clerk", "input": "All: {{each}}" }],
        "edges": [{ "from": "each", "to": "end" }],
    });
    let strategy = json!({ "kind": "graph", "graph": graph });
    let answer = client.post("/v1/agents/runs", &json!({ "strategy": strategy, "input": "Say it." }));
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let run = until(&client, &id, "completed");
    let output = run["output"].as_str().unwrap();
    assert!(output.starts_with("You said: All: [") && output.contains("You said: Say it."), "{output}");
    let subrun = &run["subruns"][0];
    assert_eq!(
        (&subrun["node"], &subrun["strategy"], &subrun["status"]),
        (&json!("each"), &json!("parallel_map"), &json!("done"))
    );
    let subruns: Vec<&Value> = run["tasks"].as_array().unwrap().iter().map(|task| &task["subrun"]).collect();
    assert_eq!(subruns, [&json!(0), &json!(0), &Value::Null]);
    let shown = home.run(&["runs", "graph", &id]).expect(0).stdout;
    assert!(shown.starts_with("flowchart TD\n") && shown.contains("parallel_map"), "{shown}");
    let shown = home.run(&["--json", "runs", "graph", &id]).expect(0).json();
    let nodes = json!([{ "id": "each", "state": "done", "subrun": 0 }, { "id": "end", "state": "done", "task": 2 }]);
    assert_eq!((&shown["nodes"], &shown["graph"]["nodes"][0]["run"]["kind"]), (&nodes, &json!("parallel_map")));
    client.get(&format!("/v1/agents/runs/{id}/graph?subrun=0")).problem("unknown-run");
}
