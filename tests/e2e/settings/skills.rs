//! The keys of `[skills]`.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::host::Home;
use crate::web::Web;

fn list(home: &Home) -> Value {
    home.run(&["--json", "skills", "list"]).expect(0).json()
}

fn ids(list: &Value) -> Vec<&str> {
    list["skills"].as_array().unwrap().iter().map(|skill| skill["id"].as_str().unwrap()).collect()
}

#[test]
pub(super) fn skills_are_read_from_every_configured_folder() {
    let home = Home::with("[skills]\ndirectories = [\"mine\", \"theirs\"]\n");
    home.prompt("a").prompt("b").prompt("c");
    for (name, folder) in [("a", "mine"), ("b", "theirs")] {
        fs::create_dir_all(home.path(folder)).unwrap();
        fs::rename(home.path("skills").join(name), home.path(folder).join(name)).unwrap();
    }
    assert_eq!(ids(&list(&home)), ["local/a", "local/b"]);
    fs::remove_dir_all(home.path("theirs")).unwrap();
    let list = list(&home);
    assert_eq!(ids(&list), ["local/a"]);
    assert!(list["broken"][0]["error"].as_str().unwrap().contains("theirs"), "{list}");
    // Where nothing is configured, `skills` beside the configuration is read.
    let home = Home::new();
    home.prompt("c");
    assert_eq!(ids(&self::list(&home)), ["local/c"]);
}

#[test]
pub(super) fn slips_in_manifests_are_errors_unless_told_otherwise() {
    let manifest = "colour = \"red\"\n[limits]\nfuel = \"1000\"\n";
    let strict = Home::with("[skills]\nstrict_validation = true\n");
    strict.guest("hostile", manifest);
    let found = list(&strict);
    assert_eq!(ids(&found), Vec::<&str>::new());
    assert!(found["broken"][0]["error"].as_str().unwrap().contains("colour"), "{found}");
    let lenient = Home::with("[skills]\nstrict_validation = false\n");
    lenient.guest("hostile", manifest);
    let found = list(&lenient);
    assert_eq!((ids(&found), &found["broken"]), (vec!["tests/hostile"], &json!([])));
    let warnings = found["skills"][0]["warnings"].to_string();
    assert!(warnings.contains("colour") && warnings.contains("fuel"), "{warnings}");
}

#[test]
pub(super) fn commands_may_be_asked_for_only_if_allowed() {
    let manifest = "[[permissions.shell]]\ncommand = [\"git\", \"status\"]\n";
    for allowed in [false, true] {
        let home = Home::with(&format!("[skills]\nallow_shell = {allowed}\n"));
        home.guest("hostile", manifest);
        let found = list(&home);
        if allowed {
            assert_eq!((ids(&found), &found["broken"]), (vec!["tests/hostile"], &json!([])));
        } else {
            assert_eq!(ids(&found), Vec::<&str>::new());
            assert!(found["broken"][0]["error"].as_str().unwrap().contains("shell"), "{found}");
        }
    }
}

