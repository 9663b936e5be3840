//! Runs and agents, with a model that never answers.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use bailiwick_api::problem::Kind;
use serde_json::{Value, json};

use crate::host::{Answer, TestHost};

async fn send(host: &TestHost, key: &str, method: &str, path: &str, body: &Value) -> Answer {
    let request = host.request(method, path, key).header(CONTENT_TYPE, "application/json");
    host.send(request.body(Body::from(body.to_string())).expect("request")).await
}

async fn get(host: &TestHost, path: &str, accept: &str) -> Answer {
    let request = host.request("GET", path, "watcher").header(ACCEPT, accept);
    host.send(request.body(Body::empty()).expect("request")).await
}

fn scout() -> Value {
    json!({ "description": "d", "instructions": "i", "models": ["small"], "capabilities": ["research"] })
}

/// A host that has the agent `scout`.
async fn with_scout() -> TestHost {
    let host = TestHost::new();
    send(&host, "admin", "PUT", "/v1/agents/scout", &scout()).await.json();
    host
}

/// The id of a run that was submitted.
async fn submitted(host: &TestHost, body: &Value) -> String {
    let answer = send(host, "submitter", "POST", "/v1/agents/runs", body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let run: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let id = run["id"].as_str().expect("an id").to_owned();
    assert_eq!(answer.headers[LOCATION], format!("/v1/agents/runs/{id}"));
    id
}

#[tokio::test]
async fn an_agent_that_was_put_is_listed_and_shown_until_it_is_removed() {
    let host = with_scout().await;
    let listed = get(&host, "/v1/agents?capability=research", "*/*").await.json();
    assert_eq!(listed["agents"][0]["name"], "scout");
    assert_eq!(listed["agents"][0]["state"], "idle");
    assert_eq!((&listed["agents"][0]["open_tasks"], &listed["agents"][0]["tasks_failed"]), (&json!(0), &json!(0)));
    assert_eq!(get(&host, "/v1/agents?capability=cooking", "*/*").await.json(), json!({ "agents": [] }));
    let shown = get(&host, "/v1/agents/scout", "*/*").await.json();
    assert_eq!((&shown["source"], &shown["definition"]["name"]), (&json!("record"), &json!("scout")));
    send(&host, "admin", "DELETE", "/v1/agents/scout", &Value::Null).await.json();
    let problem = get(&host, "/v1/agents/scout", "*/*").await.problem(Kind::UNKNOWN_AGENT);
    assert!(problem.detail.contains("`scout`"), "{}", problem.detail);
}

#[tokio::test]
async fn a_paused_agent_gets_no_run_until_it_is_resumed() {
    let host = with_scout().await;
    let pause = "/v1/agents/scout/pause";
    send(&host, "submitter", "POST", pause, &Value::Null).await.problem(Kind::FORBIDDEN_SCOPE);
    send(&host, "admin", "POST", "/v1/agents/scuot/pause", &Value::Null).await.problem(Kind::UNKNOWN_AGENT);
    for _ in 0..2 {
        let paused = send(&host, "admin", "POST", pause, &Value::Null).await.json();
        assert_eq!((&paused["state"], &paused["paused"]["by"]), (&json!("paused"), &json!("key:admin")));
    }
    let run = json!({ "agent": "scout", "input": "x" });
    let problem = send(&host, "submitter", "POST", "/v1/agents/runs", &run).await.problem(Kind::AGENT_PAUSED);
    for part in ["`scout`", "`key:admin`", "2026-11-20T11:00:00", "bailiwick agents resume scout"] {
        assert!(problem.detail.contains(part), "no {part}: {}", problem.detail);
    }
    let route = json!({ "strategy": { "kind": "router", "capability": "research" }, "input": "x" });
    send(&host, "submitter", "POST", "/v1/agents/runs", &route).await.problem(Kind::INVALID_RUN);
    let listed = get(&host, "/v1/agents?capability=research", "*/*").await.json();
    assert_eq!(listed["agents"][0]["state"], "paused", "it is there still");
    let resumed = send(&host, "admin", "POST", "/v1/agents/scout/resume", &Value::Null).await.json();
    assert_eq!((&resumed["state"], resumed.get("paused")), (&json!("idle"), None));
    submitted(&host, &run).await;
}

#[tokio::test]
async fn an_agent_whose_runs_all_fail_says_so() {
    let host = with_scout().await;
    for failed in 1..=5 {
        // No model of it is there.
        let id = submitted(&host, &json!({ "agent": "scout", "input": "x" })).await;
        get(&host, &format!("/v1/agents/runs/{id}/events"), "text/event-stream").await;
        let shown = get(&host, "/v1/agents/scout", "*/*").await.json();
        let state = if failed == 5 { "error" } else { "idle" };
        assert_eq!((&shown["state"], &shown["tasks_failed"]), (&json!(state), &json!(failed)));
        assert_eq!(shown["last_active"], "2026-11-20T11:00:00.000Z");
    }
    let listed = get(&host, "/v1/agents", "*/*").await.json();
    assert_eq!(listed["agents"][0]["error"], "its last 5 tasks failed");
}

#[tokio::test]
async fn a_definition_that_is_wrong_is_pointed_at() {
    let host = TestHost::new();
    let mut wrong = scout();
    wrong["models"] = json!([]);
    let problem = send(&host, "admin", "PUT", "/v1/agents/scout", &wrong).await.problem(Kind::INVALID_AGENT);
    assert_eq!(problem.errors[0].pointer, "/models");
    let mut other = scout();
    other["name"] = json!("pilot");
    let problem = send(&host, "admin", "PUT", "/v1/agents/scout", &other).await.problem(Kind::INVALID_AGENT);
    assert_eq!(problem.errors[0].pointer, "/name");
}

#[tokio::test]
async fn what_makes_a_run_impossible_is_pointed_at() {
    let host = with_scout().await;
    let map = |at_once: u32| json!({ "kind": "parallel_map", "agent": "scout", "items": ["x"], "at_once": at_once });
    let nested = |run: Value| json!({ "kind": "graph", "graph": { "nodes": [{ "id": "a", "run": run }] } });
    for (body, pointer) in [
        (json!({ "input": "x" }), "/agent"),
        (json!({ "agent": "scout", "strategy": { "kind": "single", "agent": "scout" }, "input": "x" }), "/strategy"),
        (json!({ "agent": "scout", "input": "" }), "/input"),
        (json!({ "agent": "scout", "input": "x", "label": "a\nb" }), "/label"),
        (json!({ "agent": "scout", "input": "x", "budget": { "wall": "soon" } }), "/budget/wall"),
        (json!({ "agent": "scout", "input": "x", "budget": { "usd": 0 } }), "/budget/usd"),
        (json!({ "strategy": { "kind": "router" }, "input": "x" }), "/strategy/agents"),
        (json!({ "strategy": { "kind": "router", "capability": "cooking" }, "input": "x" }), "/strategy/capability"),
        (json!({ "strategy": map(0), "input": "x" }), "/strategy/at_once"),
        (json!({ "strategy": map(65), "input": "x" }), "/strategy/at_once"),
        (json!({ "strategy": nested(map(0)), "input": "x" }), "/strategy/graph/nodes/0/run/at_once"),
        (json!({ "strategy": nested(json!({ "kind": "workflow", "skill": "a/b" })), "input": "x" }), "/strategy/graph"),
    ] {
        let problem = send(&host, "submitter", "POST", "/v1/agents/runs", &body).await.problem(Kind::INVALID_RUN);
        assert_eq!(problem.errors[0].pointer, pointer, "{body}");
    }
    let body = json!({ "agent": "scuot", "input": "x" });
    let problem = send(&host, "submitter", "POST", "/v1/agents/runs", &body).await.problem(Kind::UNKNOWN_AGENT);
    assert!(problem.detail.contains("scout"), "{}", problem.detail);
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_the_same_run() {
    let host = with_scout().await;
    let ask = async |input: &str| {
        let request = host.request("POST", "/v1/agents/runs", "submitter");
        let request = request.header(CONTENT_TYPE, "application/json").header("idempotency-key", "once");
        let body = json!({ "agent": "scout", "input": input }).to_string();
        host.send(request.body(Body::from(body)).expect("request")).await
    };
    let first: Value = serde_json::from_slice(&ask("x").await.body).expect("JSON");
    assert_eq!(ask("x").await.json()["id"], first["id"]);
    ask("y").await.problem(Kind::IDEMPOTENCY_MISMATCH);
}

#[tokio::test]
async fn a_run_is_followed_to_its_end_and_read_again_from_anywhere() {
    let host = with_scout().await;
    let id = submitted(&host, &json!({ "agent": "scout", "input": "x", "label": "ports" })).await;
    let path = format!("/v1/agents/runs/{id}");
    // The stream ends with the run.
    let stream = get(&host, &format!("{path}/events"), "text/event-stream").await.text();
    assert!(stream.contains("event: run.queued\n") && stream.contains("event: run.failed\n"), "{stream}");
    let page = get(&host, &format!("{path}/events?after=1"), "application/json").await.json();
    let events = page["events"].as_array().expect("events");
    let numbers: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(numbers, (2..numbers.len() as u64 + 2).collect::<Vec<u64>>());
    assert_eq!((&page["next"], &events[events.len() - 1]["kind"]), (&json!(numbers.len() + 1), &json!("run.failed")));
    let run = get(&host, &path, "*/*").await.json();
    assert_eq!((&run["status"], &run["error"]["retriable"]), (&json!("failed"), &json!(true)));
    assert_eq!(run["checkpoint"], page["next"]);
    let steps = get(&host, &format!("{path}/steps"), "*/*").await.json();
    assert_eq!((&steps["steps"][0]["kind"], &steps["steps"][0]["state"]), (&json!("model"), &json!("ended")));
    let listed = get(&host, "/v1/agents/runs?label=ports&status=failed", "*/*").await.json();
    assert_eq!(listed["runs"][0]["id"], json!(id));
}

#[tokio::test]
async fn a_graph_is_shown_as_it_stands_and_other_runs_have_none() {
    let host = with_scout().await;
    let each = json!({ "kind": "parallel_map", "agent": "scout", "items": ["a"] });
    let graph = json!({
        "nodes": [{ "id": "look", "agent": "scout", "plans": true }, { "id": "each", "run": each }],
        "edges": [{ "from": "look", "to": "each" }],
    });
    let strategy = json!({ "kind": "graph", "graph": graph, "agents": ["scout"] });
    let id = submitted(&host, &json!({ "strategy": strategy, "input": "x" })).await;
    let path = format!("/v1/agents/runs/{id}");
    get(&host, &format!("{path}/events"), "text/event-stream").await;
    let shown = get(&host, &format!("{path}/graph"), "*/*").await.json();
    let nodes = json!([{ "id": "look", "state": "failed", "task": 0 }, { "id": "each", "state": "skipped" }]);
    assert_eq!((&shown["run"], &shown["nodes"]), (&json!(id), &nodes));
    assert_eq!(shown["graph"]["nodes"][1]["run"]["kind"], "parallel_map");
    let mermaid = shown["mermaid"].as_str().expect("a text");
    assert!(mermaid.starts_with("flowchart TD\n") && mermaid.contains("n1[[\"each<br/>parallel_map\"]]"), "{mermaid}");
    get(&host, &format!("{path}/graph?subrun=0"), "*/*").await.problem(Kind::UNKNOWN_RUN);
    let single = submitted(&host, &json!({ "agent": "scout", "input": "x" })).await;
    let problem = get(&host, &format!("/v1/agents/runs/{single}/graph"), "*/*").await.problem(Kind::UNKNOWN_RUN);
    assert_eq!(problem.detail, "the run has no graph");
}

#[tokio::test]
async fn runs_are_told_only_what_can_happen_to_them() {
    let host = with_scout().await;
    let id = submitted(&host, &json!({ "agent": "scout", "input": "x" })).await;
    let path = format!("/v1/agents/runs/{id}");
    get(&host, &format!("{path}/events"), "text/event-stream").await;
    let pause = host.request("POST", &format!("{path}/pause"), "submitter").body(Body::empty()).expect("request");
    let problem = host.send(pause).await.problem(Kind::ILLEGAL_TRANSITION);
    assert!(problem.detail.contains("run.paused") && problem.detail.contains("failed"), "{}", problem.detail);
    // A body may be left out where nothing has to be said.
    let retry = host.request("POST", &format!("{path}/retry"), "submitter").body(Body::empty()).expect("request");
    assert_eq!(host.send(retry).await.json()["id"], json!(id));
    let nobody = format!("/v1/agents/runs/{}/cancel", "0".repeat(32));
    send(&host, "submitter", "POST", &nobody, &json!({})).await.problem(Kind::UNKNOWN_RUN);
    get(&host, "/v1/agents/runs/nonsense", "*/*").await.problem(Kind::UNKNOWN_RUN);
}

#[tokio::test]
async fn a_reason_has_so_many_characters_wherever_one_is_taken() {
    let host = TestHost::new();
    let nobody = format!("/v1/agents/runs/{}", "0".repeat(32));
    let no_approval = "/v1/approvals/apr_none/answer";
    for (key, path, body, otherwise) in [
        ("submitter", format!("{nobody}/cancel"), json!({}), 404_u16),
        ("admin", "/v1/agents/runs/cancel".to_owned(), json!({ "all": true }), 200),
        ("approver", format!("{nobody}/handoffs/0/answer"), json!({ "decision": "deny" }), 404),
        ("approver", format!("{nobody}/tasks/0/answer"), json!({ "decision": "deny" }), 404),
        ("approver", no_approval.to_owned(), json!({ "decision": "deny" }), 404),
        ("approver", no_approval.to_owned(), json!({ "decision": "approve" }), 404),
    ] {
        let with = async |reason: String| {
            let mut body = body.clone();
            body["reason"] = json!(reason);
            send(&host, key, "POST", &path, &body).await
        };
        // Characters are counted, of which each has two bytes here.
        let problem = with("é".repeat(1001)).await.problem(Kind::INVALID_REQUEST);
        assert_eq!(problem.errors[0].pointer, "/reason", "{path}");
        assert!(problem.detail.contains("at most 1000 characters"), "{path}: {}", problem.detail);
        let answer = with("é".repeat(1000)).await;
        assert_eq!(answer.status, otherwise, "{path}: {}", answer.text());
    }
    // Who has a run go on is asked for none.
    for what in ["resume", "retry"] {
        let path = format!("{nobody}/{what}");
        let answer = send(&host, "submitter", "POST", &path, &json!({ "reason": "x" })).await;
        assert!(answer.problem(Kind::INVALID_REQUEST).detail.contains("unknown field `reason`"), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_longest_reason_reaches_the_event_and_a_longer_one_ends_nothing() {
    let host = TestHost::new();
    let mut stuck = scout();
    stuck["models"] = json!(["stuck"]);
    send(&host, "admin", "PUT", "/v1/agents/scout", &stuck).await.json();
    let id = submitted(&host, &json!({ "agent": "scout", "input": "x" })).await;
    let path = format!("/v1/agents/runs/{id}");
    let cancel = async |reason: String| {
        send(&host, "submitter", "POST", &format!("{path}/cancel"), &json!({ "reason": reason })).await
    };
    cancel("é".repeat(1001)).await.problem(Kind::INVALID_REQUEST);
    let longest = "é".repeat(1000);
    assert_eq!(cancel(longest.clone()).await.json()["status"], "cancelled", "it was open until now");
    let page = get(&host, &format!("{path}/events"), "application/json").await.json();
    let last = page["events"].as_array().expect("events").last().expect("one");
    assert_eq!((&last["kind"], &last["by"]), (&json!("run.cancelled"), &json!("key:submitter")));
    assert_eq!(last["reason"], json!(longest));
}

#[tokio::test]
async fn a_new_try_has_what_is_asked_for_and_no_more_time_than_its_agents() {
    let host = TestHost::new();
    let mut short = scout();
    short["limits"] = json!({ "wall": "1 min" });
    send(&host, "admin", "PUT", "/v1/agents/scout", &short).await.json();
    let id = submitted(&host, &json!({ "agent": "scout", "input": "x", "budget": { "steps": 5 } })).await;
    let path = format!("/v1/agents/runs/{id}");
    get(&host, &format!("{path}/events"), "text/event-stream").await;
    let more = json!({ "budget": { "steps": 9, "tokens": 70, "wall": "1 h" } });
    send(&host, "submitter", "POST", &format!("{path}/retry"), &more).await.json();
    let run = get(&host, &path, "*/*").await.json();
    let budget = &run["budget"];
    assert_eq!((&budget["steps"], &budget["tokens"], &budget["wall"]), (&json!(9), &json!(70), &json!("1 min")));
}

#[tokio::test]
async fn a_run_is_kept_as_it_was_asked_for() {
    let host = with_scout().await;
    send(&host, "admin", "PUT", "/v1/agents/pilot", &scout()).await.json();
    let agents = json!(["scout", "pilot"]);
    let handoff = json!({ "kind": "handoff", "agents": agents, "first": "pilot", "max_depth": 2 });
    let edge = |when: Value| json!({ "from": "plan", "to": "team", "label": "go", "when": when });
    let graph = json!({
        "nodes": [
            { "id": "plan", "agent": "scout", "input": "On {{input}}", "join": "all", "optional": true, "plans": true },
            { "id": "team", "run": handoff, "join": "any", "optional": false, "plans": false },
        ],
        "edges": [
            edge(json!({ "kind": "always" })),
            edge(json!({ "kind": "contains", "text": "a" })),
            edge(json!({ "kind": "equals", "text": "b" })),
            edge(json!({ "kind": "matches_label" })),
            edge(json!({ "kind": "failed" })),
        ],
    });
    let map = json!({ "kind": "parallel_map", "agent": "scout", "items": ["a"], "reduce": "pilot",
        "on_failure": "collect", "at_once": 3 });
    let budget = json!({ "steps": 9, "wall": "90 s", "tokens": 1000, "usd": 0.5, "fuel": 7, "host_calls": 3 });
    for strategy in [
        json!({ "kind": "router", "agents": agents, "by": "pilot" }),
        handoff,
        map,
        json!({ "kind": "graph", "graph": graph, "agents": ["pilot"] }),
    ] {
        let id = submitted(&host, &json!({ "strategy": strategy, "input": "x", "budget": budget })).await;
        let run = get(&host, &format!("/v1/agents/runs/{id}"), "*/*").await.json();
        assert_eq!(run["strategy"], strategy);
        for (key, value) in budget.as_object().expect("an object").iter().filter(|(key, _)| *key != "wall") {
            assert_eq!(run["budget"][key], *value, "{key}");
        }
    }
    for (asked, usual) in [
        (json!({ "kind": "handoff", "agents": agents }), json!({ "first": "scout", "max_depth": 4 })),
        (
            json!({ "kind": "parallel_map", "agent": "scout", "items": ["a"] }),
            json!({ "at_once": 8, "on_failure": "fail_fast" }),
        ),
    ] {
        let id = submitted(&host, &json!({ "strategy": asked, "input": "x" })).await;
        let run = get(&host, &format!("/v1/agents/runs/{id}"), "*/*").await.json();
        for (key, value) in usual.as_object().expect("an object") {
            assert_eq!(run["strategy"][key], *value, "{key}");
        }
    }
}

/// The ids of the runs that are listed, and where the next page begins.
async fn listed(host: &TestHost, query: &str) -> (Vec<String>, Option<String>) {
    let page = get(host, &format!("/v1/agents/runs?{query}"), "*/*").await.json();
    let runs = page["runs"].as_array().expect("a list").iter();
    let ids = runs.map(|run| run["id"].as_str().expect("an id").to_owned()).collect();
    (ids, page["next_cursor"].as_str().map(str::to_owned))
}

/// Runs of two agents for two principals, the oldest first.
async fn three_runs(host: &TestHost) -> [String; 3] {
    send(host, "admin", "PUT", "/v1/agents/pilot", &scout()).await.json();
    let mut ids = Vec::new();
    for (key, agent) in [("submitter", "scout"), ("admin", "pilot"), ("admin", "scout")] {
        // Runs are listed by time, which stands still here.
        host.clock.advance(Duration::from_secs(1));
        let answer = send(host, key, "POST", "/v1/agents/runs", &json!({ "agent": agent, "input": "x" })).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let run: Value = serde_json::from_slice(&answer.body).expect("JSON");
        ids.push(run["id"].as_str().expect("an id").to_owned());
    }
    ids.try_into().expect("three")
}

#[tokio::test]
async fn runs_are_listed_page_by_page_to_the_first() {
    let host = with_scout().await;
    let [first, second, third] = &three_runs(&host).await;
    let (page, next) = listed(&host, "limit=2").await;
    assert_eq!(page, [third.as_str(), second.as_str()], "the newest first");
    let next = next.expect("there is one more");
    let (page, end) = listed(&host, &format!("limit=2&cursor={next}")).await;
    assert_eq!((page, end), (vec![first.clone()], None));
    // A page that is just full is the last one.
    let (page, end) = listed(&host, "limit=3").await;
    assert_eq!((page.len(), end), (3, None));
    for (query, part) in [
        ("cursor=nonsense", "`cursor`"),
        ("limit=2&cursor=", "`cursor`"),
        ("limit=0", "`limit` is 0; expected 1 to 200"),
        ("limit=201", "`limit` is 201; expected 1 to 200"),
    ] {
        let problem = get(&host, &format!("/v1/agents/runs?{query}"), "*/*").await.problem(Kind::INVALID_QUERY);
        assert!(problem.detail.contains(part), "{query}: {}", problem.detail);
    }
}

#[tokio::test]
async fn runs_are_listed_by_agent_and_by_principal() {
    let host = with_scout().await;
    let [first, second, third] = &three_runs(&host).await;
    for (query, expected) in [
        ("agent=scout", vec![third, first]),
        ("agent=pilot", vec![second]),
        ("agent=scuot", vec![]),
        ("principal=key:submitter", vec![first]),
        ("principal=key:admin", vec![third, second]),
        ("principal=key:adm", vec![]),
        ("agent=scout&principal=key:admin", vec![third]),
    ] {
        let (ids, next) = listed(&host, query).await;
        assert_eq!((ids.iter().collect::<Vec<_>>(), next), (expected, None), "{query}");
    }
    // What the filter leaves out takes no room on a page.
    let (page, next) = listed(&host, "agent=scout&limit=1").await;
    assert_eq!(page, [third.as_str()]);
    let next = next.expect("there is one more");
    let (page, end) = listed(&host, &format!("agent=scout&limit=1&cursor={next}")).await;
    assert_eq!((page, end), (vec![first.clone()], None));
}
