//! Listing and describing skills, and what probes are told.

use std::fs;

use bailiwick_api::problem::Kind;
use serde_json::json;

use crate::host::{Package, TestHost, faults, write};

fn ids(page: &serde_json::Value) -> Vec<&str> {
    page["skills"].as_array().expect("skills").iter().map(|skill| skill["id"].as_str().expect("id")).collect()
}

#[tokio::test]
async fn the_list_has_the_newest_release_of_each_skill_and_what_is_broken() {
    let host = TestHost::new();
    let page = host.get("/v1/skills").await.json();
    assert_eq!(faults("SkillPage", &page), Vec::<String>::new());
    assert_eq!(ids(&page), ["acme/danger", "acme/echo", "local/advice", "zeta/wants"]);
    let echo = json!({
        "id": "acme/echo", "version": "0.2.0", "kind": "tool",
        "description": "Says echo of 0.2.0.", "tools": ["say", "shout"]
    });
    assert_eq!(page["skills"][1], echo);
    assert_eq!(page["skills"][2]["kind"], "prompt");
    let broken = page["broken"].as_array().expect("broken");
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0]["package"], "broken");
    let error = broken[0]["error"].as_str().expect("text");
    assert!(error.contains("broken/tool.wasm") && error.contains("core module"), "{error}");
    let folder = host.folder.path().to_str().expect("text");
    assert!(!page.to_string().contains(folder), "{error}");
    assert_eq!(page.get("next_cursor"), None);
}

#[tokio::test]
async fn two_packages_of_one_release_are_told_without_the_hosts_folders() {
    let host = TestHost::new();
    let skills = host.folder.path().join("skills");
    write(&skills, &Package { folder: "echo-3", id: "acme/echo", version: "0.2.0", manifest: "", tools: "other" });
    host.registry.reload();
    let page = host.get("/v1/skills?q=echo").await.json();
    assert_eq!(page["skills"][0]["version"], "0.1.0");
    let text = page.to_string();
    assert!(text.contains("echo-3") && text.contains("echo-2"), "{text}");
    assert!(!text.contains(host.folder.path().to_str().expect("text")), "{text}");
}

