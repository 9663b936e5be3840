//! Packages that change while the server runs.

use std::fs;

use serde_json::{Value, json};

use crate::client::Client;
use crate::host::{Home, component, eventually};

fn ids(client: &Client) -> Vec<String> {
    let page = client.get("/v1/skills").ok();
    page["skills"].as_array().unwrap().iter().map(|skill| skill["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn packages_come_and_go() {
    let home = Home::new();
    home.guest("hostile", "").grant("tests/hostile", &[]);
    let server = home.serve();
    assert_eq!(ids(&server), ["tests/hostile"]);
    home.guest("keeper", "");
    eventually("the new package is there", || (ids(&server) == ["tests/hostile", "tests/keeper"]).then_some(()));
    home.grant("tests/keeper", &[]);
    eventually("it can be called", || {
        (server.execute("tests/keeper", "setting", &json!({ "key": "k" })).status == 200).then_some(())
    });
    fs::remove_dir_all(home.path("skills/keeper")).unwrap();
    eventually("the package is gone", || (ids(&server) == ["tests/hostile"]).then_some(()));
    server.execute("tests/keeper", "keys", &json!({})).problem("unknown-skill");
    assert_eq!(server.execute("tests/hostile", "echo", &json!({ "text": "on" })).output(), "on");
    // It has its grant still when it comes back with the same bytes.
    home.guest("keeper", "");
    eventually("it is back", || {
        (server.execute("tests/keeper", "setting", &json!({ "key": "k" })).status == 200).then_some(())
    });
}

#[test]
fn new_bytes_have_no_grant() {
    let home = Home::new();
    home.package("tool", "tests/tool", "1.0.0", "hostile", "").grant("tests/tool", &[]);
    let server = home.serve();
    server.execute("tests/tool", "echo", &json!({ "text": "" })).ok();
    let before = server.get("/v1/skills/tests/tool").ok()["digest"].clone();
    // The same name and version, other code: as an update, or an attack, would do it.
    home.write("skills/tool/hostile.wasm.new", component("keeper"));
    fs::rename(home.path("skills/tool/hostile.wasm.new"), home.path("skills/tool/hostile.wasm")).unwrap();
    let after = eventually("the new bytes are known", || {
        let detail = server.get("/v1/skills/tests/tool").ok();
        (detail["digest"] != before).then_some(detail)
    });
    let setting = json!({ "tool": "setting", "arguments": { "key": "k" } });
    let problem = server.execute_with("tests/tool", &[], &setting).problem("grant-suspended");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains(before.as_str().unwrap()) && detail.contains(after["digest"].as_str().unwrap()),
        "{detail}"
    );
    home.grant("tests/tool", &[]);
    eventually("the new bytes are granted", || {
        (server.execute_with("tests/tool", &[], &setting).status == 200).then_some(())
    });
}

#[test]
fn a_package_that_breaks_is_told_and_one_that_is_repaired_works() {
    let home = Home::new();
    home.guest("hostile", "").guest("keeper", "").grant("tests/hostile", &[]).grant("tests/keeper", &[]);
    let server = home.serve();
    let manifest = fs::read_to_string(home.path("skills/keeper/skill.toml")).unwrap();
    home.write("skills/keeper/skill.toml", format!("{manifest}colour = \"red\"\n"));
    let broken = eventually("the package is broken", || {
        let page = server.get("/v1/skills").ok();
        (page["broken"].as_array().unwrap().len() == 1).then(|| page["broken"][0].clone())
    });
    assert!(broken["error"].as_str().unwrap().contains("colour"), "{broken}");
    let answer = server.execute("tests/keeper", "setting", &json!({ "key": "k" }));
    // A manifest that can't be read names no skill.
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert_eq!(server.execute("tests/hostile", "echo", &json!({ "text": "on" })).output(), "on");
    home.write("skills/keeper/skill.toml", manifest);
    eventually("the package works", || {
        (server.execute("tests/keeper", "setting", &json!({ "key": "k" })).status == 200).then_some(())
    });
}

#[test]
fn the_generation_counts_changes() {
    let home = Home::new();
    home.guest("hostile", "");
    let server = home.serve();
    let generation = || server.get("/readyz").ok()["generation"].clone();
    let first: Value = generation();
    home.prompt("advice");
    eventually("a change is counted", || (generation().as_u64() > first.as_u64()).then_some(()));
}

#[test]
fn a_granted_folder_that_is_gone_is_told_without_its_path() {
    let home = Home::new();
    let folder = home.path("docs");
    fs::create_dir(&folder).unwrap();
    home.write("docs/a.txt", "hello");
    home.skill("files").grant("bailiwick/files", &["--fs", &format!("{}:/work", folder.display())]);
    let server = home.serve();
    let read = || server.execute("bailiwick/files", "read", &json!({ "path": "/work/a.txt" }));
    assert!(read().output().to_string().contains("hello"));
    fs::remove_dir_all(&folder).unwrap();
    let problem = read().problem("mount-failed");
    let host = folder.to_str().unwrap();
    assert!(problem.to_string().contains("/work") && !problem.to_string().contains(host), "{problem}");
    fs::create_dir(&folder).unwrap();
    home.write("docs/a.txt", "again");
    assert!(read().output().to_string().contains("again"));
}
