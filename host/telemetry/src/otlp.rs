//! Spans to a collector: OTLP over HTTP, as JSON, in batches.
//!
//! Spans wait in a queue that has an end. One task takes them from there and sends them,
//! again where the collector says that it may take them later. Where it takes them too slowly
//! or not at all, spans are dropped and counted, and nobody waits.

mod body;
mod send;
mod worker;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::span::{Span, Tracer};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use self::send::Sender;
use self::worker::Worker;

/// Spans that wait to be sent: those of hundreds of runs that end together, in a few MiB.
pub const QUEUE: usize = 8192;

/// How long a request may take, with its answer.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How long a span waits for others that are sent with it.
pub const LINGER: Duration = Duration::from_secs(1);

/// Says the headers that go along, as they are at this moment. The error is words about why
/// there are none.
pub type HeaderSource = Arc<dyn Fn() -> Result<Vec<(String, Zeroizing<String>)>, String> + Send + Sync>;

/// What has to be known of a collector.
#[derive(Clone)]
pub struct OtlpOptions {
    /// Where it is, such as `http://127.0.0.1:4318`; the path `/v1/traces` is put behind.
    pub url: String,
    /// Asked for each request, so that a key may change.
    pub headers: HeaderSource,
    /// Spans that may wait.
    pub queue: usize,
    /// How long a request may take.
    pub timeout: Duration,
    /// How long a span waits for others.
    pub linger: Duration,
}

impl OtlpOptions {
    /// Those of a collector, as they are meant to be.
    pub fn new(url: impl Into<String>, headers: HeaderSource) -> Self {
        Self { url: url.into(), headers, queue: QUEUE, timeout: TIMEOUT, linger: LINGER }
    }
}

impl fmt::Debug for OtlpOptions {
    /// Without the headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpOptions")
            .field("url", &self.url)
            .field("queue", &self.queue)
            .field("timeout", &self.timeout)
            .field("linger", &self.linger)
            .finish_non_exhaustive()
    }
}

/// The options are of no collector.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The address can't be used. It isn't shown, because a password may stand in it.
    #[error("{0}, expected an address such as `http://127.0.0.1:4318`")]
    Url(&'static str),
    /// The system gives no HTTP client.
    #[error("there is no HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Sends spans to a collector.
pub struct OpenTelemetryTracer {
    spans: mpsc::Sender<Span>,
    lost: Arc<AtomicU64>,
    stopping: watch::Sender<bool>,
    work: Mutex<Work>,
}

/// Where the task stands that sends.
enum Work {
    /// It begins with the first span, because only then a runtime must be there.
    ToBegin(Box<Worker>),
    UnderWay(JoinHandle<()>),
    Over,
}

impl OpenTelemetryTracer {
    /// Makes ready to send; connects to nothing.
    pub fn new(options: OtlpOptions) -> Result<Self, OptionsError> {
        let (spans, queue) = mpsc::channel(options.queue.max(1));
        let (stopping, is_stopping) = watch::channel(false);
        let lost: Arc<AtomicU64> = Arc::default();
        let linger = options.linger;
        let worker = Worker::new(Sender::new(options)?, queue, is_stopping, linger, Arc::clone(&lost));
        Ok(Self { spans, lost, stopping, work: Mutex::new(Work::ToBegin(Box::new(worker))) })
    }

    fn begin(&self) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*work, Work::ToBegin(_))
            && let Ok(runtime) = Handle::try_current()
            && let Work::ToBegin(worker) = std::mem::replace(&mut *work, Work::Over)
        {
            *work = Work::UnderWay(runtime.spawn(worker.live()));
        }
    }

    fn end(&self) -> Option<JoinHandle<()>> {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *work, Work::Over) {
            Work::UnderWay(task) => Some(task),
            Work::ToBegin(_) | Work::Over => None,
        }
    }

    /// Spans that wait in the queue.
    fn waiting(&self) -> usize {
        self.spans.max_capacity().saturating_sub(self.spans.capacity())
    }
}

impl Tracer for OpenTelemetryTracer {
    fn is_on(&self) -> bool {
        true
    }

    fn record(&self, span: Span) {
        self.begin();
        if self.spans.try_send(span).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn stop(&self, within: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(mut task) = self.end() else { return };
            self.stopping.send_replace(true);
            if tokio::time::timeout(within, &mut task).await.is_err() {
                task.abort();
                let waiting = self.waiting();
                tracing::warn!(waiting, "the collector of traces takes too long; spans that it has not taken are gone");
            }
        })
    }
}
