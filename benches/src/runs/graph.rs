//! A durable run of ten nodes: one, eight side by side, one that waits for all of them.

use bailiwick_domain::run::Strategy;
use bailiwick_journal::Journal;
use serde_json::json;
use tokio::runtime::Runtime;

use super::peer::LangGraph;
use super::world::{AGENT, Takes, World, usual_queue};
use super::{Taken, bare, one_by_one, row};
use crate::log::Log;
use crate::report::{Goal, Row};

/// Nodes between the first and the last. benches/peers/langgraph.py has as many.
const SIDE_BY_SIDE: usize = 8;

/// Runs in one round, one after another.
const RUNS: usize = 200;

/// The same of the peer, which takes longer for each.
const PEER_RUNS: u32 = 30;

/// Rounds of each, in turns, of which the middle one counts.
const ROUNDS: usize = 5;

/// The peer's settings of durability: with the first it goes on, as we do, only when what
/// came before is kept; the second is its own default.
const DURABILITY: [&str; 2] = ["sync", "async"];

/// Measures the host beside the peer and beside a bare log.
pub(super) fn measure(threads: &Runtime) -> Vec<Row> {
    // All three write to the same disk.
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.redb")).unwrap();
    let world = World::new(&journal, Takes::Nothing, usual_queue());
    let log = Log::new(&folder.path().join("log"));
    let mut peer = LangGraph::start(&folder.path().join("checkpoints.sqlite"));
    let strategy = strategy();
    let (_, warm) = one_by_one(threads, &world, &strategy, RUNS);
    bare(threads, &log, warm, RUNS);
    if let Some(peer) = &mut peer {
        for durability in DURABILITY {
            peer.round(durability, PEER_RUNS);
        }
    }
    let (mut ours, mut floor, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (taken, written) = one_by_one(threads, &world, &strategy, RUNS);
        ours.push(taken);
        floor.push(bare(threads, &log, written, RUNS));
        if let Some(peer) = &mut peer {
            theirs.push(DURABILITY.map(|durability| peer.round(durability, PEER_RUNS)));
        }
    }
    let none = [Goal::None, Goal::None];
    let mut rows = Vec::new();
    if let Some(peer) = &peer {
        let beside = |setting: &str| format!("LangGraph {} with SqliteSaver{setting}", peer.version);
        let goals = [Goal::RatioAtMost(1.0 / 15.0), Goal::RatioAtMost(1.0 / 40.0)];
        let (strict, usual): (Vec<Taken>, Vec<Taken>) =
            theirs.into_iter().map(|[strict, usual]| (strict, usual)).unzip();
        rows.extend(both(&beside(", all durable before it goes on"), &ours, &strict, goals));
        rows.extend(both(&beside(" and its default durability"), &ours, &usual, none));
    }
    rows.extend(both("bare log", &ours, &floor, none));
    rows
}

/// Rows about time and CPU.
fn both(beside: &str, ours: &[Taken], floor: &[Taken], goals: [Goal; 2]) -> [Row; 2] {
    let nodes = SIDE_BY_SIDE + 2;
    let [wall, cpu] = goals;
    [
        row(format!("runs: time of a run of {nodes} nodes, {beside}"), ours, floor, |it| it.wall, wall),
        row(format!("runs: CPU of a run of {nodes} nodes, {beside}"), ours, floor, |it| it.cpu, cpu),
    ]
}

fn strategy() -> Strategy {
    let middle: Vec<String> = (0..SIDE_BY_SIDE).map(|number| format!("side-{number}")).collect();
    let node = |id: &str| json!({ "id": id, "agent": AGENT });
    let edge = |from: &str, to: &str| json!({ "from": from, "to": to });
    let mut nodes = vec![node("first")];
    nodes.extend(middle.iter().map(|id| node(id)));
    nodes.push(node("last"));
    let edges: Vec<_> = middle.iter().flat_map(|id| [edge("first", id), edge(id, "last")]).collect();
    serde_json::from_value(json!({ "kind": "graph", "graph": { "nodes": nodes, "edges": edges } })).unwrap()
}
