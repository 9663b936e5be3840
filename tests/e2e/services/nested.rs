//! Calls of other skills: under the grant of the called, with what the caller has left.

use std::fs;

use serde_json::{Value, json};

use super::{call, driver, failure, run};
use crate::host::{Home, eventually};

const CALCULATE: &str = "bailiwick/calculate";
const FILES: &str = "bailiwick/files";

/// The records of calls, as the audit log has them.
fn records(home: &Home) -> Vec<Value> {
    let lines = home.run(&["audit", "export"]).expect(0).stdout;
    let records = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let bodies = records.map(|record| match &record["record"] {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    });
    bodies.filter(|body| body["kind"] == "call").collect()
}

#[test]
fn a_called_skill_answers_and_its_record_names_its_caller() {
    let home = driver("", &[CALCULATE], "");
    home.skill("calculate").grant(CALCULATE, &[]);
    home.grant("tests/driver", &["--skill-call", CALCULATE]);
    let answer = call(&home, CALCULATE, "evaluate", &json!({ "expression": "6*7" })).expect(0).json();
    let output: Value = serde_json::from_str(answer["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["value"], "42");
    let records = records(&home);
    let (inner, outer) = (&records[0], &records[1]);
    assert_eq!((&inner["skill"], &outer["skill"]), (&json!(CALCULATE), &json!("tests/driver")));
    assert_eq!(inner["caller"], outer["receipt"], "{inner}");
    assert_eq!(inner["trace_id"], outer["trace_id"]);
    assert_eq!(inner["principal"], outer["principal"]);
    assert_eq!((&outer["usage"]["skill_calls"], &outer["caller"]), (&json!(1), &Value::Null));
    assert_eq!(outer["used"], json!([format!("skill {CALCULATE}")]));
}

/// The caller's grant gives the called nothing, and the called's gives the caller nothing.
#[test]
fn no_deputy_is_confused() {
    let home = driver("", &[FILES], "[[permissions.fs]]\nroot = \"/work\"\naccess = \"read\"\n");
    home.skill("files");
    home.write("of-caller/secret.txt", "the caller's");
    home.write("of-called/open.txt", "the called's");
    let read = |path: &str| call(&home, FILES, "read", &json!({ "path": path }));
    // The caller may read the folder and call the skill; the skill was granted nothing.
    home.grant(
        "tests/driver",
        &["--skill-call", FILES, "--fs", &format!("{}:/work", home.path("of-caller").display())],
    );
    assert!(failure(read("/work/secret.txt")).starts_with("denied: nothing is granted to `bailiwick/files`"));
    // The skill reads what was granted to it, and not what its caller may read.
    home.grant(FILES, &["--fs", &format!("{}:/work", home.path("of-called").display())]);
    let answer = read("/work/open.txt").expect(0).json();
    assert!(answer["output"].as_str().unwrap().contains("the called's"), "{answer}");
    let refused = failure(read("/work/secret.txt"));
    assert!(refused.starts_with("failed: "), "{refused}");
    // And who was not granted the call does not make it.
    home.run(&["grant", "narrow", "tests/driver", "--skill-call", FILES]).expect(0);
    assert_eq!(failure(read("/work/open.txt")), "denied: `bailiwick/files`: no granted skill is this one");
}

#[test]
fn a_skill_is_called_only_in_releases_that_manifest_and_grant_give() {
    let home = driver("", &[], "[[permissions.skills]]\nid = \"tests/filler\"\nversion = \"^1.1\"\n");
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        home.package(&format!("filler-{version}"), "tests/filler", version, "filler", "");
    }
    home.grant("tests/driver", &["--skill-call", "tests/filler@<1.2"]);
    let answer = |skill: &str| failure(call(&home, skill, "write", &json!({})));
    // The newest that both give is meant, so that what is told of is its grant.
    let said = answer("tests/filler");
    assert!(said.starts_with("denied: nothing is granted to"), "{said}");
    for other in ["tests/filler@1.0.0", "tests/filler@1.2.0", "tests/filler@^2"] {
        let said = answer(other);
        assert!(said.starts_with("not-found: "), "{other}: {said}");
    }
}

#[test]
fn a_grant_gives_no_skill_that_the_manifest_does_not_ask_for() {
    let home = driver("", &[CALCULATE], "");
    let refused = home.run(&["grant", "add", "tests/driver", "--skill-call", FILES]);
    assert_ne!(refused.code, 0);
    assert!(
        refused.stderr.contains("no `[[permissions.skills]]` of the manifest asks to call `bailiwick/files`"),
        "{refused:?}"
    );
    let refused = home.run(&["grant", "add", "tests/driver", "--model", "some"]);
    assert!(refused.stderr.contains("`models` in `[permissions]` of the manifest doesn't name `some`"), "{refused:?}");
}

#[test]
fn skills_call_skills_only_as_deep_as_the_host_lets_them() {
    for (most, depth, bottom) in [(2, 2, true), (2, 3, false), (0, 1, false)] {
        let home = driver(&format!("[skills]\nmax_call_depth = {most}\n"), &["tests/driver"], "");
        home.grant("tests/driver", &["--skill-call", "tests/driver"]);
        let ran = run(&home, "descend", &json!({ "skill": "tests/driver", "depth": depth }));
        if bottom {
            assert!(ran.expect(0).json()["output"].as_str().unwrap().contains("the bottom"));
        } else {
            let said = failure(ran);
            assert!(said.contains(&format!("at most {most} deep")), "{said}");
        }
    }
}

/// However a skill spreads its work over others, all of it counts against its limits.
#[test]
fn the_limits_of_the_caller_bind_all_that_it_calls() {
    let home = driver("", &["tests/driver"], "");
    home.grant("tests/driver", &["--skill-call", "tests/driver", "--fuel", "20000000"]);
    let spin = |n: u64| json!({ "skill": "tests/driver", "tool": "spin", "arguments": json!({ "n": n }).to_string() });
    let one = run(&home, "call", &json!({ "request": spin(10_000) })).expect(0).json();
    let fuel = one["receipt"]["usage"]["fuel"].as_u64().unwrap();
    assert!(fuel > 10_000, "what the called one burned counts: {fuel}");
    // Fuel that one call has room for, and many together have not.
    let many: Vec<Value> = (0..40).map(|_| spin(100_000)).collect();
    let answers = run(&home, "call-all", &json!({ "requests": many })).expect(0).json();
    let answers = answers["output"].as_array().unwrap();
    let done = answers.iter().filter(|answer| answer.get("ok").is_some()).count();
    assert!((1..40).contains(&done), "{done} of 40");
    let refused = answers.iter().find_map(|answer| answer["err"].as_str()).unwrap();
    assert!(refused.starts_with("limit: the call used up its fuel"), "{refused}");
    // Calls that called ones make are calls of the caller.
    home.grant("tests/driver", &["--skill-call", "tests/driver", "--skill-calls", "3"]);
    let ran = run(&home, "descend", &json!({ "skill": "tests/driver", "depth": 4 }));
    let said = failure(ran);
    assert!(said.contains("the call's limit `skill_calls` of"), "{said}");
    // A deadline ends the called ones too.
    home.grant("tests/driver", &["--skill-call", "tests/driver", "--deadline", "700 ms"]);
    let said = failure(run(&home, "call", &json!({ "request": spin(u64::MAX) })));
    assert!(said.starts_with("limit: the call was ended at its deadline"), "{said}");
}

/// Answers wait in the host until all are there, and no longer than they have room in the guest.
#[test]
fn answers_side_by_side_are_no_more_than_the_caller_may_hold() {
    let home = driver("", &["tests/driver"], "");
    home.grant("tests/driver", &["--skill-call", "tests/driver", "--memory", "16 MiB"]);
    let gather = |calls: u32| json!({ "skill": "tests/driver", "calls": calls, "bytes": 900_000 });
    let few = run(&home, "gather", &gather(4)).expect(0).json();
    assert_eq!(few["output"], 4);
    // Without that, the guest would get more than it has memory for, and trap.
    let many = run(&home, "gather", &gather(60)).expect(0).json();
    assert_eq!(many["output"], (8 << 20) / 900_002);
}

#[test]
fn calls_side_by_side_are_answered_in_their_order() {
    let home = driver("", &[CALCULATE, "tests/driver"], "");
    home.skill("calculate").grant(CALCULATE, &[]);
    home.grant("tests/driver", &["--skill-call", CALCULATE, "--skill-call", "tests/driver"]);
    let evaluate = |n: usize| {
        let expression = if n == 7 { "nonsense(".to_owned() } else { format!("{n}+{n}") };
        json!({ "skill": CALCULATE, "tool": "evaluate", "arguments": json!({ "expression": expression }).to_string() })
    };
    let mut requests: Vec<Value> = (0..20).map(evaluate).collect();
    requests.push(json!({ "skill": "tests/none", "arguments": "{}" }));
    requests.push(json!({ "skill": CALCULATE, "tool": "no-such", "arguments": "{}" }));
    requests.push(json!({ "skill": CALCULATE, "tool": "evaluate", "arguments": "{\"expression\": 7}" }));
    requests.push(json!({ "skill": "tests/driver", "tool": "panic", "arguments": "{\"message\": \"oh no\"}" }));
    let answers = run(&home, "call-all", &json!({ "requests": requests })).expect(0).json();
    let answers = answers["output"].as_array().unwrap();
    for (n, answer) in answers.iter().enumerate().take(20).filter(|(n, _)| *n != 7) {
        assert!(answer["ok"].as_str().unwrap().contains(&format!("\"value\":\"{}\"", n + n)), "{n}: {answer}");
    }
    let error = |n: usize| answers[n]["err"].as_str().unwrap();
    assert!(error(7).starts_with("failed: "), "the tool's own failure: {}", error(7));
    assert!(error(20).starts_with("denied: "), "{}", error(20));
    assert!(error(21).starts_with("not-found: `bailiwick/calculate` has no tool `no-such`"), "{}", error(21));
    assert!(error(22).starts_with("invalid-arguments: "), "{}", error(22));
    assert!(error(23).starts_with("unavailable: the guest trapped") && error(23).contains("oh no"), "{}", error(23));
}

/// A risk of the called one is for a person to take, whoever calls.
#[test]
fn a_risk_of_the_called_waits_for_a_person() {
    let home = driver("", &["tests/filler"], "");
    home.guest("filler", "risk_tags = [\"destructive\"]\n[permissions]\nworkspace = true\n");
    home.grant("tests/filler", &["--workspace"]).grant("tests/driver", &["--skill-call", "tests/filler"]);
    let write = json!({ "path": "/workspace/x", "bytes": 3, "offset": 0 });
    let waiting = failure(call(&home, "tests/filler", "write", &write));
    let id = waiting.strip_prefix("approval-required: ").unwrap().to_owned();
    home.run(&["approvals", "approve", &id]).expect(0);
    call(&home, "tests/filler", "write", &write).expect(0);
    let again = failure(call(&home, "tests/filler", "write", &write));
    assert!(again.starts_with("approval-required: ") && again != waiting, "one approval is for one call: {again}");
}

#[test]
fn revoking_the_grant_of_the_called_ends_it_and_not_its_caller() {
    let home = driver("", &["tests/hostile"], "");
    home.guest("hostile", "");
    home.grant("tests/hostile", &["--deadline", "60 s"]);
    home.grant("tests/driver", &["--skill-call", "tests/hostile", "--deadline", "60 s"]);
    let server = home.serve();
    let request = json!({ "skill": "tests/hostile", "tool": "spin", "arguments": "{}" });
    let body = json!({ "tool": "call", "arguments": { "request": request } });
    let client = server.by(Some(home.token()));
    let calling = std::thread::spawn(move || client.post("/v1/skills/tests/driver/execute", &body));
    eventually("the called one runs", || {
        let shown = server.get("/v1/skills/tests/hostile").status == 200;
        std::thread::sleep(std::time::Duration::from_millis(300));
        shown.then_some(())
    });
    home.run(&["grant", "revoke", "tests/hostile"]).expect(0);
    let answer = calling.join().unwrap().json();
    assert_eq!(answer["code"], "tool-failed", "{answer}");
    assert!(answer["failure"].as_str().unwrap().starts_with("denied: the call was ended"), "{answer}");
}

#[test]
fn a_record_shows_what_skills_and_models_were_granted_and_used() {
    let home = driver("", &[CALCULATE, FILES], "[permissions]\nmodels = [\"small\", \"large\"]\n");
    home.skill("calculate").skill("files").grant(CALCULATE, &[]);
    home.grant("tests/driver", &["--skill-call", CALCULATE, "--skill-call", FILES, "--model", "small"]);
    call(&home, CALCULATE, "evaluate", &json!({ "expression": "1" })).expect(0);
    let said = failure(run(&home, "complete", &json!({ "prompt": "hello" })));
    assert!(said.contains("NoModel"), "{said}");
    let said = failure(run(&home, "complete", &json!({ "model": "large", "prompt": "hello" })));
    assert!(said.contains("Denied"), "{said}");
    let review = home.run(&["--json", "audit", "skill", "tests/driver"]).expect(0).json();
    let lost: Vec<_> = review["could_lose"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(lost, [format!("--skill-call {FILES}")]);
    assert_eq!(review["withheld"], json!(["model large"]));
    let listed = home.run(&["grant", "list"]).expect(0).stdout;
    assert!(listed.contains("skill bailiwick/calculate\n") && listed.contains("model small\n"), "{listed}");
    // What was exported is imported as it was.
    let exported = home.run(&["grant", "export"]).expect(0).stdout;
    fs::write(home.path("grants.toml"), &exported).unwrap();
    home.run(&["grant", "revoke", "tests/driver"]).expect(0);
    home.run(&["grant", "import", "grants.toml"]).expect(0);
    assert_eq!(home.run(&["grant", "export"]).expect(0).stdout, exported);
    let twice = exported.replace(&format!("\"{FILES}\""), &format!("\"{FILES}\", \"{FILES}@^1\""));
    fs::write(home.path("grants.toml"), twice).unwrap();
    let refused = home.run(&["grant", "import", "grants.toml"]);
    assert!(refused.stderr.contains("stands twice"), "{refused:?}");
    home.run(&["grant", "narrow", "tests/driver", "--model", "small"]).expect(0);
    let said = failure(run(&home, "complete", &json!({ "prompt": "hello" })));
    assert!(said.contains("Denied"), "{said}");
}
