//! One call: a fresh instance that gets a text and gives it back.

use std::sync::Barrier;
use std::thread;

use serde_json::Value;

use crate::clock::{Spent, median, micros_each, spent};
use crate::floor::Floor;
use crate::guests::{self, Guest};
use crate::host::{Host, echo_arguments};
use crate::report::{Goal, Row};

/// Calls of one thread in one round: some 50 ms, so that a round is long beside
/// the start of a thread and short beside the moods of the machine.
const CALLS: usize = 5_000;

/// The same for a guest with an interpreter, which takes a hundred times as long.
const INTERPRETED_CALLS: usize = 50;

/// Rounds of each variant, of which the middle one counts.
const ROUNDS: usize = 15;

/// Calls before anything is counted.
const WARM_UP: usize = 500;

/// Something that gives [`crate::TEXT`] back from a fresh instance.
pub trait Echo: Sync {
    /// Makes one call, and panics where the answer is wrong.
    fn echo(&self) -> impl Future<Output = ()>;
}

impl Echo for Floor {
    async fn echo(&self) {
        assert_eq!(Self::echo(self, crate::TEXT).await, crate::TEXT);
    }
}

/// The host with the call prepared: the arguments are parsed once.
pub struct Prepared {
    host: Host,
    tool: usize,
    arguments: Value,
    answer: String,
}

impl Prepared {
    /// Calls of the guest's `echo`.
    pub fn new(guest: &Guest) -> Self {
        let host = Host::new(&guest.path);
        let tool = host.tool("echo");
        let answer = serde_json::to_string(crate::TEXT).unwrap();
        Self { host, tool, arguments: echo_arguments(), answer }
    }
}

impl Echo for Prepared {
    async fn echo(&self) {
        assert_eq!(self.host.call(self.tool, &self.arguments).await, self.answer);
    }
}

/// What one round gave.
struct Round {
    /// CPU time of a call, in microseconds.
    cpu: f64,
    /// Calls a second, were this the only program on its cores.
    rate: f64,
}

/// Measures calls on one thread and on two, and those of interpreters on one.
pub fn measure() -> Vec<Row> {
    let mut rows = compiled();
    rows.extend([("Python", "python"), ("JavaScript", "javascript")].map(|(name, folder)| interpreted(name, folder)));
    rows
}

/// Of a component that another language's toolchain made, with that language in it.
fn interpreted(name: &str, folder: &str) -> Row {
    let guest = guests::plain(folder);
    let (host, floor) = (Prepared::new(&guest), Floor::new(&guest));
    round(&host, 1, INTERPRETED_CALLS);
    round(&floor, 1, INTERPRETED_CALLS);
    let rounds: Vec<[Round; 2]> =
        (0..ROUNDS).map(|_| [round(&host, 1, INTERPRETED_CALLS), round(&floor, 1, INTERPRETED_CALLS)]).collect();
    let cpu = |variant: usize| median(rounds.iter().map(|round| round[variant].cpu));
    Row {
        what: format!("call: CPU of a fresh instance with {name} and one call"),
        unit: "µs",
        ours: cpu(0),
        floor: cpu(1),
        goal: Goal::RatioAtMost(2.0),
    }
}

fn compiled() -> Vec<Row> {
    let guest = guests::rust();
    let (host, floor) = (Prepared::new(&guest), Floor::new(&guest));
    round(&host, 1, WARM_UP);
    round(&floor, 1, WARM_UP);
    let rounds: Vec<[Round; 4]> = (0..ROUNDS)
        .map(|_| [round(&host, 1, CALLS), round(&floor, 1, CALLS), round(&host, 2, CALLS), round(&floor, 2, CALLS)])
        .collect();
    let cpu = |variant: usize| median(rounds.iter().map(|round| round[variant].cpu));
    // The two of one round stand next to each other in time.
    let scaling = |one: usize, two: usize| median(rounds.iter().map(|round| round[two].rate / round[one].rate));
    vec![
        Row {
            what: "call: CPU of a fresh instance and one call".to_owned(),
            unit: "µs",
            ours: cpu(0),
            floor: cpu(1),
            goal: Goal::RatioAtMost(2.0),
        },
        Row {
            what: "call: the same, two threads at once".to_owned(),
            unit: "µs",
            ours: cpu(2),
            floor: cpu(3),
            goal: Goal::None,
        },
        Row {
            what: "call: rate of two threads over that of one".to_owned(),
            unit: "×",
            ours: scaling(0, 2),
            floor: scaling(1, 3),
            goal: Goal::OursAtLeast(1.8),
        },
    ]
}

/// Has each of `threads` make `calls`.
fn round(echo: &impl Echo, threads: usize, calls: usize) -> Round {
    let start = Barrier::new(threads);
    let all: Vec<Spent> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| worker(echo, calls, &start))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    Round {
        cpu: micros_each(all.iter().map(|spent| spent.cpu).sum(), calls * threads),
        rate: all.iter().map(|spent| 1e6 / micros_each(spent.own, calls)).sum(),
    }
}

fn worker(echo: &impl Echo, calls: usize, start: &Barrier) -> Spent {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    start.wait();
    spent(|| {
        runtime.block_on(async {
            for _ in 0..calls {
                echo.echo().await;
            }
        });
    })
}
