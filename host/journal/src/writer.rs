//! The one thread that writes, and the commits that it shares out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use redb::Database;
use tokio::sync::{mpsc, oneshot};

use crate::error::{self, JournalError};
use crate::tables::{Applied, Tables};

/// Operations that wait. The host runs fewer calls than this at once, so a full
/// queue means a disk that stalls, and then callers had better wait too.
const QUEUE: usize = 1024;

/// Operations in one transaction: enough to share an `fsync` among all callers
/// of a busy host, few enough that the first is not kept waiting by the last.
const BATCH: usize = 256;

/// Bytes of values in one transaction, because its changed pages are in memory.
const BATCH_BYTES: usize = 16 << 20;

/// The handle of the thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` only while the writer is being dropped.
    queue: Option<mpsc::Sender<Box<dyn Operation>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(database: Arc<Database>, commits: Arc<AtomicU64>) -> Result<Self, JournalError> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || run(&database, receiver, &commits))
            .map_err(|error| JournalError::Thread(Arc::new(error)))?;
        Ok(Self { queue: Some(sender), thread: Some(thread) })
    }

    /// Has `work` done in the next transaction and waits for its commit.
    /// `bytes` says how much it writes, roughly.
    pub(crate) async fn submit<T, F>(&self, bytes: usize, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>) -> Applied<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Job { work: Some(work), result: None, reply, bytes };
        let queue = self.queue.as_ref().ok_or(JournalError::Stopped)?;
        queue.send(Box::new(job)).await.map_err(|_| JournalError::Stopped)?;
        answer.await.map_err(|_| JournalError::Stopped)?
    }

    /// Operations in the queue, for tests that must know that somebody waits.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }
}

impl Drop for Writer {
    /// Lets the thread finish what waits, then waits for it.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's writer panicked; what it had not committed is lost");
        }
    }
}

/// Something to be done within a transaction and answered after its commit.
trait Operation: Send {
    fn bytes(&self) -> usize;
    fn apply(&mut self, tables: &mut Tables<'_>) -> Applied<()>;
    fn answer(self: Box<Self>, committed: &Result<(), JournalError>);
}

struct Job<T, F> {
    work: Option<F>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, JournalError>>,
    bytes: usize,
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
        let answer = match (committed, self.result) {
            (Ok(()), Some(result)) => Ok(result),
            (Ok(()), None) => Err(JournalError::Stopped),
            (Err(error), _) => Err(error.clone()),
        };
        // A caller that went away needs no answer, and what it would have
        // received is dropped here, which releases a call that was begun for it.
        drop(self.reply.send(answer));
    }
}

fn run(database: &Database, mut queue: mpsc::Receiver<Box<dyn Operation>>, commits: &AtomicU64) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut waiting, BATCH) > 0 {
        for mut batch in split(waiting.drain(..)) {
            let committed = commit(database, &mut batch, commits);
            if let Err(error) = &committed {
                tracing::error!(error = %Chain(error), operations = batch.len(), "the journal can't commit");
            }
            for operation in batch {
                operation.answer(&committed);
            }
        }
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

fn commit(database: &Database, batch: &mut [Box<dyn Operation>], commits: &AtomicU64) -> Result<(), JournalError> {
    let transaction = database.begin_write().map_err(error::commit)?;
    let mut tables = Tables::open(&transaction).map_err(error::commit)?;
    batch.iter_mut().try_for_each(|operation| operation.apply(&mut tables)).map_err(error::commit)?;
    let wrote = tables.wrote;
    drop(tables);
    if !wrote {
        return transaction.abort().map_err(error::commit);
    }
    transaction.commit().map_err(error::commit)?;
    commits.fetch_add(1, Ordering::Relaxed);
    Ok(())
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
