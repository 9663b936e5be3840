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
    let workers = ["ada", "bob", "cyd"];
    let strategy = match site.below(6) {
        0 => json!({ "kind": "single", "agent": site.pick(&workers) }),
        1 => json!({ "kind": "router", "agents": ["ada", "cyd"], "by": "bob" }),
        2 => json!({ "kind": "handoff", "agents": workers, "first": site.pick(&workers), "max_depth": 2 }),
        3 => json!({ "kind": "graph", "graph": graph() }),
        4 => json!({ "kind": "workflow", "skill": "demo/flow" }),
        _ => json!({
            "kind": "parallel_map",
            "agent": site.pick(&["ada", "cyd"]),
            "items": ["1", "2", "3"],
            "reduce": "bob",
            "on_failure": site.pick(&["fail_fast", "collect"]),
            "at_once": 1 + site.below(3),
        }),
    };
    serde_json::from_value(strategy).expect("a strategy")
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