#[test]
pub(super) fn configured_tags_need_an_approval_and_no_others() {
    let manifest = "[tools.echo]\nrisk_tags = [\"loud\"]\n[tools.count]\nrisk_tags = [\"destructive\"]\n";
    let run = |settings: &str, tool: &str, options: &[&str]| {
        let home = Home::with(settings);
        home.guest("hostile", manifest).grant("tests/hostile", options);
        let arguments = if tool == "echo" { r#"{"text":""}"# } else { "{}" };
        home.run(&["skills", "run", "tests/hostile", tool, "--args", arguments])
    };
    let configured = "[skills]\nrequire_approval_tags = [\"loud\"]\n";
    run("", "echo", &[]).expect(0);
    run("", "count", &[]).expect(4);
    let refused = run(configured, "echo", &[]).expect(4);
    assert!(refused.stderr.contains("loud"), "{}", refused.stderr);
    run(configured, "count", &[]).expect(0);
    run(configured, "echo", &["--accept-risk", "loud"]).expect(0);
}

#[test]
pub(super) fn what_the_host_denies_is_denied_whatever_was_granted() {
    let web = Web::start(&[("/page", 200, "text/plain", "hello")]);
    let fetch = |settings: &str| {
        let home = Home::with(settings);
        let rule = format!("GET http://127.0.0.1:{}", web.port());
        home.skill("http-fetch").grant("bailiwick/http-fetch", &["--http", &rule]);
        let url = format!("url={}", web.url("/page"));
        home.run(&["skills", "run", "bailiwick/http-fetch", "fetch", "--arg", &url])
    };
    for denied in ["127.0.0.1", "127.0.0.0/8", "*"] {
        let ran = fetch(&format!("[skills]\nhttp_deny = [\"{denied}\"]\n")).expect(5);
        assert!(ran.stderr.contains("the deny rule"), "{denied}: {}", ran.stderr);
    }
    assert_eq!(web.requests(), 0);
    fetch("[skills]\nhttp_deny = [\"10.0.0.0/8\", \"*.example.com\"]\n").expect(0);
    assert_eq!(web.requests(), 1);
}

#[test]
pub(super) fn calls_above_the_configured_number_are_refused() {
    let home = Home::with("[skills]\nmax_concurrent_calls = 1\n");
    home.guest("hostile", "[limits]\ndeadline = \"60 s\"\n").guest("keeper", "");
    home.grant("tests/hostile", &[]).grant("tests/keeper", &[]);
    let server = home.serve();
    let setting = || server.execute("tests/keeper", "setting", &json!({ "key": "k" }));
    setting().ok();
    thread::scope(|scope| {
        let long = scope.spawn(|| server.execute_when_free("tests/hostile", "sleep", &json!({ "millis": 6_000 })));
        let problem = server.wait_until_busy().problem("busy");
        assert!(problem["detail"].as_str().unwrap().contains("the host has 1 call"), "{problem}");
        // Over all skills, not only over the one that is called.
        setting().problem("busy");
        long.join().unwrap().ok();
    });
    setting().ok();
}

#[test]
pub(super) fn skills_call_skills_as_deep_as_is_configured() {
    for (most, code) in [(1, 0), (0, 5)] {
        let home = Home::with(&format!("[skills]\nmax_call_depth = {most}\n"));
        home.guest("driver", "[[permissions.skills]]\nid = \"tests/driver\"\n");
        home.grant("tests/driver", &["--skill-call", "tests/driver"]);
        let arguments = json!({ "skill": "tests/driver", "depth": 1 }).to_string();
        home.run(&["skills", "run", "tests/driver", "descend", "--args", &arguments]).expect(code);
    }
    let refused = Home::with("[skills]\nmax_call_depth = 17\n").run(&["skills", "list"]).expect(2);
    assert!(refused.stderr.contains("skills.max_call_depth"), "{refused:?}");
}

#[test]
pub(super) fn packages_that_change_are_left_alone_if_told_so() {
    let home = Home::with("[skills]\nwatch = false\n");
    home.prompt("a");
    let server = home.serve();
    home.prompt("b");
    // Ten times as long as a watching server waits for things to come to rest.
    thread::sleep(Duration::from_secs(3));
    assert_eq!(ids(&server.get("/v1/skills").ok()), ["local/a"]);
    server.stop();
    assert_eq!(ids(&home.serve().get("/v1/skills").ok()), ["local/a", "local/b"]);
}

#[test]
pub(super) fn workspaces_are_kept_for_as_long_as_configured() {
    let manifest = "[permissions]\nworkspace = true\n";
    let run = |retention: &str| {
        let home = Home::with(&format!("[skills]\nworkspace_retention = \"{retention}\"\n"));
        home.guest("filler", manifest).grant("tests/filler", &["--workspace"]);
        let write = ["path=/workspace/note", "bytes=4", "offset=0"].map(|it| ["--arg", it]).concat();
        home.run(&[&["skills", "run", "tests/filler", "write"], write.as_slice()].concat()).expect(0);
        home
    };
    let count = |home: &Home| std::fs::read_dir(home.path("data/workspaces")).unwrap().count();
    assert_eq!(count(&run("0 s")), 0);
    let home = run("1 s");
    let kept = std::fs::read_dir(home.path("data/workspaces")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_to_string(kept.join("files/note")).unwrap(), "xxxx");
    std::thread::sleep(std::time::Duration::from_millis(2500));
    home.run(&["skills", "list"]).expect(0);
    assert_eq!(count(&home), 0, "leftovers go at the next start");
}

#[test]
pub(super) fn approvals_hold_for_as_long_as_configured() {
    let home = Home::with("[skills]\napproval_lifetime = \"1 s\"\n");
    home.guest("hostile", "risk_tags = [\"destructive\"]\n").grant("tests/hostile", &[]);
    let run = ["skills", "run", "tests/hostile", "echo", "--arg", "text=a"];
    home.run(&run).expect(4);
    let id = home.run(&["--json", "approvals", "list"]).expect(0).json()["approvals"][0]["id"].clone();
    thread::sleep(Duration::from_millis(1100));
    let late = home.run(&["approvals", "approve", id.as_str().unwrap()]).expect(2);
    assert!(late.stderr.contains("expired"), "{}", late.stderr);
}

#[test]
pub(super) fn the_audit_log_is_signed_as_often_as_configured() {
    let home = Home::with("[audit]\ncheckpoint_every = \"50 ms\"\n");
    home.guest("hostile", "").grant("tests/hostile", &[]);
    let server = home.serve();
    let checkpoints = || home.run(&["--json", "audit", "verify"]).expect(0).json()["checkpoints"].as_u64().unwrap();
    for made in 2..4 {
        server.execute("tests/hostile", "echo", &json!({ "text": "" })).ok();
        crate::host::eventually("it is signed", || (checkpoints() >= made).then_some(()));
    }
    assert!(server.log().contains("audit checkpoint"), "{}", server.log());
    let rarely = Home::with("[audit]\ncheckpoint_every = \"1 h\"\n");
    rarely.guest("hostile", "").grant("tests/hostile", &[]);
    let server = rarely.serve();
    server.execute("tests/hostile", "echo", &json!({ "text": "" })).ok();
    thread::sleep(Duration::from_millis(300));
    // The first is made at the start, the last is the end of the export.
    assert_eq!(rarely.run(&["--json", "audit", "verify"]).expect(0).json()["checkpoints"], 2);
}
