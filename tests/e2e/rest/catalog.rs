//! Which skills there are: lists, pages, details, versions, and packages that are broken.

use bailiwick_domain::digest::Digest;
use serde_json::{Value, json};

use crate::host::{Home, component};

fn ids(page: &Value) -> Vec<&str> {
    page["skills"].as_array().unwrap().iter().map(|skill| skill["id"].as_str().unwrap()).collect()
}

#[test]
fn the_list_is_filtered() {
    let home = Home::new();
    home.skill("calculate").skill("text").guest("hostile", "").guest("keeper", "").prompt("write-letters");
    let server = home.serve();
    let list = |query: &str| server.get(&format!("/v1/skills{query}")).ok();
    let all = ["bailiwick/calculate", "bailiwick/text", "local/write-letters", "tests/hostile", "tests/keeper"];
    let page = list("");
    assert_eq!(ids(&page), all);
    assert_eq!(page["broken"], json!([]));
    assert_eq!(page.get("next_cursor"), None);
    for (query, expected) in [
        ("?namespace=tests", &all[3..]),
        ("?kind=prompt", &all[2..3]),
        ("?kind=tool&namespace=bailiwick", &all[..2]),
        ("?q=KEEPER", &all[4..]),
        ("?q=exact+decimal", &all[..1]),
        ("?q=write-letters+nonsense", &[]),
        ("?namespace=nobody", &[]),
    ] {
        assert_eq!(ids(&list(query)), expected, "{query}");
    }
    for query in ["?limit=0", "?limit=201", "?limit=many", "?kind=agent", "?page=2", "?cursor=bm9uc2Vuc2U"] {
        server.get(&format!("/v1/skills{query}")).problem("invalid-query");
    }
}

#[test]
fn pages_follow_one_another_and_leave_nothing_out() {
    let home = Home::new();
    for name in ["a", "b", "c", "d", "e"] {
        home.prompt(name);
    }
    let server = home.serve();
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = server.get(&format!("/v1/skills?limit=2{cursor}")).ok();
        found.extend(ids(&page).into_iter().map(str::to_owned));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, ["local/a", "local/b", "local/c", "local/d", "local/e"]);
    assert_eq!(pages, 3);
}

#[test]
fn a_skill_is_described_down_to_its_bytes() {
    let home = Home::new();
    home.guest(
        "hostile",
        "risk_tags = [\"loud\"]\n[tools.spin]\nrisk_tags = []\nidempotent = true\n[limits]\ndeadline = \"2 s\"\n",
    );
    let server = home.serve();
    let detail = server.get("/v1/skills/tests/hostile").ok();
    assert_eq!(detail["digest"], Digest::of(&component("hostile")).to_string());
    assert_eq!(detail["size_bytes"], component("hostile").len());
    assert_eq!((&detail["version"], &detail["versions"]), (&json!("1.0.0"), &json!(["1.0.0"])));
    assert_eq!(detail["limits"], json!({ "deadline_ms": 2000 }));
    let tool = |name: &str| {
        let tools = detail["tools"].as_array().unwrap();
        tools.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("no {name}: {detail}")).clone()
    };
    let echo = tool("echo");
    assert_eq!(echo["description"], "Answers the text.");
    assert_eq!(echo["input_schema"]["required"], json!(["text"]));
    assert_eq!((&echo["risk_tags"], &echo["idempotent"]), (&json!(["loud"]), &json!(false)));
    let spin = tool("spin");
    assert_eq!((&spin["risk_tags"], &spin["idempotent"]), (&json!([]), &json!(true)));
    // What it doesn't import, it can't reach: this guest was built without sockets or requests.
    let imports: Vec<_> = detail["imports"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(imports.iter().any(|import| import.starts_with("wasi:clocks/")), "{imports:?}");
    assert!(!imports.iter().any(|import| import.starts_with("wasi:http/")), "{imports:?}");
}

#[test]
fn a_prompt_has_instructions_and_nothing_to_call() {
    let home = Home::new();
    home.prompt("write-letters");
    let server = home.serve();
    let detail = server.get("/v1/skills/local/write-letters").ok();
    assert!(detail["instructions"].as_str().unwrap().contains("Do it well."), "{detail}");
    assert_eq!(detail["tools"], json!([]));
    server.execute("local/write-letters", "write", &json!({})).problem("no-tools");
}

/// Two releases of one skill. They hold the components of two guests, so that it
/// shows which one runs: the first has `echo`, the second `version`.
fn two_releases() -> Home {
    let home = Home::new();
    home.package("old", "tests/pair", "1.4.0", "hostile", "");
    home.package("new", "tests/pair", "2.1.0", "foreign", "");
    home.grant("tests/pair@^1", &[]).grant("tests/pair@^2", &[]);
    home
}

