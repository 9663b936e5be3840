//! Observe mode: what calls do on copies becomes the smallest permissions and grant,
//! and those are enough, and no more than enough.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value, json};

use crate::client::Client;
use crate::host::{Home, Ran, eventually};
use crate::web::Web;

/// Folders of notes, and a manifest that asks for nothing.
fn home(guest: &str) -> Home {
    let home = Home::with("[secrets.token]\nfile = \"token\"\n");
    let token = home.write("token", "a secret of the host");
    fs::set_permissions(token, fs::Permissions::from_mode(0o600)).unwrap();
    home.guest(guest, "");
    home.write("notes/in/a.txt", "first");
    home.write("notes/in/deep/b.txt", "second");
    home.write("notes/out/old.txt", "old");
    home.write("notes/private/c.txt", "private");
    home
}

/// Observes the calls within the options, puts the permissions into the manifest, and
/// gives the grant.
#[track_caller]
fn adopt(home: &Home, skill: &str, calls: &[(&str, Value)], options: &[&str]) -> Value {
    let line = |(tool, arguments): &(&str, Value)| json!({ "tool": tool, "arguments": arguments }).to_string();
    let lines = calls.iter().map(line).collect::<Vec<_>>().join("\n");
    home.write("calls.jsonl", lines);
    let fixed = ["--json", "skills", "observe", skill, "--calls", "calls.jsonl", "--save", "seen", "--update"];
    let observed = home.run(&[&fixed, options].concat()).expect(0).json();
    home.run(&["grant", "import", "seen/grant.toml"]).expect(0);
    observed
}

