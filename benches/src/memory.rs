//! Memory of a live instance: many calls that wait in a host call.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::child;
use crate::clock::median;
use crate::floor::Floor;
use crate::host::Host;
use crate::report::{Goal, Row};

/// Calls that wait at the same time.
const CALLS: u32 = 200;

/// Calls before the first look, so that what is made once is made.
const WARM_UP: u32 = 8;

/// Children of each variant, of which the middle one counts.
const RUNS: usize = 3;

/// Longer than the measurement takes; nobody waits for the end of it.
const SLEEP: Duration = Duration::from_mins(1);

/// After this every call has come to its wait.
const SETTLE: Duration = Duration::from_millis(500);

/// Measures both variants in children.
pub fn measure() -> Vec<Row> {
    let runs: Vec<[Value; 2]> =
        (0..RUNS).map(|_| [child::ask(&["memory", "host"]), child::ask(&["memory", "floor"])]).collect();
    let each = |variant: usize, name: &str| {
        median(runs.iter().map(|run| run[variant][name].as_f64().unwrap() / f64::from(CALLS)))
    };
    vec![
        Row {
            what: format!("memory: of each of {CALLS} live instances"),
            unit: "KiB",
            ours: each(0, "Pss"),
            floor: each(1, "Pss"),
            goal: Goal::OursAtMost(32.0),
        },
        Row {
            what: "memory: page tables of each".to_owned(),
            unit: "KiB",
            ours: each(0, "VmPTE"),
            floor: each(1, "VmPTE"),
            goal: Goal::None,
        },
    ]
}

/// In a child: by how many KiB the process grows with all calls in their wait.
pub fn grow(variant: &str) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match variant {
            "host" => {
                let (host, tool) = (Arc::new(Host::new("hostile")), "sleep");
                let tool = host.tool(tool);
                let call = |time: Duration| {
                    let host = Arc::clone(&host);
                    async move {
                        let millis = u64::try_from(time.as_millis()).unwrap();
                        host.call_within(2 * SLEEP, tool, &json!({ "millis": millis })).await;
                    }
                };
                growth(call).await
            }
            "floor" => {
                let floor = Arc::new(Floor::new());
                let call = |time: Duration| {
                    let floor = Arc::clone(&floor);
                    async move { floor.sleep(time).await }
                };
                growth(call).await
            }
            other => panic!("no such variant: {other}"),
        }
    })
}

async fn growth<F: Future<Output = ()> + Send + 'static>(call: impl Fn(Duration) -> F) -> Value {
    let mut warm_up: JoinSet<()> = (0..WARM_UP).map(|_| call(Duration::from_millis(1))).collect();
    while warm_up.join_next().await.is_some() {}
    let before = [pss(), page_tables()];
    let mut waiting: JoinSet<()> = (0..CALLS).map(|_| call(SLEEP)).collect();
    tokio::time::sleep(SETTLE).await;
    let after = [pss(), page_tables()];
    assert!(waiting.try_join_next().is_none(), "a call didn't wait");
    json!({ "Pss": after[0].saturating_sub(before[0]), "VmPTE": after[1].saturating_sub(before[1]) })
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
