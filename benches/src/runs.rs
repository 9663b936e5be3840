//! Durable runs, without a network and without a model: what remains is the host's own.
//!
//! Beside them stand a bare log that makes as many records of the same sizes durable,
//! which is the least that durability costs, and a peer that does the same work.

pub mod graph;
pub mod idle;
pub mod peer;
pub mod queue;
pub mod recovery;
pub mod single;
pub mod world;

use std::sync::Arc;
use std::time::Instant;

use bailiwick_domain::run::{Class, RunId, Strategy};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use self::world::{World, submission};
use crate::clock::{median, micros_each, process_cpu};
use crate::log::Log;
use crate::report::{Goal, Row};

/// Measures runs one after another and side by side, and a host that has nothing to do.
pub fn measure() -> Vec<Row> {
    let threads = threads();
    let mut rows = graph::measure(&threads);
    rows.extend(single::measure(&threads));
    rows.extend(idle::measure());
    rows
}

/// The threads of a host on a small machine.
pub fn threads() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Does `work` on one of these threads, as a request is answered there.
pub fn on<T: Send + 'static>(threads: &Runtime, work: impl Future<Output = T> + Send + 'static) -> T {
    threads.block_on(threads.spawn(work)).unwrap()
}

/// What one of many took, in milliseconds: its share of the time, and of the process's CPU.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// On the clock.
    pub wall: f64,
    /// On the cores.
    pub cpu: f64,
}

impl Taken {
    /// Does `work`, which is `count` times the same, and answers what came of it too.
    pub fn of<T>(count: usize, work: impl FnOnce() -> T) -> (Self, T) {
        let (cpu, start) = (process_cpu(), Instant::now());
        let done = work();
        let (wall, cpu) = (start.elapsed(), process_cpu().saturating_sub(cpu));
        (Self { wall: micros_each(wall, count) / 1e3, cpu: micros_each(cpu, count) / 1e3 }, done)
    }
}

/// What runs left in their journal.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Of all of them.
    pub commits: usize,
    /// Bytes of one commit, on average: its events, and the row of the run in lists.
    pub bytes: usize,
}

/// Makes so many runs, each after the one before is over.
pub fn one_by_one(threads: &Runtime, world: &Arc<World>, strategy: &Strategy, count: usize) -> (Taken, Written) {
    let before = world.journal.commits();
    let work = {
        let (world, strategy) = (Arc::clone(world), strategy.clone());
        async move {
            let mut ids = Vec::with_capacity(count);
            for number in 0..count {
                ids.push(world.run(submission(&strategy, Class::Normal, number)).await);
            }
            ids
        }
    };
    let (taken, ids) = Taken::of(count, || on(threads, work));
    let commits = usize::try_from(world.journal.commits() - before).unwrap();
    world.check(&ids);
    let events: usize = ids.iter().flat_map(|id| event_bytes(world, id)).sum();
    (taken, Written { commits, bytes: events / commits + summary_bytes(world, &ids[0]) })
}

/// Has so many callers at once make so many runs each, one after another.
pub fn many(threads: &Runtime, world: &Arc<World>, strategy: &Strategy, callers: usize, each: usize) -> Taken {
    let caller = |caller: usize| {
        let (world, strategy) = (Arc::clone(world), strategy.clone());
        async move {
            let mut ids = Vec::with_capacity(each);
            for number in caller * each..(caller + 1) * each {
                ids.push(world.run(submission(&strategy, Class::Normal, number)).await);
            }
            ids
        }
    };
    let work: Vec<_> = (0..callers).map(caller).collect();
    let work = async move { work.into_iter().collect::<JoinSet<_>>().join_all().await.concat() };
    let (taken, ids) = Taken::of(callers * each, || on(threads, work));
    world.check(&ids);
    taken
}

/// Makes as many records durable as these runs did, each after the one before.
pub fn bare(threads: &Runtime, log: &Log, written: Written, count: usize) -> Taken {
    let log = log.clone();
    let work = async move {
        for _ in 0..written.commits {
            log.append_bytes(written.bytes).await;
        }
    };
    Taken::of(count, || on(threads, work)).0
}

/// Bytes of each event of a run.
pub fn event_bytes(world: &World, id: &RunId) -> Vec<usize> {
    let log = world.journal.run_events(id.as_str(), 0, usize::MAX).unwrap();
    log.events.iter().map(|(_, event)| event.len()).collect()
}

/// Bytes of the row of a run in lists, which each commit of it writes again.
pub fn summary_bytes(world: &World, id: &RunId) -> usize {
    world.journal.run_summary(id.as_str()).unwrap().unwrap().len()
}

/// A row about milliseconds, of which the middle round counts.
fn row(what: String, ours: &[Taken], floor: &[Taken], value: fn(&Taken) -> f64, goal: Goal) -> Row {
    Row { what, unit: "ms", ours: median(ours.iter().map(value)), floor: median(floor.iter().map(value)), goal }
}
