//! Memory of a live instance: many calls that wait in a host call.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::child;
use crate::clock::median;
use crate::floor::{self, Floor};
use crate::guests;
use crate::host::Host;
use crate::report::{Goal, Row};

/// Calls that wait at the same time.
const CALLS: u32 = 200;

/// Calls before the first look, so that what is made once is made.
const WARM_UP: u32 = 8;

/// Children of each variant, of which the middle one counts.
const RUNS: usize = 3;

/// How long a call waits: well beyond the time that it takes to begin all of them.
const SLEEP: Duration = Duration::from_secs(2);

/// After this every call has come to its wait.
const SETTLE: Duration = Duration::from_secs(1);

/// Measures a small guest and one in Rust.
pub fn measure() -> Vec<Row> {
    let small = with_guest("small", "a small guest", Goal::OursAtMost(32.0));
    small.into_iter().chain(with_guest("rust", "a guest in Rust", Goal::None)).collect()
}

fn with_guest(name: &str, what: &str, goal: Goal) -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("compiled");
    let guest = guests::named(name);
    floor::precompile(&guest, &compiled);
    // The host's cache is filled before, so that no child compiles anything.
    drop(Host::new(&guest.path));
    let compiled = compiled.to_str().unwrap();
    let run = |_| ["host", "floor"].map(|variant| child::ask(&["memory", variant, name, compiled]));
    let runs: Vec<[Value; 2]> = (0..RUNS).map(run).collect();
    let each = |variant: usize, name: &str| {
        median(runs.iter().map(|run| run[variant][name].as_f64().unwrap() / f64::from(CALLS)))
    };
    let row =
        |what: String, name: &str, goal| Row { what, unit: "KiB", ours: each(0, name), floor: each(1, name), goal };
    vec![
        row(format!("memory: of each of {CALLS} instances of {what}"), "fresh", goal),
        row("memory: the same in places that were used before".to_owned(), "used", Goal::None),
        row("memory: page tables of each".to_owned(), "tables", Goal::None),
    ]
}

/// In a child: by how many KiB the process grows with all calls in their wait.
pub fn grow(variant: &str, guest: &str, compiled: &str) -> Value {
    let guest = guests::named(guest);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match variant {
            "host" => {
                let host = Arc::new(Host::new(&guest.path));
                let tool = host.tool("sleep");
                growth(|time| sleep(Arc::clone(&host), tool, time)).await
            }
            "floor" => {
                let floor = Arc::new(Floor::mapped(&guest, Path::new(compiled)));
                growth(|time| sleep_bare(Arc::clone(&floor), time)).await
            }
            other => panic!("no such variant: {other}"),
        }
    })
}

async fn sleep(host: Arc<Host>, tool: usize, time: Duration) {
    let millis = u64::try_from(time.as_millis()).unwrap();
    host.call(tool, &json!({ "millis": millis })).await;
}

async fn sleep_bare(floor: Arc<Floor>, time: Duration) {
    floor.sleep(time).await;
}

async fn growth<F: Future<Output = ()> + Send + 'static>(call: impl Fn(Duration) -> F) -> Value {
    let start = |count: u32, time: Duration| -> JoinSet<()> { (0..count).map(|_| call(time)).collect() };
    for _ in 0..WARM_UP {
        start(1, Duration::from_millis(1)).join_all().await;
    }
    let (before, tables) = (pss(), page_tables());
    let waiting = start(CALLS, SLEEP);
    tokio::time::sleep(SETTLE).await;
    let (fresh, fresh_tables) = (pss(), page_tables());
    finish(waiting).await;
    let waiting = start(CALLS, SLEEP);
    tokio::time::sleep(SETTLE).await;
    let used = pss();
    finish(waiting).await;
    json!({ "fresh": fresh - before, "used": used - before, "tables": fresh_tables - tables })
}

/// Waits for all calls, none of which may have ended before.
async fn finish(mut waiting: JoinSet<()>) {
    assert!(waiting.try_join_next().is_none(), "a call didn't wait");
    waiting.join_all().await;
}

/// KiB of this process. A page that is mapped many times, such as the code and
/// the initial memory of a component, counts once.
fn pss() -> u64 {
    kib("/proc/self/smaps_rollup", "Pss:")
}

/// KiB that the kernel needs to know where the pages are. They are not part of
/// the memory that the system shows for a process.
fn page_tables() -> u64 {
    kib("/proc/self/status", "VmPTE:")
}

fn kib(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