fn call(home: &Home, skill: &str, tool: &str, arguments: &Value) -> Ran {
    home.run(&["skills", "run", skill, tool, "--args", &arguments.to_string()])
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn folders_are_granted_as_far_as_they_were_touched() {
    let home = home("filler");
    let calls = [
        ("read", json!({ "path": "/work/in/a.txt" })),
        ("write", json!({ "path": "/work/out/new.txt", "bytes": 3000, "offset": 0 })),
    ];
    let observed = adopt(&home, "tests/filler", &calls, &["--fs", "notes:/work:rw"]);
    assert_eq!(observed["calls"][0]["output"], "first", "{observed}");
    assert_eq!(texts(&observed["missing"]), ["folder /work/in (read)", "folder /work/out (read-write)"]);
    assert!(!home.path("notes/out/new.txt").exists(), "what was written lay in a copy");
    let permissions: Value = toml_value(observed["permissions"].as_str().unwrap());
    assert_eq!(
        permissions["permissions"]["fs"],
        json!([
            { "root": "/work/in", "access": "read" },
            { "root": "/work/out", "access": "read-write", "max_bytes": "4 KiB", "max_files": 1 }
        ])
    );
    // It is enough.
    for (tool, arguments) in &calls {
        call(&home, "tests/filler", tool, arguments).expect(0);
    }
    assert!(home.path("notes/out/new.txt").exists());
    // And no more than enough.
    call(&home, "tests/filler", "read", &json!({ "path": "/work/private/c.txt" })).expect(5);
    call(&home, "tests/filler", "write", &json!({ "path": "/work/in/x", "bytes": 1, "offset": 0 })).expect(5);
    let too_much = call(&home, "tests/filler", "write", &json!({ "path": "/work/out/x", "bytes": 5000, "offset": 0 }));
    assert!(too_much.expect(5).stderr.contains("quota"));
}

#[test]
fn nothing_stays_of_what_was_observed() {
    let home = home("keeper");
    let calls = [
        ("put", json!({ "key": "k", "value": "v" })),
        ("get", json!({ "key": "k" })),
        ("setting", json!({ "key": "mode" })),
        ("setting", json!({ "key": "region" })),
    ];
    let observed =
        adopt(&home, "tests/keeper", &calls, &["--setting", "mode=fast", "--setting", "unread=x", "--state"]);
    assert_eq!(observed["calls"][1]["output"], "v", "calls of one observation share their state");
    assert_eq!(texts(&observed["touched"]), ["state", "setting mode", "setting region"]);
    assert_eq!(texts(&observed["missing"]), ["durable state", "setting mode", "setting region"]);
    let note = "it asked for the setting region, which was not given";
    assert_eq!(texts(&observed["notes"]), [note]);
    assert!(!observed["grant"].as_str().unwrap().contains("unread"), "{observed}");
    let kept = call(&home, "tests/keeper", "get", &json!({ "key": "k" })).expect(0);
    assert_eq!(kept.stdout.trim(), "null", "the state of the observation is gone");
    assert_eq!(call(&home, "tests/keeper", "setting", &json!({ "key": "mode" })).expect(0).stdout.trim(), "fast");
}

#[test]
fn copies_are_gone_with_the_answer_also_where_workspaces_are_kept() {
    let home = Home::with("[skills]\nworkspace_retention = \"10 min\"\n");
    home.guest("filler", "");
    home.write("notes/in/a.txt", "first");
    let write = json!({ "path": "/workspace/x", "bytes": 3, "offset": 0 }).to_string();
    let arguments = ["--json", "skills", "observe", "tests/filler", "write", "--args", &write, "--fs", "notes:/work"];
    let observed = home.run(&arguments).expect(0).json();
    assert_eq!(observed["calls"][0]["outcome"], "succeeded", "{observed}");
    let leftovers = fs::read_dir(home.path("data/workspaces")).map_or(0, Iterator::count);
    assert_eq!(leftovers, 0, "neither the copies nor the workspace are kept");
}

#[test]
fn what_the_bounds_lack_is_seen_and_not_granted() {
    let home = home("keeper");
    let put = json!({ "key": "k", "value": "v" }).to_string();
    let observe = ["--json", "skills", "observe", "tests/keeper", "put", "--args", &put];
    let observed = home.run(&observe).expect(0).json();
    assert_eq!(texts(&observed["missing"]), ["durable state"], "it was tried on one that is gone");
    assert_eq!(texts(&observed["notes"]), ["durable state was used and not given: give it with `--state`"]);
    assert!(toml_value(observed["grant"].as_str().unwrap())["grant"][0].get("state").is_none(), "{observed}");
    let observed = home.run(&[&observe[..], &["--state"]].concat()).expect(0).json();
    assert!(toml_value(observed["grant"].as_str().unwrap())["grant"][0].get("state").is_some(), "{observed}");
    assert_eq!(texts(&observed["notes"]).len(), 0);
    // Rules for requests stay within the bounds too, where paths would be taken together.
    let courier = self::home("courier");
    let web = Web::start(&[("/v1/7/items", 200, "text/plain", "items")]);
    let send = json!({ "url": web.url("/v1/7/items"), "headers": [] }).to_string();
    let bound = format!("{}/v1/*/items", web.url(""));
    let observe = ["--json", "skills", "observe", "tests/courier", "send", "--args", &send, "--http", &bound];
    let observed = courier.run(&observe).expect(0).json();
    let rule = format!("requests GET {} below /v1/*/items", web.url(""));
    assert_eq!(texts(&observed["missing"]), [rule.as_str()], "{observed}");
}

#[test]
fn requests_and_secrets_are_granted_as_they_were_sent() {
    let home = home("courier");
    let web = Web::start(&[("/v1/items", 200, "text/plain", "items"), ("/v1/other", 200, "text/plain", "other")]);
    let headers = json!([{ "name": "authorization", "value": "Bearer {{secret:token}}" }]);
    let calls = [
        ("send", json!({ "url": web.url("/v1/items"), "headers": headers })),
        ("send", json!({ "url": web.url("/v1/items"), "headers": [], "body": "x" })),
    ];
    let (rule, secret) = (web.url(""), format!("token=127.0.0.1:{}", web.port()));
    let observed = adopt(&home, "tests/courier", &calls, &["--http", &rule, "--secret", &secret]);
    assert_eq!(observed["calls"][0]["output"]["body"], "items", "{observed}");
    let rule = format!("requests GET,POST {} below /v1/items", web.url(""));
    assert_eq!(texts(&observed["missing"]), [rule.as_str(), "secret token"]);
    for (tool, arguments) in &calls {
        call(&home, "tests/courier", tool, arguments).expect(0);
    }
    let sent = web.requests();
    let other = json!({ "url": web.url("/v1/other"), "headers": [] });
    call(&home, "tests/courier", "send", &other).expect(5);
    assert_eq!(web.requests(), sent, "the other path was not asked for");
    let whole = fs::read_to_string(home.path("seen/grant.toml")).unwrap() + &observed.to_string();
    assert!(!whole.contains("a secret of the host"));
}

#[test]
fn nothing_is_touched_beyond_the_bounds() {
    let home = home("courier");
    let web = Web::start(&[("/", 200, "text/plain", "never")]);
    let call = json!({ "url": web.url("/"), "headers": [] }).to_string();
    let observed =
        home.run(&["--json", "skills", "observe", "tests/courier", "send", "--args", &call]).expect(0).json();
    assert_eq!(observed["calls"][0]["outcome"], "failed");
    assert_eq!(observed["calls"][0]["denials"][0]["capability"], "http", "{observed}");
    assert_eq!((web.requests(), texts(&observed["touched"]).len()), (0, 0));
    assert_eq!(observed["permissions"], "[permissions]\n");
    // What the host denies, bounds do not allow.
    let denying = Home::with("[skills]\nhttp_deny = [\"127.0.0.1\"]\n");
    denying.guest("courier", "");
    let arguments = ["--json", "skills", "observe", "tests/courier", "send", "--args", &call, "--http", &web.url("")];
    let observed = denying.run(&arguments).expect(0).json();
    assert_eq!((web.requests(), &observed["calls"][0]["outcome"]), (0, &json!("failed")), "{observed}");
}

#[test]
fn bounds_are_checked_like_a_grant() {
    let home = home("filler");
    symlink(home.path("notes/private"), home.path("notes/in/link")).unwrap();
    for (options, says) in [
        (vec!["--fs", "data:/work"], "holds the grants"),
        (vec!["--fs", "notes:/work", "--fs", "notes/in:/work/in"], "overlap"),
        (vec!["--fs", "nowhere:/work"], "nowhere"),
        (vec!["--accept-risk", "destructive"], "destructive"),
        (vec!["--expires", "0 s"], "past"),
    ] {
        let arguments = ["skills", "observe", "tests/filler", "read", "--arg", "path=/work/in/a.txt"];
        let failed = home.run(&[&arguments, &options[..]].concat());
        assert!(failed.code == 2 && failed.stderr.contains(says), "{options:?}: {failed:?}");
    }
    // A folder of skills may be looked at, because only its copy is written to.
    let arguments = ["skills", "observe", "tests/filler", "write", "--args"];
    let write = json!({ "path": "/work/filler/skill.toml", "bytes": 1, "offset": 0 }).to_string();
    let before = fs::read(home.path("skills/filler/skill.toml")).unwrap();
    home.run(&[&arguments, &[write.as_str(), "--fs", "skills:/work:rw"][..]].concat()).expect(0);
    assert_eq!(fs::read(home.path("skills/filler/skill.toml")).unwrap(), before);
    // Links lead nowhere, because they are not copied.
    let read = ["--json", "skills", "observe", "tests/filler", "read", "--arg", "path=/work/in/link/c.txt", "--fs"];
    let observed = home.run(&[&read, &["notes:/work"][..]].concat()).expect(0).json();
    assert_eq!(observed["calls"][0]["outcome"], "failed", "{observed}");
    assert!(texts(&observed["notes"])[0].starts_with("1 symlinks"), "{observed}");
    // And the grant is for the folder that the link lies in, not for what it leads to.
    assert_eq!(texts(&observed["missing"]), ["folder /work/in (read)"]);
    let grant = toml_value(observed["grant"].as_str().unwrap());
    let granted = &grant["grant"][0]["fs"];
    assert_eq!(granted[0]["host"], home.path("notes/in").canonicalize().unwrap().to_str().unwrap(), "{grant}");
    assert_eq!(granted.as_array().unwrap().len(), 1, "{grant}");
}

#[test]
fn a_skill_that_makes_links_is_granted_the_root() {
    let home = home("filler");
    let link = json!({ "target": "a.txt", "new": "/work/in/link" }).to_string();
    let observe = ["--json", "skills", "observe", "tests/filler", "symlink", "--args", &link, "--fs", "notes:/work:rw"];
    let observed = home.run(&observe).expect(0).json();
    assert_eq!(observed["calls"][0]["outcome"], "succeeded", "{observed}");
    assert_eq!(texts(&observed["missing"]), ["folder /work (read-write)"], "names tell no more where things lie");
}

#[test]
fn a_file_of_calls_is_read_as_a_whole_or_not_at_all() {
    let home = home("filler");
    // Cut at 4 MiB it would be one call.
    let call = json!({ "tool": "read", "arguments": { "path": "/work/in/a.txt" } }).to_string();
    home.write("calls.jsonl", format!("{call}{}{call}\n", "\n".repeat(4 << 20)));
    let failed = home.run(&["skills", "observe", "tests/filler", "--calls", "calls.jsonl", "--fs", "notes:/work"]);
    assert!(failed.code != 0 && failed.stderr.contains("larger than 4 MiB"), "{failed:?}");
}

#[test]
fn the_limits_of_the_bounds_hold_and_go_into_the_grant() {
    let home = home("filler");
    let look = json!({ "path": "/work/in/a.txt", "times": 1000 }).to_string();
    let arguments = ["--json", "skills", "observe", "tests/filler", "look", "--args", &look, "--fs", "notes:/work"];
    let free = home.run(&arguments).expect(0).json();
    assert_eq!(free["calls"][0]["outcome"], "succeeded", "{free}");
    let bound = home.run(&[&arguments[..], &["--host-calls", "100"]].concat()).expect(0).json();
    assert_ne!(bound["calls"][0]["outcome"], "succeeded", "{bound}");
    assert!(bound["calls"][0].to_string().contains("host_calls"), "{bound}");
    assert!(bound["grant"].as_str().unwrap().contains("host_calls = 100"), "{bound}");
}

#[test]
fn a_risk_is_accepted_before_it_is_observed() {
    let home = home("filler");
    home.package("risky", "tests/risky", "1.0.0", "filler", "risk_tags = [\"destructive\"]\n");
    let arguments = ["skills", "observe", "tests/risky", "read", "--arg", "path=/work/in/a.txt", "--fs", "notes:/work"];
    let refused = home.run(&arguments).expect(4);
    assert!(refused.stderr.contains("destructive"), "{refused:?}");
    home.run(&[&arguments[..], &["--accept-risk", "destructive"]].concat()).expect(0);
}

#[test]
fn observing_is_for_administrators_and_on_record() {
    let home = home("filler");
    let (admin, reader) = (home.key("admin", &["admin"]), home.key("reader", &["skills:execute", "audit:read"]));
    let server = home.serve();
    let (admin, reader) = (server.by(Some(&admin)), server.by(Some(&reader)));
    eventually("the keys are known", || (reader.get("/v1/audit").status == 200).then_some(()));
    let path = "/v1/skills/tests/filler/observe";
    let digest = admin.get("/v1/skills/tests/filler").ok()["digest"].clone();
    let within = json!({ "digest": digest, "fs": [{ "root": "/work", "host": home.path("notes"), "access": "read" }] });
    let body = |within: &Value, calls: usize| {
        let call = json!({ "tool": "read", "arguments": { "path": "/work/in/a.txt" } });
        json!({ "within": within, "calls": vec![call; calls] })
    };
    reader.post(path, &body(&within, 1)).problem("forbidden-scope");
    let observed = admin.post(path, &body(&within, 2)).ok();
    assert_eq!(observed["calls"].as_array().unwrap().len(), 2);
    for (calls, says) in [(0, "expected 1 to 100"), (101, "expected 1 to 100")] {
        let problem = admin.post(path, &body(&within, calls)).problem("invalid-request");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
    let other = json!({ "digest": format!("sha256:{}", "0".repeat(64)) });
    admin.post(path, &body(&other, 1)).problem("grant-conflict");
    let unknown = json!({ "digest": digest, "folders": [] });
    admin.post(path, &body(&unknown, 1)).problem("invalid-request");
    let kinds = records(&reader, "skill=tests/filler");
    let kinds: Vec<_> = kinds.iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["observation-begun", "observation-ended"], "and no call, so that no history is coloured");
    let [begun] = &records(&reader, "kind=observation-begun")[..] else { panic!("one") };
    assert_eq!((&begun["principal"], &begun["calls"]), (&json!("key:admin"), &json!(2)));
    assert_eq!(begun["within"]["fs"][0]["root"], "/work", "{begun}");
    assert_eq!((&begun["planned"][1]["tool"], begun["planned"].as_array().unwrap().len()), (&json!("read"), 2));
    let [ended] = &records(&reader, "kind=observation-ended")[..] else { panic!("one") };
    assert_eq!((&ended["outcome"], &ended["observed"][0]["outcome"]), (&json!("completed"), &json!("succeeded")));
    assert_eq!(ended["observed"][0]["arguments"], begun["planned"][0]["arguments"]);
    assert_eq!(ended["observed"][0]["used"], json!(["fs /work read"]), "{ended}");
}

#[test]
fn every_skill_that_ships_runs_with_the_grant_that_it_was_seen_to_need() {
    let home = Home::new();
    home.skill("files");
    home.write("notes/in/a.md", "one\ntwo\n");
    home.write("notes/other/b.md", "three\n");
    let calls = [
        ("read", json!({ "path": "/work/in/a.md" })),
        ("list", json!({ "path": "/work/in" })),
        ("search", json!({ "path": "/work/in", "pattern": "tw." })),
    ];
    let observed = adopt(&home, "bailiwick/files", &calls, &["--fs", "notes:/work:rw"]);
    assert!(texts(&observed["unneeded"]).contains(&"writing below /work"), "{observed}");
    for (tool, arguments) in &calls {
        call(&home, "bailiwick/files", tool, arguments).expect(0);
    }
    call(&home, "bailiwick/files", "read", &json!({ "path": "/work/other/b.md" })).expect(5);
    // It is read only, and the risk of writing was accepted by nobody.
    call(&home, "bailiwick/files", "write", &json!({ "path": "/work/in/a.md", "content": "x" })).expect(4);
    let told = home.run(&["skills", "observe", "bailiwick/files", "list-roots", "--fs", "notes:/work"]).expect(0);
    assert!(told.stdout.contains("The smallest grant") && told.stderr.contains("--save"), "{told:?}");
}

fn records(auditor: &Client, query: &str) -> Vec<Value> {
    let page = auditor.get(&format!("/v1/audit?{query}")).ok();
    page["records"].as_array().unwrap().iter().map(|entry| entry["record"].clone()).collect()
}

fn toml_value(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap();
    serde_json::to_value(table).unwrap()
}
