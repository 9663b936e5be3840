//! The thread that writes, and the commits that it shares out.
//!
//! To wake it and to be woken by it takes longer than a small write to a quick disk. So who is
//! alone writes for himself, on a thread of the runtime, as long as that keeps nobody waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use crate::error::JournalError;
use crate::store::{Store, Turn};
use crate::tables::{Applied, Tables};

/// The name of the thread.
const THREAD: &str = "journal";

/// Operations that wait. The host runs fewer calls than this at once, so a full
/// queue means a disk that stalls, and then callers had better wait too.
const QUEUE: usize = 1024;

/// Operations in one transaction: enough to share an `fsync` among all callers
/// of a busy host, few enough that the first is not kept waiting by the last.
const BATCH: usize = 256;

/// Bytes of values in one transaction, because its changed pages are in memory.
const BATCH_BYTES: usize = 16 << 20;

/// Operations one after another, each of which found no other, after which the next one is
/// expected to find none.
const ALONE: u32 = 16;

/// To the thread.
type Queue = mpsc::Sender<Box<dyn Operation>>;

/// Who writes.
#[derive(Debug)]
pub(crate) enum Writer {
    /// A thread, and callers who find that there is nothing to wait for.
    Thread {
        store: Arc<Store>,
        /// `None` only while the writer is being dropped.
        queue: Option<Queue>,
        waiting: Arc<Waiting>,
        thread: Option<JoinHandle<()>>,
    },
    /// Whoever wants something written, so that nothing happens beside what a test drives.
    #[cfg(any(test, feature = "simulation"))]
    Caller(Arc<Store>),
}

impl Writer {
    pub(crate) fn start(store: Arc<Store>) -> Result<Self, JournalError> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let threads = Arc::clone(&store);
        let thread = thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || run(&threads, receiver))
            .map_err(|error| JournalError::Thread(Arc::new(error)))?;
        Ok(Self::Thread { store, queue: Some(sender), waiting: Arc::default(), thread: Some(thread) })
    }

    /// A writer that is whoever calls it.
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) const fn caller(store: Arc<Store>) -> Self {
        Self::Caller(store)
    }

    /// Has `work` done in the next transaction and waits for its commit.
    /// `bytes` says how much it writes, roughly.
    pub(crate) async fn submit<T, F>(&self, bytes: usize, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Applied<T> + Send + 'static,
    {
        self.have(bytes, false, work).await
    }

    /// The same for who may write himself where he is alone, on his own thread: for work that has
    /// nothing to do first, and on which everything else of its caller waits.
    pub(crate) async fn submit_alone<T, F>(&self, bytes: usize, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Applied<T> + Send + 'static,
    {
        self.have(bytes, true, work).await
    }

    async fn have<T, F>(&self, bytes: usize, may_write: bool, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Applied<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = |waits| Box::new(Job { work: Some(work), result: None, reply, bytes, waits });
        match self {
            Self::Thread { store, queue, waiting, .. } => {
                let queue = queue.as_ref().ok_or(JournalError::Stopped)?;
                let (waits, is_alone) = Waits::begin(waiting);
                let mut job: Option<Box<dyn Operation>> = Some(job(Some(waits)));
                let may_write = may_write && is_alone && store.quick_turn(bytes).is_some();
                if may_write && !waiting.stays_alone() {
                    // Others who are ready come first: what they write may share a batch with this.
                    // It wakes another thread, too, which finds nothing to do where nobody is.
                    tokio::task::yield_now().await;
                }
                if may_write && waiting.count() == 1 {
                    job = job.and_then(|job| write_quickly(store, job));
                }
                if let Some(job) = job {
                    queue.send(job).await.map_err(|_| JournalError::Stopped)?;
                }
            }
            #[cfg(any(test, feature = "simulation"))]
            Self::Caller(store) => write(store.turn(), vec![job(None)]),
        }
        answer.await.map_err(|_| JournalError::Stopped)?
    }

    /// Operations in the queue, for tests that must know that somebody waits.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        match self {
            Self::Thread { queue, .. } => queue.as_ref().map_or(0, |queue| queue.max_capacity() - queue.capacity()),
            Self::Caller(_) => 0,
        }
    }
}

