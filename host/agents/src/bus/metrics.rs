//! How the host stands, in numbers.

use bailiwick_domain::run::Spend;
use serde_json::json;

use super::Told;
use crate::scheduler::queue::{ClassSnapshot, QueueSnapshot};

/// Where numbers of the host belong.
const TOPIC: &str = "metrics";

/// What is told of a host that has so many open runs, the queue of which stands so, and the
/// runs of which took `spent` since it started. But for the time, it is equal where nothing
/// changed.
pub(crate) fn metrics(queue: &QueueSnapshot, open_runs: usize, spent: &Spend, at: u64) -> Told {
    let class = |class: &ClassSnapshot| json!({ "waiting": class.waiting, "running": class.running });
    let data = json!({
        "queue": {
            "interactive": class(&queue.classes.interactive),
            "normal": class(&queue.classes.normal),
            "batch": class(&queue.classes.batch),
        },
        "open_runs": open_runs,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "usd": spent.usd.dollars(),
    });
    Told { topic: TOPIC.to_owned(), name: "metrics.updated", at, run: None, data }
}
