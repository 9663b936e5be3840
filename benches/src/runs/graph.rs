//! A durable run of ten nodes: one, eight side by side, one that waits for all of them.

use bailiwick_domain::run::Strategy;
use bailiwick_journal::Journal;
use serde_json::json;
use tokio::runtime::Runtime;

use super::peer::LangGraph;
use super::world::{AGENT, Takes, World, usual_queue};
use super::{Taken, bare, many, one_by_one, row};
use crate::log::Log;
use crate::report::{Goal, Row};

/// Nodes between the first and the last. benches/peers/langgraph.py has as many.
const SIDE_BY_SIDE: usize = 8;

/// Runs in one round, one after another: about as long as the peer's round, and more than there
/// are in one round of the journal's log.
const RUNS: usize = 600;

/// The same of the peer, which takes longer for each.
const PEER_RUNS: u32 = 48;

/// Callers at once, where there are many, each of which waits for its run before the next one.
const CALLERS: u32 = 16;

/// Runs of each of our callers in one round.
const EACH: usize = 60;

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
    let mut rounds = (0..=ROUNDS).map(|_| {
        let (ours, written) = one_by_one(threads, &world, &strategy, RUNS);
        let theirs = peer.as_mut().map(|peer| Theirs {
            strict: peer.round(DURABILITY[0], PEER_RUNS, 1),
            usual: peer.round(DURABILITY[1], PEER_RUNS, 1),
            side_by_side: peer.round(DURABILITY[0], PEER_RUNS, CALLERS),
        });
        let floor = bare(threads, &log, written, RUNS);
        Round { ours, side_by_side: many(threads, &world, &strategy, CALLERS as usize, EACH), floor, theirs }
    });
    // All of them are warm then.
    rounds.next();
    let rounds: Vec<Round> = rounds.collect();
    let ours: Vec<Taken> = rounds.iter().map(|round| round.ours).collect();
    let busy: Vec<Taken> = rounds.iter().map(|round| round.side_by_side).collect();
    let floor: Vec<Taken> = rounds.iter().map(|round| round.floor).collect();
    let none = [Goal::None, Goal::None];
    let mut rows = Vec::new();
    if let Some(peer) = &peer {
        let of = |which: fn(&Theirs) -> Taken| -> Vec<Taken> {
            rounds.iter().flat_map(|round| &round.theirs).map(which).collect()
        };
        let beside = |setting: &str| format!("LangGraph {} with SqliteSaver{setting}", peer.version);
        let goals = [Goal::RatioAtMost(1.0 / 15.0), Goal::RatioAtMost(1.0 / 40.0)];
        let strict = beside(", all durable before it goes on");
        rows.extend(both("", &strict, &ours, &of(|it| it.strict), goals));
        rows.extend(both("", &beside(" and its default durability"), &ours, &of(|it| it.usual), none));
        rows.extend(both(&format!(", {CALLERS} callers"), &strict, &busy, &of(|it| it.side_by_side), none));
    }
    rows.extend(both("", "bare log", &ours, &floor, none));
    rows
}

/// What all sides took in one round.
struct Round {
    ours: Taken,
    side_by_side: Taken,
    floor: Taken,
    theirs: Option<Theirs>,
}

/// What the peer took.
struct Theirs {
    strict: Taken,
    usual: Taken,
    side_by_side: Taken,
}

/// Rows about time and CPU.
fn both(how: &str, beside: &str, ours: &[Taken], floor: &[Taken], goals: [Goal; 2]) -> [Row; 2] {
    let nodes = SIDE_BY_SIDE + 2;
    let [wall, cpu] = goals;
    [
        row(format!("runs: time of a run of {nodes} nodes{how}, {beside}"), ours, floor, |it| it.wall, wall),
        row(format!("runs: CPU of a run of {nodes} nodes{how}, {beside}"), ours, floor, |it| it.cpu, cpu),
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
