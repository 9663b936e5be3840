//! Runs that somebody wants: teams of all strategies, of all classes.

use std::time::Duration;

use bailiwick_domain::run::{Class, RunId, Strategy};
use bailiwick_domain::trace::TraceContext;
use serde_json::{Value, json};

use super::super::world::submission;
use super::site::Site;
use crate::runtime::{BudgetRequest, Submission};

/// Runs of one story at the most: enough to wait for each other.
const MAX_ORDERS: u64 = 6;

/// Who does what is asked; `fay` only adds to graphs.
pub(super) const WORKERS: [&str; 5] = ["ada", "bob", "cyd", "dan", "eli"];

/// A run that somebody wants.
pub(super) struct Order {
    pub(super) submission: Submission,
    /// In which life of the host it is asked for first.
    pub(super) life: u64,
    /// Whether it was asked for.
    pub(super) sent: bool,
    /// What was answered.
    pub(super) id: Option<RunId>,
}

impl Order {
    /// Whether asking again is safe.
    pub(super) fn has_key(&self) -> bool {
        self.submission.idempotency_key.is_some()
    }

    /// Whether nobody waits for an answer any more.
    pub(super) fn is_settled(&self) -> bool {
        self.id.is_some() || (self.sent && !self.has_key())
    }
}

/// What is wanted in so many lives of the host.
pub(super) fn draw(site: &Site, lives: u64) -> Vec<Order> {
    let count = 2 + site.below(MAX_ORDERS - 1);
    (0..count).map(|number| order(site, number, lives)).collect()
}

fn order(site: &Site, number: u64, lives: u64) -> Order {
    let strategy = strategy(site);
    let key = (!site.happens(3)).then(|| format!("k{number}"));
    let submission = Submission {
        input: r#"{"what": "all"}"#.to_owned(),
        class: site.pick(&Class::ALL),
        budget: budget(site),
        label: Some(format!("s{number}")),
        trace: trace(number),
        idempotency_key: key,
        ..submission(strategy)
    };
    Order { submission, life: site.below(lives), sent: false, id: None }
}

fn budget(site: &Site) -> BudgetRequest {
    BudgetRequest {
        steps: site.pick(&[None, Some(3), Some(8), Some(20), Some(40)]),
        wall: Some(Duration::from_secs(20 + site.below(100))),
        tokens: site.pick(&[None, None, Some(30), Some(90)]),
        fuel: site.pick(&[None, None, Some(12)]),
        ..BudgetRequest::default()
    }
}

/// A trace that no other run has.
fn trace(number: u64) -> TraceContext {
    TraceContext { trace_id: (u128::from(number) + 1).to_be_bytes(), span_id: [1; 8], sampled: true }
}

fn strategy(site: &Site) -> Strategy {
    let strategy = match site.below(10) {
        0 => json!({ "kind": "single", "agent": site.pick(&WORKERS) }),
        1 => json!({ "kind": "router", "agents": ["ada", "cyd"], "by": "bob" }),
        2 => handoff(site.pick(&WORKERS)),
        3 => json!({ "kind": "graph", "graph": graph() }),
        4 => json!({ "kind": "workflow", "skill": "demo/flow" }),
        5 => json!({ "kind": "graph", "graph": nested(site) }),
        6 => json!({ "kind": "graph", "graph": planned(), "agents": ["ada"] }),
        // What two teams want at the same moment is rare.
        7 | 8 => json!({ "kind": "graph", "graph": side_by_side() }),
        _ => map(site, site.pick(&["ada", "cyd", "dan"]), Some("bob")),
    };
    serde_json::from_value(strategy).expect("a strategy")
}

fn handoff(first: &str) -> Value {
    json!({ "kind": "handoff", "agents": WORKERS, "first": first, "max_depth": 2 })
}

fn map(site: &Site, agent: &str, reduce: Option<&str>) -> Value {
    let mut map = json!({
        "kind": "parallel_map",
        "agent": agent,
        "items": ["1", "2", "3"],
        "on_failure": site.pick(&["fail_fast", "collect"]),
        "at_once": 1 + site.below(3),
    });
    if let Some(reduce) = reduce {
        map["reduce"] = Value::from(reduce);
    }
    map
}

/// Two side by side, one of which may fail, between two others.
fn graph() -> Value {
    json!({
        "nodes": [
            { "id": "plan", "agent": "bob" },
            { "id": "left", "agent": "ada" },
            { "id": "right", "agent": "cyd", "optional": true },
            { "id": "end", "agent": "bob", "join": "any" },
        ],
        "edges": [
            { "from": "plan", "to": "left" },
            { "from": "plan", "to": "right" },
            { "from": "left", "to": "end" },
            { "from": "right", "to": "end" },
        ],
    })
}

/// Two teams side by side whose agents give their work on, one of which may fail.
fn side_by_side() -> Value {
    json!({
        "nodes": [
            { "id": "left", "run": handoff("bob") },
            { "id": "right", "run": handoff("dan"), "optional": true },
            { "id": "end", "agent": "bob", "join": "any" },
        ],
        "edges": [
            { "from": "left", "to": "end" },
            { "from": "right", "to": "end" },
        ],
    })
}

/// A graph within a graph, with a map in it. It may fail, while others are at work beside it.
fn nested(site: &Site) -> Value {
    let inner = json!({
        "nodes": [
            { "id": "look", "agent": "eli" },
            { "id": "each", "run": map(site, "ada", None), "input": "{{look}}" },
            { "id": "beside", "agent": "dan" },
        ],
        "edges": [{ "from": "look", "to": "each" }],
    });
    json!({
        "nodes": [
            { "id": "inner", "run": { "kind": "graph", "graph": inner }, "optional": true },
            { "id": "beside", "agent": "cyd" },
            { "id": "end", "agent": "bob", "join": "any" },
        ],
        "edges": [
            { "from": "inner", "to": "end" },
            { "from": "beside", "to": "end" },
        ],
    })
}

/// An agent that may put others between itself and the end.
fn planned() -> Value {
    json!({
        "nodes": [
            { "id": "plan", "agent": "fay", "plans": true },
            { "id": "beside", "agent": "eli", "optional": true },
            { "id": "end", "agent": "bob" },
        ],
        "edges": [{ "from": "plan", "to": "end" }],
    })
}
