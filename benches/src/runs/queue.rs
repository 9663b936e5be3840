//! How long runs wait for a place on a host that is asked for more than it can do.
//!
//! The floor is the same host with the same arrivals, all of one class: first come,
//! first served. So the rows show what classes are worth, and not what a queue costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick_agents::SubmitError;
use bailiwick_domain::run::Class;
use bailiwick_journal::Journal;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::world::{Takes, World, single, submission, usual_queue};
use super::{on, threads};
use crate::clock::{median, quantile};
use crate::report::{Goal, Row};

/// How long the model takes.
const STEP: Duration = Duration::from_millis(2);

/// Callers that find out what the host can do: more than it has places.
const CALLERS: usize = 64;

/// How long they ask before anything is counted.
const WARM_UP: Duration = Duration::from_millis(500);

/// How long they ask after that.
const TRIAL: Duration = Duration::from_secs(2);

/// How long runs arrive in one round.
const ARRIVALS: Duration = Duration::from_secs(2);

/// Rounds of each, in turns, of which the middle one counts.
const ROUNDS: u64 = 3;

/// Batch runs that arrive, for each that the host can do.
const BATCH: f64 = 2.0;

/// The same of interactive runs.
const INTERACTIVE: f64 = 0.1;

/// Measures waits under twice the load that the host can take.
pub fn measure() -> Vec<Row> {
    let threads = threads();
    let capacity = capacity(&threads);
    let rounds: Vec<[Waits; 2]> = (1..=ROUNDS)
        .map(|seed| {
            let arrivals: Arc<[Arrival]> = arrivals(capacity, seed).into();
            [false, true].map(|alike| overload(&threads, &arrivals, alike))
        })
        .collect();
    [Class::Interactive, Class::Batch].into_iter().flat_map(|class| rows(class, &rounds)).collect()
}

fn rows(class: Class, rounds: &[[Waits; 2]]) -> Vec<Row> {
    let middle =
        |variant: usize, value: &dyn Fn(&Waits) -> f64| median(rounds.iter().map(|round| value(&round[variant])));
    let row = |what: &str, unit, value: &dyn Fn(&Waits) -> f64, goal| Row {
        what: format!("queue: {what} of {class} runs, beside first come, first served"),
        unit,
        ours: middle(0, value),
        floor: middle(1, value),
        goal,
    };
    let goal = if class == Class::Interactive { Goal::OursAtMost(10.0) } else { Goal::None };
    vec![
        row("p50 of the wait", "ms", &|waits| waits.share(class, 0.5), Goal::None),
        row("p95 of the wait", "ms", &|waits| waits.share(class, 0.95), goal),
        row("p99 of the wait", "ms", &|waits| waits.share(class, 0.99), Goal::None),
        row("refused", "%", &|waits| waits.refused(class), Goal::None),
    ]
}

/// A host with a journal of its own.
fn host() -> (TempDir, Arc<World>) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.redb")).unwrap();
    (folder, World::new(&journal, Takes::Time(STEP), usual_queue()))
}

/// Runs a second that the host can do with all of its places.
fn capacity(threads: &Runtime) -> f64 {
    let (_folder, world) = host();
    on(threads, rate(Arc::clone(&world), WARM_UP));
    on(threads, rate(world, TRIAL))
}

async fn rate(world: Arc<World>, time: Duration) -> f64 {
    let start = Instant::now();
    let caller = |number: usize| {
        let world = Arc::clone(&world);
        async move {
            let mut runs = 0;
            while start.elapsed() < time {
                world.run(submission(&single(), Class::Interactive, number)).await;
                runs += 1;
            }
            runs
        }
    };
    let callers: JoinSet<u32> = (0..CALLERS).map(caller).collect();
    let runs: u32 = callers.join_all().await.into_iter().sum();
    f64::from(runs) / start.elapsed().as_secs_f64()
}

/// A run that somebody wants.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    at: Duration,
    class: Class,
}

/// The arrivals of one round, in their order.
fn arrivals(capacity: f64, seed: u64) -> Vec<Arrival> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut all = stream(Class::Batch, capacity * BATCH, &mut random);
    all.extend(stream(Class::Interactive, capacity * INTERACTIVE, &mut random));
    all.sort_by_key(|arrival| arrival.at);
    all
}

/// Arrivals that know nothing of each other, so many in a second.
fn stream(class: Class, rate: f64, random: &mut Random) -> Vec<Arrival> {
    let (mut at, end) = (0.0, ARRIVALS.as_secs_f64());
    let mut all = Vec::new();
    loop {
        at += random.gap() / rate;
        if at >= end {
            return all;
        }
        all.push(Arrival { at: Duration::from_secs_f64(at), class });
    }
}

/// A small generator, so that both sides have the same arrivals.
struct Random(u64);

impl Random {
    /// The time between two arrivals of which one comes in a unit of time, on average.
    fn gap(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let upper = u32::try_from(self.0 >> 32).unwrap();
        // Above 0 and below 1.
        let share = (f64::from(upper) + 0.5) / 4_294_967_296.0;
        -share.ln()
    }
}

/// How long each run waited in one round, in milliseconds; nothing where it was refused.
struct Waits(Vec<(Class, Option<f64>)>);

impl Waits {
    fn of(&self, class: Class) -> impl Iterator<Item = Option<f64>> {
        self.0.iter().filter(move |(of, _)| *of == class).map(|(_, wait)| *wait)
    }

    fn share(&self, class: Class, share: f64) -> f64 {
        quantile(self.of(class).flatten(), share)
    }

    /// In per cent.
    fn refused(&self, class: Class) -> f64 {
        let count = |number: usize| f64::from(u32::try_from(number).unwrap());
        count(self.of(class).filter(Option::is_none).count()) / count(self.of(class).count()) * 100.0
    }
}

/// One round. Where all are `alike`, they are submitted as interactive, because that class
/// may have every place and every seat in the queue.
fn overload(threads: &Runtime, arrivals: &Arc<[Arrival]>, alike: bool) -> Waits {
    let (_folder, world) = host();
    on(threads, arrive(world, Arc::clone(arrivals), alike))
}

async fn arrive(world: Arc<World>, arrivals: Arc<[Arrival]>, alike: bool) -> Waits {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, arrival) in arrivals.iter().copied().enumerate() {
        let due = start + arrival.at;
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let (world, begun) = (Arc::clone(&world), Instant::now());
        let class = if alike { Class::Interactive } else { arrival.class };
        tasks.spawn(async move { (arrival.class, wait(&world, class, number, begun).await) });
    }
    Waits(tasks.join_all().await)
}

/// From the arrival until the model is asked: the run was taken up, has its place, and
/// both are durable.
async fn wait(world: &World, class: Class, number: usize, begun: Instant) -> Option<f64> {
    let id = match world.runtime.submit(submission(&single(), class, number)).await {
        Ok(submitted) => submitted.id,
        Err(SubmitError::QueueFull(_)) => return None,
        Err(error) => panic!("a run was not taken up: {error}"),
    };
    world.runtime.left(&id).await;
    Some(world.model.asked_at(number).saturating_duration_since(begun).as_secs_f64() * 1e3)
}
