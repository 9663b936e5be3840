//! The keys of `[limits]`: a default holds where a manifest is silent, and a
//! ceiling whatever it says.

use std::thread;

use serde_json::{Value, json};

use crate::client::Answer;
use crate::host::Home;

/// What the hostile guest is asked for, under the configuration and the manifest.
fn call(settings: &str, manifest: &str, tool: &str, arguments: &Value) -> Answer {
    let home = Home::with(settings);
    home.guest("hostile", manifest).grant("tests/hostile", &[]);
    home.serve().execute("tests/hostile", tool, arguments)
}

fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap()
}

/// How long the call was given, of which some was over before the guest began.
fn millis(problem: &Value) -> u64 {
    let words: Vec<_> = detail(problem).split(' ').collect();
    words[words.len() - 2].parse().unwrap()
}

#[test]
pub(super) fn a_default_of_memory_holds_where_the_manifest_is_silent() {
    let settings = "[limits.default]\nmemory = \"7 MiB\"\ndeadline = \"60 s\"\n";
    let problem = call(settings, "", "allocate", &json!({})).problem("memory-exhausted");
    assert!(detail(&problem).contains(&(7 << 20).to_string()), "{problem}");
    let asked = "[limits]\nmemory = \"9 MiB\"\n";
    let problem = call(settings, asked, "allocate", &json!({})).problem("memory-exhausted");
    assert!(detail(&problem).contains(&(9 << 20).to_string()), "{problem}");
}

#[test]
pub(super) fn a_ceiling_of_memory_holds_against_the_manifest() {
    let settings = "[limits.default]\ndeadline = \"60 s\"\n[limits.ceiling]\nmemory = \"8 MiB\"\n";
    let asked = "[limits]\nmemory = \"64 MiB\"\n";
    let problem = call(settings, asked, "allocate", &json!({})).problem("memory-exhausted");
    assert!(detail(&problem).contains(&(8 << 20).to_string()), "{problem}");
}

#[test]
pub(super) fn a_default_of_time_holds_where_the_manifest_is_silent() {
    let settings = "[limits.default]\ndeadline = \"321 ms\"\n";
    let problem = call(settings, "", "sleep", &json!({ "millis": 60_000 })).problem("deadline-exceeded");
    assert!((1..=321).contains(&millis(&problem)), "{problem}");
}

#[test]
pub(super) fn a_ceiling_of_time_holds_against_the_manifest() {
    let settings = "[limits.ceiling]\ndeadline = \"432 ms\"\n";
    let asked = "[limits]\ndeadline = \"60 s\"\n";
    let problem = call(settings, asked, "spin", &json!({})).problem("deadline-exceeded");
    assert!((1..=432).contains(&millis(&problem)), "{problem}");
}

#[test]
pub(super) fn a_default_of_fuel_holds_where_the_manifest_is_silent() {
    let settings = "[limits.default]\nfuel = 3000000\ndeadline = \"60 s\"\n";
    let problem = call(settings, "", "spin", &json!({})).problem("fuel-exhausted");
    assert!(detail(&problem).contains("3000000"), "{problem}");
}

#[test]
pub(super) fn a_ceiling_of_fuel_holds_against_the_manifest() {
    let settings = "[limits.ceiling]\nfuel = 4000000\n[limits.default]\ndeadline = \"60 s\"\n";
    let asked = "[limits]\nfuel = 900000000000\n";
    let problem = call(settings, asked, "spin", &json!({})).problem("fuel-exhausted");
    assert!(detail(&problem).contains("4000000"), "{problem}");
}

#[test]
pub(super) fn a_default_of_output_holds_where_the_manifest_is_silent() {
    let settings = "[limits.default]\noutput = \"3 KiB\"\n";
    let problem = call(settings, "", "huge", &json!({ "bytes": 4000 })).problem("output-too-large");
    assert!(detail(&problem).contains("3072"), "{problem}");
    call(settings, "", "huge", &json!({ "bytes": 3000 })).ok();
}

#[test]
pub(super) fn a_ceiling_of_output_holds_against_the_manifest() {
    let settings = "[limits.ceiling]\noutput = \"5 KiB\"\n";
    let asked = "[limits]\noutput = \"1 MiB\"\n";
    let problem = call(settings, asked, "huge", &json!({ "bytes": 6000 })).problem("output-too-large");
    assert!(detail(&problem).contains("5120"), "{problem}");
}

/// Whether a second call is refused while one is under way.
fn is_one_at_a_time(settings: &str, manifest: &str) {
    let home = Home::with(settings);
    home.guest("hostile", manifest).grant("tests/hostile", &[]);
    let server = home.serve();
    thread::scope(|scope| {
        let long = scope.spawn(|| server.execute_when_free("tests/hostile", "sleep", &json!({ "millis": 5_000 })));
        let problem = server.wait_until_busy().problem("busy");
        assert!(detail(&problem).contains("`tests/hostile` has 1 call"), "{problem}");
        long.join().unwrap().ok();
    });
}

#[test]
pub(super) fn a_default_of_calls_holds_where_the_manifest_is_silent() {
    is_one_at_a_time("[limits.default]\nconcurrency = 1\n", "");
}

#[test]
pub(super) fn a_ceiling_of_calls_holds_against_the_manifest() {
    let settings = "[limits.ceiling]\nconcurrency = 1\n";
    is_one_at_a_time(settings, "[limits]\nconcurrency = 9\n");
}
