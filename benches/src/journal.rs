//! Records that are durable before they are acknowledged, by one caller and by many.

use std::sync::Arc;
use std::time::Instant;

use bailiwick_journal::Journal;
use tokio::runtime::Runtime;

use crate::clock::{median, micros_each};
use crate::log::Log;
use crate::report::{Goal, Row};

/// Callers at once.
const CALLERS: usize = 64;

/// Records of each caller in one round.
const RECORDS: usize = 200;

/// Rounds, of which the middle one counts.
const ROUNDS: usize = 5;

/// Something that makes records durable.
trait Durable: Send + Sync + 'static {
    fn append(&self) -> impl Future<Output = ()> + Send;
}

impl Durable for Log {
    async fn append(&self) {
        Self::append(self).await;
    }
}

impl Durable for Journal {
    async fn append(&self) {
        let body = format!("{{\"kind\":\"bench\",\"text\":\"{}\"}}", "x".repeat(360));
        Self::append(self, body).await.unwrap();
    }
}

/// Measures the audit chain beside a bare log.
pub fn measure() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let chain = Journal::open(&folder.path().join("chain")).unwrap();
    let log = Arc::new(Log::new(&folder.path().join("log")));
    let of = |callers| (rate(&runtime, &chain, callers), rate(&runtime, &log, callers));
    let (alone, many) = (of(1), of(CALLERS));
    vec![
        Row {
            what: "audit: durable records a second, one caller".to_owned(),
            unit: "/s",
            ours: alone.0,
            floor: alone.1,
            goal: Goal::None,
        },
        Row {
            what: format!("audit: durable records a second, {CALLERS} callers"),
            unit: "/s",
            ours: many.0,
            floor: many.1,
            goal: Goal::None,
        },
        Row {
            what: format!("audit: rate of {CALLERS} callers over that of one"),
            unit: "×",
            ours: many.0 / alone.0,
            floor: many.1 / alone.1,
            goal: Goal::OursAtLeast(7.0),
        },
    ]
}

fn rate<D: Durable>(runtime: &Runtime, durable: &Arc<D>, callers: usize) -> f64 {
    let round = || {
        let start = Instant::now();
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..callers {
                let durable = Arc::clone(durable);
                tasks.spawn(async move {
                    for _ in 0..RECORDS {
                        durable.append().await;
                    }
                });
            }
            tasks.join_all().await;
        });
        1e6 / micros_each(start.elapsed(), callers * RECORDS)
    };
    round();
    median((0..ROUNDS).map(|_| round()))
}