#[test]
fn two_releases_of_a_skill_stand_side_by_side() {
    let home = two_releases();
    let server = home.serve();
    let page = server.get("/v1/skills").ok();
    assert_eq!((ids(&page), &page["skills"][0]["version"]), (vec!["tests/pair"], &json!("2.1.0")));
    assert_eq!(server.get("/v1/skills/tests/pair").ok()["versions"], json!(["2.1.0", "1.4.0"]));
    for (range, expected) in
        [("", "2.1.0"), ("@^1", "1.4.0"), ("@1.4.0", "1.4.0"), ("@%3E=1,%20%3C2", "1.4.0"), ("@*", "2.1.0")]
    {
        assert_eq!(server.get(&format!("/v1/skills/tests/pair{range}")).ok()["version"], expected, "{range}");
    }
    assert_eq!(server.get("/v1/skills/tests/pair?version=^1").ok()["version"], "1.4.0");
    let echo = json!({ "tool": "echo", "arguments": { "text": "old" }, "version": "^1" });
    let answer = server.execute_with("tests/pair", &[], &echo).ok();
    assert_eq!((&answer["output"], &answer["version"]), (&json!("old"), &json!("1.4.0")));
    let answer = server.execute_with("tests/pair@~2.1", &[], &json!({ "tool": "version" })).ok();
    assert_eq!((&answer["output"], &answer["version"]), (&json!("2.3.0"), &json!("2.1.0")));
    // The newest has no such tool, and nobody looks for it in an older one.
    server.execute("tests/pair", "echo", &json!({ "text": "" })).problem("unknown-tool");
}

#[test]
fn versions_that_are_wrong_are_told() {
    let home = two_releases();
    let server = home.serve();
    let problem = server.get("/v1/skills/tests/pair@^3").problem("unknown-version");
    assert!(problem["detail"].as_str().unwrap().contains("1.4.0"), "{problem}");
    server.get("/v1/skills/tests/pair@newest").problem("invalid-version");
    server.get("/v1/skills/tests/pair@^1?version=^1").problem("invalid-version");
    let both = json!({ "tool": "version", "version": "^2" });
    server.execute_with("tests/pair@^2", &[], &both).problem("invalid-version");
    server.execute_with("tests/pair", &[], &json!({ "tool": "version", "version": "^3" })).problem("unknown-version");
}

#[test]
fn a_grant_is_of_one_release() {
    let home = two_releases();
    home.run(&["grant", "revoke", "tests/pair"]).expect(0);
    home.grant("tests/pair@^1", &[]);
    let server = home.serve();
    let echo = json!({ "tool": "echo", "arguments": { "text": "old" } });
    server.execute_with("tests/pair@^1", &[], &echo).ok();
    server.execute_with("tests/pair@^2", &[], &json!({ "tool": "version" })).problem("grant-suspended");
}

#[test]
fn a_broken_package_is_listed_and_the_others_work() {
    let home = Home::new();
    home.guest("hostile", "").grant("tests/hostile", &[]);
    home.package("no-manifest-key", "tests/slip", "1.0.0", "keeper", "deadlin = 5\n");
    home.package("cut", "tests/cut", "1.0.0", "keeper", "");
    home.write("skills/cut/keeper.wasm", &component("keeper")[..1000]);
    home.package("missing", "tests/missing", "1.0.0", "keeper", "");
    std::fs::remove_file(home.path("skills/missing/keeper.wasm")).unwrap();
    home.write("skills/not-text/skill.toml", [0xff, 0xfe]);
    let server = home.serve();
    let page = server.get("/v1/skills").ok();
    assert_eq!(ids(&page), ["tests/hostile"]);
    let broken = page["broken"].as_array().unwrap();
    let packages: Vec<_> = broken.iter().map(|broken| broken["package"].as_str().unwrap()).collect();
    assert_eq!(packages, ["cut", "missing", "no-manifest-key", "not-text"]);
    assert!(broken[2]["error"].as_str().unwrap().contains("deadlin"), "{page}");
    // Where the host keeps its skills is no client's business.
    let folder = home.path("").to_str().unwrap().to_owned();
    assert!(!page.to_string().contains(folder.trim_end_matches('/')), "{page}");
    assert_eq!(server.execute("tests/hostile", "echo", &json!({ "text": "fine" })).output(), "fine");
    let problem = server.execute("tests/cut", "get", &json!({ "key": "k" })).problem("broken-skill");
    assert!(!problem.to_string().contains(folder.trim_end_matches('/')), "{problem}");
    let ready = server.by(None).get("/readyz").ok();
    assert_eq!((&ready["skills"], &ready["broken"]), (&json!(1), &json!(4)));
}
