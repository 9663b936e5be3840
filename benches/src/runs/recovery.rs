//! From an empty process to a host in which every run that a crash cut off goes on.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bailiwick_journal::Journal;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde_json::{Value, json};

use super::world::{Takes, World, all_places, usual_queue};
use super::{on, threads};
use crate::child;
use crate::clock::{median, process_cpu};
use crate::report::{Goal, Row};

/// Numbers of open runs that are tried.
const RUNS: [usize; 3] = [100, 1_000, 10_000];

/// Starts of each variant, of which the middle one counts.
const ROUNDS: usize = 5;

/// Runs that one host has under way, fewer than it has places for them.
const AT_ONCE: usize = 2_500;

/// Pages that are kept in memory, as in the host.
const CACHE_BYTES: usize = 64 << 20;

/// Events of runs, as many as were appended together, by run and the number of the first.
const RUN_SEGMENTS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("run-segments");

/// Measures the start with each number of open runs.
pub fn measure() -> Vec<Row> {
    RUNS.into_iter().flat_map(with_runs).collect()
}

fn with_runs(runs: usize) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let (journal, copy) = (folder.path().join("journal.redb"), folder.path().join("copy.redb"));
    child::ask(&["fill", journal.to_str().unwrap(), &runs.to_string()]);
    let start = |variant: &str| {
        // A start changes its journal, so that each has the same one anew.
        for kind in ["redb", "wal"] {
            fs::copy(journal.with_extension(kind), copy.with_extension(kind)).unwrap();
        }
        child::ask(&["recover", variant, copy.to_str().unwrap()])
    };
    let rounds: Vec<[Value; 2]> = (0..ROUNDS).map(|_| ["host", "floor"].map(start)).collect();
    assert!(rounds.iter().flatten().all(|round| round["runs"] == runs), "a run is missing: {rounds:?}");
    let middle = |variant: usize, name: &str| median(rounds.iter().map(|round| round[variant][name].as_f64().unwrap()));
    let row = |what: &str, name: &str, goal| Row {
        what: format!("recovery: {what} until {runs} open runs are taken up"),
        unit: "ms",
        ours: middle(0, name),
        floor: middle(1, name),
        goal,
    };
    let goal = if runs == 10_000 { Goal::OursAtMost(2_000.0) } else { Goal::None };
    vec![row("CPU", "cpu", Goal::None), row("time", "wall", goal)]
}

/// In a child: leaves a journal behind as a crash does, with so many runs whose model was
/// asked and has not answered.
pub fn fill(journal: &str, runs: &str) -> Value {
    let runs: usize = runs.parse().unwrap();
    let threads = threads();
    let journal = Journal::open(Path::new(journal)).unwrap();
    // A host has places for some of them; the next one on the same journal has others.
    for begun in (0..runs).step_by(AT_ONCE) {
        let world = World::new(&journal, Takes::ForEver, all_places());
        on(&threads, async move {
            world.begin(AT_ONCE.min(runs - begun)).await;
            world.runtime.stop(Duration::ZERO).await;
        });
    }
    // Nobody closes it.
    std::mem::forget(journal);
    json!({ "runs": runs })
}

/// In a child: opens the journal, and says what that took in milliseconds.
pub fn start(variant: &str, journal: &str) -> Value {
    match variant {
        "host" => take_up(Path::new(journal)),
        "floor" => read(Path::new(journal)),
        other => panic!("no such variant: {other}"),
    }
}

/// Has every run go on.
fn take_up(path: &Path) -> Value {
    let threads = threads();
    let (cpu, start) = (process_cpu(), Instant::now());
    let journal = Journal::open(path).unwrap();
    let world = World::new(&journal, Takes::ForEver, usual_queue());
    let recovered = threads.block_on(world.runtime.recover()).unwrap();
    let taken = taken(cpu, start);
    let open = journal.open_runs().unwrap();
    let live = open.iter().filter(|id| world.runtime.follow(&id.parse().unwrap()).is_some()).count();
    assert_eq!((recovered.resumed, open.len()), (live, live), "a run has no actor: {recovered:?}");
    json!({ "runs": live, "wall": taken[0], "cpu": taken[1] })
}

/// Reads the same events, and makes nothing of them.
fn read(path: &Path) -> Value {
    // The engine alone knows nothing of the log before it, so that it gets a journal that was
    // closed.
    drop(Journal::open(path).unwrap());
    let (cpu, start) = (process_cpu(), Instant::now());
    let database = Database::builder().set_cache_size(CACHE_BYTES).open(path).unwrap();
    let table = database.begin_read().unwrap().open_table(RUN_SEGMENTS).unwrap();
    let (mut runs, mut bytes) = (0_usize, 0_usize);
    for row in table.iter().unwrap() {
        let (key, row) = row.unwrap();
        runs += usize::from(key.value().1 == 1);
        bytes += row.value().len();
    }
    let taken = taken(cpu, start);
    json!({ "runs": runs, "bytes": bytes, "wall": taken[0], "cpu": taken[1] })
}

/// Milliseconds since then, on the clock and on the cores.
fn taken(cpu: Duration, start: Instant) -> [f64; 2] {
    let (wall, cpu) = (start.elapsed(), process_cpu().saturating_sub(cpu));
    [wall, cpu].map(|time| time.as_secs_f64() * 1e3)
}
