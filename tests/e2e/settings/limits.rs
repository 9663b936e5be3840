//! The keys of `[limits]`: a default holds where a manifest is silent, and a
//! ceiling whatever it says.

use std::thread;

use serde_json::{Value, json};

use crate::client::Answer;
use crate::host::Home;
use crate::web::Web;

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

/// A component that grows a table, and is made of three instances.
const GROWER: &str = r#"(component
    (core module $m
        (table $t 1 funcref)
        (func (export "grow") (param i32) (result i32)
            (local $old i32)
            (local.set $old (table.grow $t (ref.null func) (local.get 0)))
            (if (i32.eq (local.get $old) (i32.const -1)) (then unreachable))
            (local.get $old)))
    (core instance $a (instantiate $m))
    (core instance $b (instantiate $m))
    (core instance $i (instantiate $m))
    (func (export "grow") (param "by" u32) (result u32) (canon lift (core func $i "grow"))))"#;

/// A model whose answers take three tokens.
const MODEL: &str = "[models.m]\nprovider = \"scripted\"\nscript = \"script.toml\"\n";

/// A call that passes every small limit, by the key of the limit.
fn excess(home: &Home, key: &str, manifest: &str) -> Answer {
    home.write("script.toml", "[[rule]]\ntext = \"hello\"\ntokens = { input = 2, output = 1 }\n");
    let web = Web::start(&[("/", 200, "text/plain", &"x".repeat(5000))]);
    let http = "[[permissions.http]]\nhost = \"*\"\nschemes = [\"http\"]\nmethods = [\"POST\"]\n";
    let post = json!({ "url": web.url("/"), "bytes": 5000, "times": 2 });
    let (tool, arguments) = match key {
        "table_elements" | "instances" => ("grow", json!({ "by": 1000 })),
        "host_calls" | "random" => ("random", json!({ "bytes": 20_000, "times": 3 })),
        "input" | "log" => ("panic", json!({ "message": "x".repeat(5000) })),
        "model_calls" | "model_tokens" => ("complete", json!({ "prompt": "hello", "again": 3 })),
        "skill_calls" => {
            let spin = json!({ "skill": "tests/guest", "tool": "spin", "arguments": "{\"n\": 1}" });
            ("call-all", json!({ "requests": [spin, spin, spin] }))
        }
        _ => ("post", post),
    };
    match tool {
        "grow" => {
            let head = "skill_id = \"tests/guest\"\nversion = \"1.0.0\"\nkind = \"tool\"\n";
            home.write("skills/guest/guest.wasm", wat::parse_str(GROWER).unwrap());
            home.write("skills/guest/skill.toml", format!("{head}component = \"guest.wasm\"\n{manifest}"));
        }
        "complete" | "call-all" => {
            let asked = "[permissions]\nmodels = [\"m\"]\n[[permissions.skills]]\nid = \"tests/guest\"\n";
            home.package("guest", "tests/guest", "1.0.0", "driver", &format!("{manifest}{asked}"));
        }
        "panic" => drop(home.package("guest", "tests/guest", "1.0.0", "hostile", manifest)),
        _ => drop(home.package("guest", "tests/guest", "1.0.0", "filler", &format!("{manifest}{http}"))),
    }
    let url = format!("POST {}", web.url("/"));
    let options = ["--http", url.as_str()];
    let granted: &[&str] = match tool {
        "post" => &options,
        "complete" | "call-all" => &["--model", "m", "--skill-call", "tests/guest"],
        _ => &[],
    };
    home.grant("tests/guest", granted);
    home.serve().execute("tests/guest", tool, &arguments)
}

/// The call ends at the limit, or the guest is told of it; either way the answer names it.
#[track_caller]
fn names_limit(answer: &Answer, key: &str, max: u64) {
    let text = answer.text();
    let (named, sized) = (format!("limit `{key}` of {max}"), format!("limit of {max} bytes"));
    assert!(text.contains(&named) || (key == "input" && text.contains(&sized)), "`{key}` of {max}: {text}");
}

fn default_holds(key: &str, value: &str, max: u64) {
    let home = Home::with(&format!("[limits.default]\n{key} = {value}\n{MODEL}"));
    names_limit(&excess(&home, key, ""), key, max);
}

