//! The audit chain as its readers meet it.

use std::fs;

use serde_json::{Value, json};

use crate::host::{Home, eventually};

fn home() -> Home {
    let home = Home::new();
    home.guest("hostile", "").grant("tests/hostile", &["--reason", "for the tests"]);
    home
}

#[test]
fn who_did_what_when_is_listed_and_searched() {
    let home = home();
    let server = home.serve();
    let token = home.key("auditor", &["audit:read"]);
    let auditor = server.by(Some(&token));
    eventually("the key is known", || (auditor.get("/v1/audit/key").status == 200).then_some(()));
    server.get("/v1/audit").problem("forbidden-scope");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let body = json!({ "tool": "echo", "arguments": { "text": "a secret word" } });
    let called = server.execute_with("tests/hostile", &[("traceparent", trace)], &body).ok();
    server.execute("tests/hostile", "trap", &json!({})).problem("guest-trapped");
    let page = auditor.get("/v1/audit?trace_id=4bf92f3577b34da6a3ce929d0e0e4736").ok();
    let [record] = page["records"].as_array().unwrap().as_slice() else { panic!("{page}") };
    let record = &record["record"];
    assert_eq!(record["receipt"], called["receipt"]["id"]);
    assert_eq!((&record["principal"], &record["skill"]), (&json!("key:e2e"), &json!("tests/hostile")));
    assert_eq!(record["arguments"], called["receipt"]["arguments"]);
    let kinds = |query: &str| {
        let page = auditor.get(&format!("/v1/audit?{query}")).ok();
        let records = page["records"].as_array().unwrap().clone();
        records.iter().map(|it| it["record"]["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds("outcome=guest-trapped"), ["call"]);
    assert_eq!(kinds("kind=grant-given&skill=tests/hostile"), ["grant-given"]);
    assert_eq!(kinds("principal=key:nobody"), Vec::<String>::new());
    assert_eq!(kinds("since=2999-01-01T00:00:00Z"), Vec::<String>::new());
    assert!(!kinds("until=2999-01-01T00:00:00Z").is_empty());
    let first = auditor.get("/v1/audit?limit=1").ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = auditor.get(&format!("/v1/audit?limit=1&cursor={cursor}")).ok();
    assert_eq!(second["records"][0]["record"]["prev"], first["records"][0]["hash"]);
    for wrong in ["limit=0", "cursor=x", "since=yesterday", "colour=red"] {
        auditor.get(&format!("/v1/audit?{wrong}")).problem("invalid-query");
    }
    let whole = auditor.get("/v1/audit/export").text();
    assert!(!whole.contains("a secret word"), "arguments are not in it");
}

#[test]
fn an_export_is_checked_offline_and_every_change_is_found() {
    let home = home();
    let server = home.serve();
    for text in ["a", "b", "c"] {
        server.execute("tests/hostile", "echo", &json!({ "text": text })).ok();
    }
    server.kill();
    let file = home.path("log.jsonl");
    let path = file.to_str().unwrap();
    home.run(&["audit", "export", path]).expect(0);
    let key = home.run(&["audit", "key"]).expect(0).stdout;
    let verify = |text: &str| {
        fs::write(&file, text).unwrap();
        home.run(&["audit", "verify", path, "--key", key.trim()])
    };
    let text = fs::read_to_string(&file).unwrap();
    assert!(verify(&text).expect(0).stdout.contains("no record was edited"));
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + if lines.is_empty() { "" } else { "\n" };
    let found = |text: &str, says: &str| {
        let ran = verify(text).expect(4);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    };
    found(&text.replacen("tests/hostile", "tests/hostilf", 1), "line 1: record 1 has been edited");
    // Two records behind the last checkpoint but that of the end.
    let last = lines.len() - 2;
    found(&joined(&[&lines[..last - 1], &lines[last..]].concat()), "removed");
    let mut swapped = lines.clone();
    swapped.swap(last - 1, last);
    found(&joined(&swapped), "reordered");
    found(&joined(&lines[..lines.len() - 1]), "tail was cut off");
    let other = "ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    fs::write(&file, &text).unwrap();
    assert!(home.run(&["audit", "verify", path, "--key", other]).expect(4).stderr.contains("not signed by"));
    home.run(&["audit", "verify", path, "--key", "x"]).expect(2);
    let fed = home.feed(&["--json", "audit", "verify", "-"], &text).expect(0).json();
    assert_eq!((&fed["kinds"]["call"], &fed["key_was_given"]), (&json!(3), &json!(false)));
    home.run(&["audit", "verify"]).expect(0);
}

#[test]
fn one_page_tells_a_reviewer_what_a_skill_can_not_do_and_has_not_used() {
    let home = Home::new();
    let work = home.path("work");
    fs::create_dir(&work).unwrap();
    home.write("work/a.txt", "hello");
    home.skill("files").skill("calculate");
    home.grant("bailiwick/files", &["--fs", &format!("{}:/work/read:ro", work.display())]);
    home.run(&["skills", "run", "bailiwick/files", "read", "--arg", "path=/work/read/a.txt"]).expect(0);
    let html = home.path("page.html");
    let ran = home.run(&["--json", "audit", "skill", "bailiwick/files", "--html", html.to_str().unwrap()]).expect(0);
    let review = ran.json();
    let reach = |capability: &str| {
        let reach = review["reach"].as_array().unwrap().iter().find(|it| it["capability"] == capability).unwrap();
        reach["imported"].as_bool().unwrap()
    };
    assert!(reach("files") && !reach("requests") && !reach("state"), "{review}");
    assert_eq!(review["grant"]["terms"][0]["used"], 1);
    assert_eq!(review["could_lose"], json!([]));
    assert_eq!((&review["history"]["calls"], &review["problem"]), (&json!(1), &Value::Null));
    assert!(fs::read_to_string(html).unwrap().contains("What it can reach at all"));
    let text = home.run(&["audit", "skill", "bailiwick/calculate"]).expect(0).stdout;
    assert!(text.contains("not granted") && text.contains("it can read and write no file"), "{text}");
    home.run(&["audit", "skill", "bailiwick/none"]).expect(3);
    // What was granted since, and no call has used, is offered to be taken away.
    fs::create_dir(home.path("more")).unwrap();
    let (read, more) =
        (format!("{}:/work/read:rw", work.display()), format!("{}:/work/more", home.path("more").display()));
    home.grant("bailiwick/files", &["--fs", &read, "--fs", &more]);
    let review = home.run(&["--json", "audit", "skill", "bailiwick/files"]).expect(0).json();
    assert_eq!(review["could_lose"], json!(["--read-only /work/read", "--fs /work/more"]));
    home.run(&["grant", "narrow", "bailiwick/files", "--read-only", "/work/read", "--fs", "/work/more"]).expect(0);
    let review = home.run(&["--json", "audit", "skill", "bailiwick/files"]).expect(0).json();
    assert_eq!(review["could_lose"], json!([]));
    let list = home.run(&["audit", "list", "--kind", "call"]).expect(0).stdout;
    assert!(list.contains("bailiwick/files") && list.contains("cli:tester"), "{list}");
}

#[test]
fn new_bytes_are_reviewed_and_accepted_as_they_were_shown() {
    let home = Home::new();
    home.package("p", "tests/p", "1.0.0", "hostile", "[permissions]\nstate = true\n").grant("tests/p", &["--state"]);
    let server = home.serve();
    let run = ["skills", "run", "tests/p", "echo", "--arg", "text=a"];
    home.run(&run).expect(0);
    fs::remove_dir_all(home.path("skills/p")).unwrap();
    home.package("p", "tests/p", "1.1.0", "keeper", "[permissions]\nstate = true\nconfig = [\"x\"]\n");
    eventually("the new bytes are there", || {
        let review = home.run(&["--json", "grant", "review", "tests/p"]);
        (review.code == 0).then_some(())
    });
    let review = home.run(&["--json", "grant", "review", "tests/p"]).expect(0).json();
    let difference = &review["difference"];
    assert!(difference["imports_added"].to_string().contains("wasi:keyvalue/"), "{difference}");
    assert_eq!(difference["asked_added"], json!(["setting x"]));
    assert_eq!(difference["version"], "1.0.0");
    let old = difference["digest"].as_str().unwrap();
    home.run(&["grant", "accept", "tests/p", "--digest", old]).expect(2);
    let new = review["digest"].as_str().unwrap();
    let accepted = home.run(&["grant", "accept", "tests/p", "--digest", new]).expect(0).stdout;
    assert!(accepted.contains("durable state"), "{accepted}");
    let text = home.run(&["grant", "review", "tests/p"]).expect(0).stdout;
    assert!(!text.contains("suspended"), "{text}");
    server.stop();
}

#[test]
fn grants_are_given_narrowed_and_taken_back_over_rest() {
    let home = home();
    let server = home.serve();
    let token = home.key("admin", &["admin"]);
    let admin = server.by(Some(&token));
    eventually("the key is known", || (admin.get("/v1/grants").status == 200).then_some(()));
    server.get("/v1/grants").problem("forbidden-scope");
    let listed = admin.get("/v1/grants").ok();
    let digest = listed["grants"][0]["digest"].as_str().unwrap();
    let path = "/v1/grants/tests/hostile";
    let put = |body: &Value| {
        admin.send("PUT", path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
    };
    let given = put(&json!({ "digest": digest, "reason": "over rest", "one_shot": true })).ok();
    assert_eq!((&given["giver"], &given["one_shot"]), (&json!("key:admin"), &json!(true)));
    let echo = || server.execute("tests/hostile", "echo", &json!({ "text": "a" }));
    echo().ok();
    echo().problem("grant-used-up");
    put(&json!({ "digest": digest, "giver": "somebody else" })).problem("invalid-request");
    put(&json!({ "digest": digest.replace(['0', '1'], "2") })).problem("grant-conflict");
    put(&json!({ "digest": digest, "state": true })).problem("invalid-grant");
    put(&json!({ "digest": digest })).ok();
    echo().ok();
    let narrow = json!({ "limits": { "memory": "1 MiB" } });
    let narrowed =
        admin.send("PATCH", path, &[("content-type", "application/json")], Some(narrow.to_string().as_bytes())).ok();
    assert_eq!(narrowed["limits"]["memory"], "1 MiB");
    let export = admin.get("/v1/grants/export").ok();
    admin.send("DELETE", path, &[], None).ok();
    echo().problem("not-granted");
    admin.send("DELETE", path, &[], None).problem("unknown-grant");
    admin.post("/v1/grants/import", &export).ok();
    assert_eq!(admin.get("/v1/grants").ok()["grants"][0]["limits"]["memory"], "1 MiB");
    echo().problem("memory-exhausted");
}
