//! A disk in memory that can fail, stall and lose what was not synced.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use redb::StorageBackend;

/// Far more than a commit takes, and finite.
const PATIENCE: Duration = Duration::from_mins(1);

/// Shared by the database and the test.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    contents: Mutex<Contents>,
    resumed: Condvar,
}

#[derive(Debug, Default)]
struct Contents {
    now: Vec<u8>,
    synced: Vec<u8>,
    since: Vec<Change>,
    /// Operations until every further one fails.
    failing_after: Option<u64>,
    stalled: bool,
    /// Whether somebody waits in a sync.
    waiting: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Length(u64),
    Write(u64, Vec<u8>),
}

impl Disk {
    pub(super) fn holding(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        {
            let mut contents = disk.lock();
            contents.now.clone_from(&bytes);
            contents.synced = bytes;
        }
        disk
    }

    pub(super) fn fail_after(&self, operations: u64) {
        self.lock().failing_after = Some(operations);
    }

    /// Holds every sync until `resume`.
    pub(super) fn stall(&self) {
        self.lock().stalled = true;
    }

    pub(super) fn resume(&self) {
        self.lock().stalled = false;
        self.0.resumed.notify_all();
    }

    /// Returns once a sync waits.
    pub(super) fn wait_for_stall(&self) {
        let contents = self.lock();
        let waiting = self.0.resumed.wait_timeout_while(contents, PATIENCE, |contents| !contents.waiting);
        let (_contents, timeout) = waiting.expect("no panic under the lock");
        assert!(!timeout.timed_out(), "nobody synced");
    }

    /// What a power cut leaves: all that was synced, and of the rest whatever `keep` picks.
    pub(super) fn after_power_cut(&self, mut keep: impl FnMut() -> bool) -> Vec<u8> {
        let contents = self.lock();
        let mut image = contents.synced.clone();
        contents.since.iter().filter(|_| keep()).for_each(|change| change.apply(&mut image));
        image
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.contents.lock().expect("no panic under the lock")
    }
}

impl Contents {
    fn step(&mut self) -> io::Result<()> {
        match &mut self.failing_after {
            Some(0) => Err(io::Error::other("the disk failed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        self.step()?;
        change.apply(&mut self.now);
        self.since.push(change);
        Ok(())
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(at(*length), 0),
            Self::Write(offset, data) => {
                let end = at(*offset) + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[at(*offset)..end].copy_from_slice(data);
            }
        }
    }
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).expect("a test's disk fits in memory")
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let contents = self.lock();
        let from = at(offset);
        let bytes = contents.now.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.lock().change(Change::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut contents = self.lock();
        contents.step()?;
        while contents.stalled {
            contents.waiting = true;
            self.0.resumed.notify_all();
            contents = self.0.resumed.wait(contents).expect("no panic under the lock");
        }
        contents.waiting = false;
        let changes = std::mem::take(&mut contents.since);
        for change in &changes {
            change.apply(&mut contents.synced);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.lock().change(Change::Write(offset, data.to_vec()))
    }
}