#[tokio::test]
async fn a_pre_release_is_newest_only_where_there_is_nothing_else() {
    let host = TestHost::new();
    let skills = host.folder.path().join("skills");
    let package = |folder, id, version, tools| Package { folder, id, version, manifest: "", tools };
    write(&skills, &package("echo-3", "acme/echo", "0.3.0-rc.1", "say\nsing"));
    write(&skills, &package("early", "acme/early", "0.1.0-alpha", "go"));
    host.registry.reload();
    let page = host.get("/v1/skills?namespace=acme").await.json();
    let versions: Vec<_> = page["skills"].as_array().expect("skills").iter().map(|skill| &skill["version"]).collect();
    assert_eq!(versions, ["1.0.0", "0.1.0-alpha", "0.2.0"]);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let host = TestHost::new();
    for (query, expected) in [
        ("namespace=acme", vec!["acme/danger", "acme/echo"]),
        ("namespace=acm", vec![]),
        ("kind=prompt", vec!["local/advice"]),
        ("kind=workflow", vec![]),
        ("q=ECHO", vec!["acme/echo"]),
        ("q=shout", vec!["acme/echo"]),
        ("q=does+take", vec!["zeta/wants"]),
        ("q=give+asked", vec!["local/advice"]),
        ("q=echo+danger", vec![]),
        ("q=", vec!["acme/danger", "acme/echo", "local/advice", "zeta/wants"]),
        ("q=says&namespace=acme&kind=tool&limit=200", vec!["acme/danger", "acme/echo"]),
    ] {
        let page = host.get(&format!("/v1/skills?{query}")).await.json();
        assert_eq!(ids(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let host = TestHost::new();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for number in 0..3 {
        let page = host.get(&format!("/v1/skills?limit=2{cursor}")).await.json();
        assert_eq!(page["broken"].as_array().map(Vec::len), Some(usize::from(number == 0)));
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["acme/danger", "acme/echo", "local/advice", "zeta/wants"]);
}

#[tokio::test]
async fn queries_that_are_not_known_are_errors() {
    let host = TestHost::new();
    let long = format!("q={}", "a".repeat(257));
    for query in [
        "page=2",
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=many",
        "limit=",
        "kind=tools",
        "kind=Tool",
        "cursor=nonsense",
        "cursor=MTphY21l",
        "cursor=",
        "namespace=a&namespace=b",
        &long,
    ] {
        host.get(&format!("/v1/skills?{query}")).await.problem(Kind::INVALID_QUERY);
    }
    host.get("/v1/skills/acme/echo?verison=1").await.problem(Kind::INVALID_QUERY);
}

#[tokio::test]
async fn a_release_is_described_in_full() {
    let host = TestHost::new();
    let detail = host.get("/v1/skills/zeta/wants").await.json();
    assert_eq!(faults("SkillDetail", &detail), Vec::<String>::new());
    assert_eq!(detail["id"], "zeta/wants");
    assert_eq!(detail["versions"], json!(["1.0.0"]));
    assert_eq!(detail["imports"], json!(["wasi:clocks/wall-clock@0.2.6"]));
    assert_eq!(detail["instructions"], "# wants");
    assert_eq!(detail["permissions"]["fs"], json!([{ "root": "/work", "access": "read-write" }]));
    let http = json!([{ "host": "*.example.com", "schemes": ["https"], "ports": [], "methods": ["GET"], "paths": [] }]);
    assert_eq!(detail["permissions"]["http"], http);
    assert_eq!(detail["limits"], json!({ "memory_bytes": 64 << 20, "deadline_ms": 5000 }));
    assert_eq!(detail["size_bytes"], 4);
    let tool = &detail["tools"][0];
    assert_eq!(
        (&tool["name"], &tool["description"], &tool["idempotent"]),
        (&json!("take"), &json!("Does take."), &json!(false))
    );
    assert_eq!(tool["input_schema"]["type"], "object");
    assert!(tool["failure_schema"].is_object());
    let prompt = host.get("/v1/skills/local/advice").await.json();
    assert_eq!((&prompt["tools"], &prompt["imports"], &prompt["license"]), (&json!([]), &json!([]), &json!("MIT")));
    assert_eq!(prompt["allowed_tools"], json!(["Read", "Bash(git add:*)"]));
    assert_eq!(detail.get("allowed_tools"), None);
    assert!(prompt["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
    assert_eq!(host.get("/v1/skills/acme/danger").await.json()["risk_tags"], json!(["destructive"]));
}

#[tokio::test]
async fn a_release_is_picked_by_version() {
    let host = TestHost::new();
    for (path, version) in [
        ("acme/echo", "0.2.0"),
        ("acme/echo@0.1.0", "0.1.0"),
        ("acme/echo?version=0.1.0", "0.1.0"),
        ("acme/echo@%5E0.1", "0.1.0"),
        ("acme/echo?version=%3E%3D0.1%2C%20%3C1", "0.2.0"),
        ("acme/echo@*", "0.2.0"),
    ] {
        let detail = host.get(&format!("/v1/skills/{path}")).await.json();
        assert_eq!(detail["version"], version, "{path}");
        assert_eq!(detail["versions"], json!(["0.2.0", "0.1.0"]));
    }
    host.get("/v1/skills/acme/echo@9").await.problem(Kind::UNKNOWN_VERSION);
    host.get("/v1/skills/acme/echo?version=9.0.0").await.problem(Kind::UNKNOWN_VERSION);
    host.get("/v1/skills/acme/echo@new").await.problem(Kind::INVALID_VERSION);
    host.get("/v1/skills/acme/echo@").await.problem(Kind::INVALID_VERSION);
    host.get("/v1/skills/acme/echo@0.1.0?version=0.1.0").await.problem(Kind::INVALID_VERSION);
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_so() {
    let host = TestHost::new();
    let problem = host.get("/v1/skills/acme/ecko").await.problem(Kind::UNKNOWN_SKILL);
    assert!(problem.detail.contains("acme/echo"), "{}", problem.detail);
    let problem = host.get("/v1/skills/acme/broken").await.problem(Kind::BROKEN_SKILL);
    assert!(!problem.detail.contains('/') || problem.detail.contains("acme/broken"), "{}", problem.detail);
    for path in ["acme/Echo", "-/echo", "acme/%ff", "acme/echo%20", "acme/.."] {
        host.get(&format!("/v1/skills/{path}")).await.problem(Kind::INVALID_PATH);
    }
    for path in ["/", "/v1", "/v1/skills/", "/v1/skills/acme", "/v1/skills/acme/echo/x", "/v2/skills", "//v1/skills"] {
        host.get(path).await.problem(Kind::UNKNOWN_ROUTE);
    }
}

#[tokio::test]
async fn other_methods_are_problems_that_name_the_right_ones() {
    let host = TestHost::new();
    for (method, path, allowed) in [
        ("DELETE", "/v1/skills", "GET,HEAD"),
        ("POST", "/v1/skills/acme/echo", "GET,HEAD"),
        ("GET", "/v1/skills/acme/echo/execute", "POST"),
        ("OPTIONS", "/healthz", "GET,HEAD"),
    ] {
        let request = host.request(method, path, "both").body(axum::body::Body::empty()).expect("request");
        let answer = host.send(request).await;
        answer.problem(Kind::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers["allow"], allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn probes_are_told_what_there_is() {
    let host = TestHost::new();
    assert_eq!(host.get("/healthz").await.json()["status"], "ok");
    let ready = host.get("/readyz").await.json();
    assert_eq!(faults("Readiness", &ready), Vec::<String>::new());
    assert_eq!(ready, json!({ "skills": 4, "releases": 5, "tools": 4, "broken": 1, "generation": 1 }));
    fs::remove_dir_all(host.folder.path().join("skills/broken")).expect("removed");
    host.registry.reload();
    assert_eq!(host.get("/readyz").await.json()["broken"], 0);
    host.ready.set(false);
    host.get("/readyz").await.problem(Kind::NOT_READY);
    host.get("/healthz").await.json();
}