fn ceiling_holds(key: &str, value: &str, max: u64, asked: &str) {
    let home = Home::with(&format!("[limits.ceiling]\n{key} = {value}\n{MODEL}"));
    names_limit(&excess(&home, key, &format!("[limits]\n{key} = {asked}\n")), key, max);
}

#[test]
pub(super) fn a_default_of_elements_holds_where_the_manifest_is_silent() {
    default_holds("table_elements", "20", 20);
}

#[test]
pub(super) fn a_ceiling_of_elements_holds_against_the_manifest() {
    ceiling_holds("table_elements", "20", 20, "1000");
}

#[test]
pub(super) fn a_default_of_instances_holds_where_the_manifest_is_silent() {
    default_holds("instances", "2", 2);
}

#[test]
pub(super) fn a_ceiling_of_instances_holds_against_the_manifest() {
    ceiling_holds("instances", "1", 1, "60");
}

#[test]
pub(super) fn a_default_of_host_calls_holds_where_the_manifest_is_silent() {
    default_holds("host_calls", "2", 2);
}

#[test]
pub(super) fn a_ceiling_of_host_calls_holds_against_the_manifest() {
    ceiling_holds("host_calls", "1", 1, "100");
}

#[test]
pub(super) fn a_default_of_arguments_holds_where_the_manifest_is_silent() {
    default_holds("input", r#""2 KiB""#, 2048);
}

#[test]
pub(super) fn a_ceiling_of_arguments_holds_against_the_manifest() {
    ceiling_holds("input", r#""3 KiB""#, 3072, r#""1 MiB""#);
}

#[test]
pub(super) fn a_default_of_skill_calls_holds_where_the_manifest_is_silent() {
    default_holds("skill_calls", "2", 2);
}

#[test]
pub(super) fn a_ceiling_of_skill_calls_holds_against_the_manifest() {
    ceiling_holds("skill_calls", "1", 1, "50");
}

#[test]
pub(super) fn a_default_of_model_calls_holds_where_the_manifest_is_silent() {
    default_holds("model_calls", "2", 2);
}

#[test]
pub(super) fn a_ceiling_of_model_calls_holds_against_the_manifest() {
    ceiling_holds("model_calls", "1", 1, "50");
}

#[test]
pub(super) fn a_default_of_model_tokens_holds_where_the_manifest_is_silent() {
    default_holds("model_tokens", "4", 4);
}

#[test]
pub(super) fn a_ceiling_of_model_tokens_holds_against_the_manifest() {
    ceiling_holds("model_tokens", "3", 3, "50");
}

#[test]
pub(super) fn a_default_of_requests_holds_where_the_manifest_is_silent() {
    default_holds("http_requests", "1", 1);
}

#[test]
pub(super) fn a_ceiling_of_requests_holds_against_the_manifest() {
    ceiling_holds("http_requests", "1", 1, "50");
}

#[test]
pub(super) fn a_default_of_sent_bytes_holds_where_the_manifest_is_silent() {
    default_holds("http_sent", r#""2 KiB""#, 2048);
}

#[test]
pub(super) fn a_ceiling_of_sent_bytes_holds_against_the_manifest() {
    ceiling_holds("http_sent", r#""3 KiB""#, 3072, r#""1 MiB""#);
}

#[test]
pub(super) fn a_default_of_received_bytes_holds_where_the_manifest_is_silent() {
    default_holds("http_received", r#""2 KiB""#, 2048);
}

#[test]
pub(super) fn a_ceiling_of_received_bytes_holds_against_the_manifest() {
    ceiling_holds("http_received", r#""3 KiB""#, 3072, r#""1 MiB""#);
}

#[test]
pub(super) fn a_default_of_log_holds_where_the_manifest_is_silent() {
    default_holds("log", r#""100 B""#, 100);
}

#[test]
pub(super) fn a_ceiling_of_log_holds_against_the_manifest() {
    ceiling_holds("log", r#""200 B""#, 200, r#""1 MiB""#);
}

#[test]
pub(super) fn a_default_of_random_bytes_holds_where_the_manifest_is_silent() {
    default_holds("random", r#""10 KiB""#, 10240);
}

#[test]
pub(super) fn a_ceiling_of_random_bytes_holds_against_the_manifest() {
    ceiling_holds("random", r#""11 KiB""#, 11264, r#""60 KiB""#);
}