impl Drop for Writer {
    /// Lets the thread finish what waits, then waits for it.
    fn drop(&mut self) {
        match self {
            Self::Thread { queue, thread, .. } => {
                drop(queue.take());
                if let Some(thread) = thread.take()
                    && thread.join().is_err()
                {
                    tracing::error!("the journal's writer panicked; what it had not committed is lost");
                }
            }
            #[cfg(any(test, feature = "simulation"))]
            Self::Caller(store) => close(store),
        }
    }
}

/// Something to be done within a transaction and answered after its commit.
pub(crate) trait Operation: Send {
    fn bytes(&self) -> usize;
    fn apply(&mut self, tables: &mut Tables<'_>) -> Applied<()>;
    fn answer(self: Box<Self>, committed: &Result<(), JournalError>);
}

struct Job<T, F> {
    work: Option<F>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, JournalError>>,
    bytes: usize,
    /// Until it is answered, also where nobody waits for that any more.
    waits: Option<Waits>,
}

/// The operations that are not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    count: AtomicUsize,
    /// How many before the last, one after another, found no other.
    alone: AtomicU32,
}

/// One of them.
struct Waits(Arc<Waiting>);

impl Waiting {
    fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether nobody else is expected to come meanwhile.
    fn stays_alone(&self) -> bool {
        self.alone.load(Ordering::Relaxed) > ALONE
    }
}

impl Waits {
    /// One more; and whether there is no other.
    fn begin(all: &Arc<Waiting>) -> (Self, bool) {
        let is_alone = all.count.fetch_add(1, Ordering::AcqRel) == 0;
        let alone = if is_alone { all.alone.load(Ordering::Relaxed).saturating_add(1) } else { 0 };
        all.alone.store(alone, Ordering::Relaxed);
        (Self(Arc::clone(all)), is_alone)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<T, F> Operation for Job<T, F>
where
    T: Send,
    F: FnOnce(&mut Tables<'_>) -> Applied<T> + Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn apply(&mut self, tables: &mut Tables<'_>) -> Applied<()> {
        if let Some(work) = self.work.take() {
            self.result = Some(work(tables)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: &Result<(), JournalError>) {
        let Self { result, reply, waits, .. } = *self;
        let answer = match (committed, result) {
            (Ok(()), Some(result)) => Ok(result),
            (Ok(()), None) => Err(JournalError::Stopped),
            (Err(error), _) => Err(error.clone()),
        };
        // Whoever has the answer may be alone with what comes next.
        drop(waits);
        // A caller that went away needs no answer, and what it would have
        // received is dropped here, which releases a call that was begun for it.
        drop(reply.send(answer));
    }
}

fn run(store: &Store, mut queue: mpsc::Receiver<Box<dyn Operation>>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut waiting, BATCH) > 0 {
        for batch in split(waiting.drain(..)) {
            write(store.turn(), batch);
        }
    }
    close(store);
}

/// Commits a batch, and answers everybody who waits for it.
fn write(turn: Turn<'_>, mut batch: Vec<Box<dyn Operation>>) {
    let outcome = turn.commit(|tables| batch.iter_mut().try_for_each(|operation| operation.apply(tables)));
    if let Err(error) = &outcome {
        tracing::error!(error = %Chain(error), operations = batch.len(), "the journal can't commit");
    }
    for operation in batch {
        operation.answer(&outcome);
    }
}

/// Commits an operation here and now, where that will hardly take any time, or gives it back.
fn write_quickly(store: &Store, job: Box<dyn Operation>) -> Option<Box<dyn Operation>> {
    match store.quick_turn(job.bytes()) {
        Some(turn) => {
            write(turn, vec![job]);
            None
        }
        None => Some(job),
    }
}

fn close(store: &Store) {
    if let Err(error) = store.close() {
        // All of it is in the log, and is read from there when the journal opens again.
        tracing::warn!(error = %Chain(&error), "the journal was not closed cleanly");
    }
}

/// Cuts what waits, in its order, into transactions of at most [`BATCH_BYTES`];
/// one operation alone may have more.
fn split(waiting: impl Iterator<Item = Box<dyn Operation>>) -> Vec<Vec<Box<dyn Operation>>> {
    let mut batches = vec![Vec::new()];
    let mut bytes = 0;
    for operation in waiting {
        bytes += operation.bytes();
        match batches.last_mut() {
            Some(batch) if bytes <= BATCH_BYTES || batch.is_empty() => batch.push(operation),
            _ => {
                bytes = operation.bytes();
                batches.push(vec![operation]);
            }
        }
    }
    batches
}

/// An error and what lies behind it, on one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
