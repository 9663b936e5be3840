//! Runs of one step: many side by side, and one at a time on a host that is idle.

use std::time::{Duration, Instant};

use bailiwick_domain::run::Class;
use bailiwick_journal::Journal;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::world::{Takes, World, single, submission, usual_queue};
use super::{Taken, Written, event_bytes, many, on, one_by_one, row, summary_bytes};
use crate::clock::{median, quantile};
use crate::log::Log;
use crate::report::{Goal, Row};

/// Callers at once, each of which waits for its run before it submits the next.
const CALLERS: usize = 64;

/// Runs of each caller in one round.
const RUNS: usize = 50;

/// Rounds of each, in turns, of which the middle one counts.
const ROUNDS: usize = 5;

/// Runs by which it is found out what one of them writes.
const SHOWN: usize = 20;

/// Submissions on an idle host.
const SAMPLES: usize = 400;

/// The same before anything is counted.
const WARM_UP: usize = 50;

/// How long the host has nothing to do before each of them.
const PAUSE: Duration = Duration::from_millis(2);

/// Events of a run's second append: it has its place, its task is open, its step begins.
const CLAIM: std::ops::Range<usize> = 1..4;

/// Measures rate, submission and claim.
pub(super) fn measure(threads: &Runtime) -> Vec<Row> {
    let mut rows = side_by_side(threads);
    rows.extend(one_at_a_time(threads));
    rows
}

fn side_by_side(threads: &Runtime) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.redb")).unwrap();
    let world = World::new(&journal, Takes::Nothing, usual_queue());
    let log = Log::new(&folder.path().join("log"));
    let (_, written) = one_by_one(threads, &world, &single(), SHOWN);
    many(threads, &world, &single(), CALLERS, RUNS);
    many_records(threads, &log, written);
    let rounds =
        (0..ROUNDS).map(|_| (many(threads, &world, &single(), CALLERS, RUNS), many_records(threads, &log, written)));
    let (ours, floor): (Vec<Taken>, Vec<Taken>) = rounds.unzip();
    let rate = |rounds: &[Taken]| median(rounds.iter().map(|taken| 1e3 / taken.wall));
    vec![
        Row {
            what: format!("runs: runs of one step in a second, {CALLERS} callers, bare log"),
            unit: "/s",
            ours: rate(&ours),
            floor: rate(&floor),
            goal: Goal::OursAtLeast(1000.0),
        },
        row(
            format!("runs: CPU of a run of one step, {CALLERS} callers, bare log"),
            &ours,
            &floor,
            |it| it.cpu,
            Goal::None,
        ),
    ]
}

/// As many callers make as many records durable as their runs do when each is alone.
fn many_records(threads: &Runtime, log: &Log, written: Written) -> Taken {
    let records = RUNS * written.commits / SHOWN;
    let caller = |_| {
        let log = log.clone();
        async move {
            for _ in 0..records {
                log.append_bytes(written.bytes).await;
            }
        }
    };
    let callers: Vec<_> = (0..CALLERS).map(caller).collect();
    let work = async move { callers.into_iter().collect::<JoinSet<()>>().join_all().await };
    Taken::of(CALLERS * RUNS, || on(threads, work)).0
}

/// What one submission took on an idle host, in milliseconds.
struct Sample {
    /// Until its answer.
    submitted: f64,
    /// From there until its model was asked.
    claimed: f64,
    /// A record of the bytes that the first of both makes durable.
    first: f64,
    /// And of the second.
    second: f64,
}

/// One of these times.
type Part = fn(&Sample) -> f64;

fn one_at_a_time(threads: &Runtime) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.redb")).unwrap();
    let world = World::new(&journal, Takes::Nothing, usual_queue());
    let log = Log::new(&folder.path().join("log"));
    let samples = on(threads, async move {
        let mut samples = Vec::with_capacity(SAMPLES);
        for number in 0..WARM_UP + SAMPLES {
            samples.push(sample(&world, &log, number).await);
        }
        samples.split_off(WARM_UP)
    });
    let share = |value: Part, share: f64| quantile(samples.iter().map(value), share);
    let row = |what: &str, part: f64, ours: Part, floor: Part, goal| Row {
        what: format!("runs: {what}, one caller, bare log"),
        unit: "ms",
        ours: share(ours, part),
        floor: share(floor, part),
        goal,
    };
    let goal = Goal::OursAtMost(1.0);
    vec![
        row("p50 of a submission", 0.5, |it| it.submitted, |it| it.first, goal),
        row("p99 of a submission", 0.99, |it| it.submitted, |it| it.first, Goal::None),
        row("p50 from a submission until the first step begins", 0.5, |it| it.claimed, |it| it.second, goal),
        row("p99 from a submission until the first step begins", 0.99, |it| it.claimed, |it| it.second, Goal::None),
    ]
}

async fn sample(world: &World, log: &Log, number: usize) -> Sample {
    tokio::time::sleep(PAUSE).await;
    let start = Instant::now();
    let id = world.runtime.submit(submission(&single(), Class::Normal, number)).await.unwrap().id;
    let submitted = Instant::now();
    world.runtime.left(&id).await;
    let (events, summary) = (event_bytes(world, &id), summary_bytes(world, &id));
    tokio::time::sleep(PAUSE).await;
    let bare = Instant::now();
    log.append_bytes(events[0] + summary).await;
    let first = Instant::now();
    log.append_bytes(events[CLAIM].iter().sum::<usize>() + summary).await;
    let second = first.elapsed();
    Sample {
        submitted: millis(submitted - start),
        claimed: millis(world.model.asked_at(number).saturating_duration_since(submitted)),
        first: millis(first - bare),
        second: millis(second),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
