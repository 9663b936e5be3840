//! `bailiwick bench`: numbers from the real sandbox.

use super::package;
use crate::host::{Home, component};

#[test]
fn a_tool_is_measured_in_a_package_and_by_itself() {
    let home = package(&[]);
    for subject in ["greet", "greet/skill.wasm"] {
        let arguments = ["bench", subject, "add", "--args", "{\"a\": 1}", "--arg", "b=2", "--calls", "20", "--json"];
        let measured = home.run(&arguments).expect(0).json();
        assert_eq!((&measured["tool"], &measured["call"]["runs"]), (&"add".into(), &20.into()), "{measured:#}");
        let number = |pointer: &str| measured.pointer(pointer).and_then(serde_json::Value::as_u64).unwrap_or_default();
        for pointer in ["/compile_ns", "/load_ns", "/first_call_ns", "/instance/median_ns", "/call/median_ns", "/fuel"]
        {
            assert!(number(pointer) > 0, "{pointer} in {measured:#}");
        }
        assert!(number("/compile_ns") > number("/load_ns"), "{measured:#}");
        assert!(number("/call/median_ns") >= number("/instance/median_ns"), "{measured:#}");
        assert!(number("/call_with_record/median_ns") >= number("/call/median_ns"), "{measured:#}");
        assert!(number("/call/p95_ns") >= number("/call/median_ns"), "{measured:#}");
    }
}

#[test]
fn a_workflow_is_measured_by_itself() {
    let home = Home::new();
    home.write("flow.wasm", component("flow"));
    let measured = home.run(&["bench", "flow.wasm", "--args", "{\"acts\": []}", "--calls", "5", "--json"]).expect(0);
    assert_eq!(measured.json()["tool"], "run", "{}", measured.stdout);
}

#[test]
fn numbers_say_what_they_are_of() {
    let home = package(&[]);
    let said = home.run(&["bench", "greet", "--args", "{\"a\": 1, \"b\": 2}", "--calls", "5"]).expect(0).stdout;
    for line in
        ["tests/greet 1.0.0: add", "median ", "with policy, and its record synced to disk", "5 calls, one after"]
    {
        assert!(said.contains(line), "`{line}` is missing in {said}");
    }
}

#[test]
fn what_can_not_be_measured_is_told() {
    let home = package(&[]);
    let wrong = home.run(&["bench", "greet", "--calls", "5"]).expect(7);
    assert!(wrong.stderr.contains("a call ended with: "), "{}", wrong.stderr);
    assert!(home.run(&["bench", "nowhere.wasm"]).expect(2).stderr.contains("nowhere.wasm"));
    let prompt = Home::new();
    prompt.prompt("letter");
    assert!(prompt.run(&["bench", "skills/letter"]).expect(2).stderr.contains("nothing to measure"));
}
