//! The task that sends: batches from the queue, again where that may help.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bailiwick_domain::span::Span;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio::time::{sleep, timeout};

use super::body;
use super::send::{Again, Refusal, Sender};

/// Spans of one request: below a MiB as a rule, which collectors take.
const BATCH: usize = 512;

/// How often a batch is sent before it is dropped.
const ATTEMPTS: u32 = 5;

/// How long to wait before a batch is sent again, where the collector doesn't say: twice as
/// long each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest such wait, whatever the collector says: the queue fills meanwhile.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// How often the log says that spans were lost.
const WARN_EVERY: Duration = Duration::from_mins(1);

pub(super) struct Worker {
    sender: Sender,
    queue: mpsc::Receiver<Span>,
    stopping: watch::Receiver<bool>,
    is_stopping: bool,
    linger: Duration,
    lost: Arc<AtomicU64>,
    /// How many of the lost ones the log knows of, and since when.
    told: u64,
    told_at: Option<Instant>,
}

impl Worker {
    pub(super) fn new(
        sender: Sender,
        queue: mpsc::Receiver<Span>,
        stopping: watch::Receiver<bool>,
        linger: Duration,
        lost: Arc<AtomicU64>,
    ) -> Self {
        Self { sender, queue, stopping, is_stopping: false, linger, lost, told: 0, told_at: None }
    }

    /// Sends until the tracer stops and nothing is left.
    pub(super) async fn live(mut self) {
        let mut batch = Vec::new();
        while self.fill(&mut batch).await {
            self.deliver(&batch).await;
            batch.clear();
        }
    }

    /// Waits for spans. False when there are none any more.
    async fn fill(&mut self, batch: &mut Vec<Span>) -> bool {
        if self.take(batch).await == 0 {
            return false;
        }
        let linger = self.linger;
        let full = async { while batch.len() < BATCH && self.take(batch).await > 0 {} };
        // What was taken by then is sent; nothing is taken and forgotten.
        let _ = timeout(linger, full).await;
        true
    }

    /// Takes what there is, one span at least; none when there will be no more.
    async fn take(&mut self, batch: &mut Vec<Span>) -> usize {
        let room = BATCH.saturating_sub(batch.len());
        tokio::select! {
            biased;
            taken = self.queue.recv_many(batch, room) => taken,
            _ = self.stopping.changed(), if !self.is_stopping => {
                self.is_stopping = true;
                self.queue.close();
                self.queue.recv_many(batch, room).await
            }
        }
    }

    async fn deliver(&mut self, spans: &[Span]) {
        let all = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        let body = match body::of(spans) {
            Ok(body) => body,
            Err(error) => return self.lose(all, &error.to_string()),
        };
        let mut wait = FIRST_WAIT;
        for attempt in 1..=ATTEMPTS {
            match self.sender.post(body.clone()).await {
                Ok(0) => return self.lose(0, "they came faster than the collector took them"),
                Ok(rejected) => return self.lose(rejected.min(all), "the collector rejects them"),
                Err(Refusal { reason, again }) => {
                    let pause = match again {
                        Again::After(pause) => pause.min(MAX_WAIT),
                        Again::Later => wait.min(MAX_WAIT),
                        Again::Never => return self.lose(all, &reason),
                    };
                    if attempt == ATTEMPTS {
                        return self.lose(all, &reason);
                    }
                    tracing::debug!(reason, attempt, "spans are sent again");
                    // Those are told of that found no room meanwhile.
                    self.lose(0, &reason);
                    sleep(pause).await;
                    wait = wait.saturating_mul(2);
                }
            }
        }
    }

    /// Counts spans that are gone, and says so from time to time, those included that found
    /// the queue full.
    fn lose(&mut self, spans: u64, reason: &str) {
        let lost = self.lost.fetch_add(spans, Ordering::Relaxed).saturating_add(spans);
        let is_due = self.told_at.is_none_or(|told| told.elapsed() >= WARN_EVERY);
        if lost > self.told && is_due {
            let new = lost - self.told;
            tracing::warn!(spans = new, lost, reason, "spans of traces are lost");
            (self.told, self.told_at) = (lost, Some(Instant::now()));
        }
    }
}
