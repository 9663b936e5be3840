use serde_json::{Value, json};

use super::super::text::millis;
use super::*;

const BEGAN: &str = "2026-11-20T11:00:00.000Z";

/// Twelve seconds and a bit after the run began.
fn now() -> u64 {
    millis(BEGAN).expect("a time") + 12_345
}

fn spend(steps: u64, tokens: [u64; 2], usd: f64) -> Value {
    json!({
        "steps": steps, "input_tokens": tokens[0], "output_tokens": tokens[1], "usd": usd,
        "fuel": 0, "host_calls": 0, "busy_ms": 0
    })
}

fn picture(status: &str, tasks: &Value, steps: Vec<Value>) -> Picture {
    let run = json!({
        "id": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
        "status": status,
        "strategy": { "kind": "single", "agent": "scribe" },
        "class": "normal",
        "input": "Which ports?",
        "principal": "cli:ada",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "budget": { "steps": 200, "wall": "30 min" },
        "spend": spend(3, [812, 64], 0.0021),
        "tasks": tasks,
        "awaiting": [],
        "interrupted": [],
        "queued_at": BEGAN,
        "started_at": BEGAN,
        "updated_at": "2026-11-20T11:00:03.000Z",
        "checkpoint": 9
    });
    let mut picture = Picture::new(serde_json::from_value(run).expect("a run"));
    for step in steps {
        // Through text: raw JSON is read from nothing else.
        let step: RunStep = serde_json::from_str(&step.to_string()).expect("a step");
        picture.steps.insert(step.number, step);
    }
    picture
}

fn task(number: u32, status: &str) -> Value {
    json!({
        "number": number, "agent": "scribe", "role": "work", "status": status,
        "spend": spend(2, [812, 64], 0.0), "turns": 1
    })
}

fn step(number: u32, task: u32, kind: &str, state: &str) -> Value {
    json!({
        "number": number, "task": task, "kind": kind, "attempt": 1, "state": state,
        "spend": spend(1, [0, 0], 0.0), "started_at": BEGAN
    })
}

fn with(mut value: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!("no object: {members}") };
    value.as_object_mut().expect("an object").extend(members);
    value
}

fn model(number: u32, task: u32, members: Value) -> Value {
    let ended = json!({ "ended_at": "2026-11-20T11:00:01.900Z", "spend": spend(1, [812, 64], 0.0021) });
    with(with(step(number, task, "model", "ended"), ended), members)
}

fn skill(number: u32, task: u32, state: &str, members: Value) -> Value {
    let call = json!({ "skill": "bailiwick/files", "tool": "read", "arguments": { "path": "ports.txt" } });
    with(with(step(number, task, "skill", state), call), members)
}

fn check(picture: &Picture, detail: Detail, expected: &str) {
    let drawn = tree(picture, now(), 120, detail).join("\n");
    assert_eq!(drawn, expected.trim_start_matches('\n'), "\n{drawn}");
}

