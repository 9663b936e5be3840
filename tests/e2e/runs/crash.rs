//! Power cuts while teams are at work.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{SCOPES, home};
use crate::client::Client;
use crate::host::{Home, eventually};

/// Power cuts in every run of the tests. `BAILIWICK_CUTS` says another number.
const CUTS: u64 = 25;

/// A skill that appends a line to a file for each call, and whose calls may not be repeated.
fn team() -> Home {
    let home = home("[agents]\nmax_parallel_agents = 8\n");
    home.grant(
        "bailiwick/files",
        &["--fs", &format!("{}:/work:rw", home.path("documents").display()), "--accept-risk", "destructive"],
    );
    home
}

#[test]
fn every_acknowledged_run_ends_right_and_nothing_is_done_twice_whenever_the_power_goes() {
    let home = team();
    let token = home.key("runs", &SCOPES);
    let cuts = std::env::var("BAILIWICK_CUTS").ok().and_then(|cuts| cuts.parse().ok()).unwrap_or(CUTS);
    let mut seed = std::env::var("BAILIWICK_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7_u64);
    let mut acknowledged: Vec<String> = Vec::new();
    for cut in 0..cuts {
        let server = home.serve();
        let client = server.by(Some(&token));
        for number in 0..4 {
            let input = if number % 2 == 0 { "write it down" } else { "read the notes" };
            let map =
                json!({ "kind": "parallel_map", "agent": "scribe", "items": ["a", "b"], "on_failure": "collect" });
            let body = json!({ "strategy": map, "input": input, "label": format!("{cut}/{number}") });
            let answer = client.post("/v1/agents/runs", &body);
            assert_eq!(answer.status, 202, "{}", answer.text());
            acknowledged.push(answer.json()["id"].as_str().unwrap().to_owned());
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        thread::sleep(Duration::from_micros((seed >> 33) % 30_000));
        server.kill();
    }
    let server = home.serve();
    let client = server.by(Some(&token));
    for id in &acknowledged {
        let run = end(&client, id);
        let outputs = run["output"].as_array().unwrap_or_else(|| panic!("seed {seed}: {run:#}"));
        assert_eq!(outputs.len(), 2, "seed {seed}: {run:#}");
        assert!(outputs.iter().all(|output| output["output"].is_string()), "seed {seed}: {run:#}");
        once(&client, id, seed);
    }
}

/// Waits for the end of a run; what was cut off is given up.
fn end(client: &Client, id: &str) -> Value {
    eventually(&format!("run {id} ends"), || {
        let run = client.get(&format!("/v1/agents/runs/{id}")).ok();
        match run["status"].as_str().unwrap() {
            "completed" => Some(run),
            "interrupted" => {
                client.post(&format!("/v1/agents/runs/{id}/resume"), &json!({ "repeat": false })).ok();
                None
            }
            "failed" | "cancelled" => panic!("{run:#}"),
            _ => None,
        }
    })
}

/// No call that may not be repeated began a second time.
fn once(client: &Client, id: &str, seed: u64) {
    let steps = client.get(&format!("/v1/agents/runs/{id}/steps?limit=100")).ok();
    for step in steps["steps"].as_array().unwrap() {
        let is_write = step["tool"] == "write";
        assert!(!is_write || step["attempt"] == 1, "seed {seed}: {step:#}");
    }
}
