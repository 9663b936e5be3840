//! A log on redb whose callers share commits, and nothing more: the floor of every
//! route that acknowledges what is durable.

use std::path::Path;
use std::thread;

use redb::{Database, TableDefinition};
use tokio::sync::{mpsc, oneshot};

/// Bytes of a record, as an audit record of a small call has them.
const RECORD: usize = 512;

/// Bytes of the longest record: more than the events of a run's step have.
const MAX_RECORD: usize = 64 << 10;

/// What records are made of.
static FILLER: [u8; MAX_RECORD] = [7; MAX_RECORD];

/// Records in one commit at the most, as in the host.
const BATCH: usize = 256;

const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");

/// The handle of the thread that writes.
#[derive(Clone)]
pub struct Log(mpsc::Sender<Waiting>);

/// The bytes of a record, and who waits for it.
type Waiting = (usize, oneshot::Sender<()>);

impl Log {
    /// A log in a new file at `path`.
    pub fn new(path: &Path) -> Self {
        let database = Database::create(path).unwrap();
        let (sender, receiver) = mpsc::channel(1024);
        thread::spawn(move || write(&database, receiver));
        Self(sender)
    }

    /// Adds a record, and waits until it is durable.
    pub async fn append(&self) {
        self.append_bytes(RECORD).await;
    }

    /// Adds a record of so many bytes, and waits until it is durable.
    pub async fn append_bytes(&self, bytes: usize) {
        assert!(bytes <= MAX_RECORD, "a record of {bytes} bytes: expected at most {MAX_RECORD}");
        let (reply, answer) = oneshot::channel();
        self.0.send((bytes, reply)).await.unwrap();
        answer.await.unwrap();
    }
}

fn write(database: &Database, mut queue: mpsc::Receiver<Waiting>) {
    let (mut waiting, mut next) = (Vec::with_capacity(BATCH), 0_u64);
    while queue.blocking_recv_many(&mut waiting, BATCH) > 0 {
        let transaction = database.begin_write().unwrap();
        let mut records = transaction.open_table(RECORDS).unwrap();
        for (bytes, _) in &waiting {
            records.insert(next, &FILLER[..*bytes]).unwrap();
            next += 1;
        }
        drop(records);
        transaction.commit().unwrap();
        for (_, reply) in waiting.drain(..) {
            // Whoever went away needs no answer.
            let _ = reply.send(());
        }
    }
}