#[test]
fn a_run_at_work_shows_its_steps_and_what_is_heard_of_them() {
    let calls = json!({ "answer": {
        "model": "small", "text": "", "finish": "stop",
        "calls": [{ "id": "call_1", "name": "files__read", "arguments": "{}" }]
    } });
    let read = json!({ "output": "Bergen,\nMongstad", "ended_at": "2026-11-20T11:00:00.004Z" });
    let steps = vec![
        model(0, 0, calls),
        skill(1, 0, "ended", read),
        skill(2, 0, "ended", json!({ "failure": { "no": "file" }, "ended_at": "2026-11-20T11:00:00.004Z" })),
        step(3, 0, "model", "under_way"),
    ];
    let mut picture = picture("running", &json!([task(0, "working")]), steps);
    picture.heard.insert(3, "Bergen has\ntwo \u{1b}[2Jports".to_owned());
    let expected = r#"
run 019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e  running  12.3 s  3 steps, 812+64 tokens, $0.0021
└─ ● scribe  2 steps, 812+64 tokens
   ├─ ✓ model small  812+64 tokens  1.9 s  calls files__read
   ├─ ✓ bailiwick/files read {"path":"ports.txt"}  4 ms  Bergen, Mongstad
   ├─ ✗ bailiwick/files read {"path":"ports.txt"}  4 ms  failed: {"no":"file"}
   └─ ● model  12.3 s  Bergen has two �[2Jports"#;
    check(&picture, Detail::Open, expected);
}

#[test]
fn every_state_of_a_step_can_be_told_from_the_others() {
    let error = json!({ "error": { "code": "MODEL_FAILED", "message": "it is down", "retriable": true } });
    let steps = vec![
        skill(0, 0, "awaiting_approval", json!({ "approval": "apr_1" })),
        skill(1, 0, "ready", json!({})),
        with(step(2, 0, "model", "backoff"), with(error.clone(), json!({ "attempt": 2 }))),
        skill(3, 0, "cut_off", json!({})),
        skill(4, 0, "abandoned", json!({})),
        with(step(5, 0, "model", "ended"), with(error, json!({ "ended_at": "2026-11-20T11:00:02.000Z" }))),
    ];
    let picture = picture("waiting_approval", &json!([task(0, "working")]), steps);
    let expected = r#"
run 019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e  waiting_approval  12.3 s  3 steps, 812+64 tokens, $0.0021
└─ ● scribe  2 steps, 812+64 tokens
   ├─ ? bailiwick/files read {"path":"ports.txt"}  waits for approval apr_1
   ├─ ● bailiwick/files read {"path":"ports.txt"}  begins
   ├─ ↻ model  try 2  MODEL_FAILED: it is down  begins again
   ├─ ! bailiwick/files read {"path":"ports.txt"}  cut off: nobody knows what came of it
   ├─ – bailiwick/files read {"path":"ports.txt"}  abandoned
   └─ ✗ model  2.0 s  MODEL_FAILED: it is down"#;
    check(&picture, Detail::Whole, expected);
}

#[test]
fn tasks_that_have_ended_fold_and_the_time_of_a_run_stands_still_at_its_end() {
    let tasks = json!([
        with(task(0, "done"), json!({ "item": 0, "output": "two" })),
        with(task(1, "failed"), json!({ "item": 1, "error": { "code": "MAX_STEPS", "message": "32\nturns" } })),
        with(task(2, "done"), json!({ "role": "reduce", "agent": "editor" })),
    ]);
    let said = json!({ "answer": { "model": "small", "text": "Two.", "calls": [], "finish": "stop" } });
    let mut picture = picture("failed", &tasks, vec![model(0, 0, said.clone()), model(1, 2, said)]);
    let error = json!({ "code": "DEPENDENCY_FAILED", "message": "item 1 failed", "retriable": true });
    picture.run.error = Some(serde_json::from_value(error).expect("an error"));
    let folded = r"
run 019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e  failed  3.0 s  3 steps, 812+64 tokens, $0.0021  DEPENDENCY_FAILED
├─ ✓ scribe (item 0)  2 steps, 812+64 tokens
├─ ✗ scribe (item 1)  2 steps, 812+64 tokens  MAX_STEPS: 32 turns
└─ ✓ editor (reduce)  2 steps, 812+64 tokens";
    check(&picture, Detail::Open, folded);
    let whole = r"
run 019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e  failed  3.0 s  3 steps, 812+64 tokens, $0.0021  DEPENDENCY_FAILED
├─ ✓ scribe (item 0)  2 steps, 812+64 tokens
│  └─ ✓ model small  812+64 tokens  1.9 s  Two.
├─ ✗ scribe (item 1)  2 steps, 812+64 tokens  MAX_STEPS: 32 turns
└─ ✓ editor (reduce)  2 steps, 812+64 tokens
   └─ ✓ model small  812+64 tokens  1.9 s  Two.";
    check(&picture, Detail::Whole, whole);
}

#[test]
fn lines_fit_the_width_and_the_height() {
    let steps = (0..20).map(|number| step(number, 0, "model", "under_way")).collect();
    let picture = picture("running", &json!([task(0, "working")]), steps);
    let lines = tree(&picture, now(), 20, Detail::Open);
    assert!(lines.iter().all(|line| line.chars().count() <= 20), "{lines:?}");
    assert_eq!(lines.len(), 22);
    let fitted = fit(lines.clone(), 6);
    assert_eq!(fitted.len(), 6);
    assert_eq!((&fitted[0], fitted[1].as_str()), (&lines[0], "   … 17 lines above"));
    assert_eq!(fitted[2..], lines[18..]);
    assert_eq!(fit(lines.clone(), 22), lines);
}
