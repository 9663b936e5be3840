//! For tests: a disk in memory that can fail, stall and lose what was not synced, and a
//! journal on it that does nothing by itself.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
#[cfg(test)]
use std::time::Duration;

use redb::StorageBackend;

use crate::writer::Writer;
use crate::{Journal, JournalError, open};

/// Far more than a commit takes, and finite.
#[cfg(test)]
const PATIENCE: Duration = Duration::from_mins(1);

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Bytes of the log: so few that it begins again often.
pub(crate) const LOG_BYTES: usize = 16 << 10;

/// A disk with the two files of a journal. A clone is the same disk.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    contents: Mutex<Contents>,
    resumed: Condvar,
}

#[derive(Debug, Default)]
struct Contents {
    files: [Bytes; 2],
    /// Writes and syncs until now.
    operations: u64,
    /// The number of those after which every further one fails.
    failing_after: Option<u64>,
    stalled: bool,
    /// Whether the log alone fails.
    log_fails: bool,
    /// Whether somebody waits in a sync.
    waiting: bool,
}

/// What is in a file.
#[derive(Debug, Default)]
struct Bytes {
    now: Vec<u8>,
    synced: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Length(u64),
    Write(u64, Vec<u8>),
}

/// One of the files.
#[derive(Debug)]
struct File {
    disk: Disk,
    place: usize,
}

impl Journal {
    /// A journal on `disk`, whose writer is whoever wants something written: nothing happens
    /// beside what a test does.
    ///
    /// # Errors
    ///
    /// As those of [`Journal::open`], and those of the disk.
    pub fn simulated(disk: &Disk) -> Result<Arc<Self>, JournalError> {
        Self::with(open::over_both(disk.file(0), disk.file(1), LOG_BYTES)?, |store| Ok(Writer::caller(store)))
    }

    /// The same with the thread that writes outside of tests.
    #[cfg(test)]
    pub(crate) fn on(disk: &Disk) -> Result<Arc<Self>, JournalError> {
        Self::start(open::over_both(disk.file(0), disk.file(1), LOG_BYTES)?)
    }
}

impl Disk {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has every operation fail after so many more.
    pub fn fail_after(&self, operations: u64) {
        let mut contents = self.lock();
        contents.failing_after = Some(contents.operations + operations);
    }

    /// Has no further operation fail.
    pub fn mend(&self) {
        self.lock().failing_after = None;
    }

    /// Writes and syncs until now, those that failed not counted.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// The disk that a power cut leaves: all that was synced, and of the rest whatever `keep`
    /// picks, sector by sector. A file may have its new length without what was written there.
    #[must_use]
    pub fn after_power_cut(&self, mut keep: impl FnMut() -> bool) -> Self {
        let contents = self.lock();
        let files = contents.files.each_ref().map(|file| {
            let mut image = file.synced.clone();
            file.since.iter().for_each(|change| change.tear(&mut image, &mut keep));
            Bytes { now: image.clone(), synced: image, since: Vec::new() }
        });
        let left = Contents { files, ..Contents::default() };
        Self(Arc::new(Shared { contents: Mutex::new(left), resumed: Condvar::new() }))
    }

    /// Holds every sync until `resume`.
    #[cfg(test)]
    pub(crate) fn stall(&self) {
        self.lock().stalled = true;
    }

    #[cfg(test)]
    pub(crate) fn resume(&self) {
        self.lock().stalled = false;
        self.0.resumed.notify_all();
    }

    /// Returns once a sync waits.
    #[cfg(test)]
    pub(crate) fn wait_for_stall(&self) {
        let contents = self.lock();
        let waiting = self.0.resumed.wait_timeout_while(contents, PATIENCE, |contents| !contents.waiting);
        let (_contents, timeout) = waiting.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "nobody synced");
    }

    /// Changes the bytes of the log as a faulty disk would.
    #[cfg(test)]
    pub(crate) fn damage_log(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let log = &mut self.lock().files[1];
        change(&mut log.now);
        log.synced.clone_from(&log.now);
        log.since.clear();
    }

    /// Has the log alone fail.
    #[cfg(test)]
    pub(crate) fn fail_log(&self, fails: bool) {
        self.lock().log_fails = fails;
    }

    /// The bytes of the log as they are now.
    #[cfg(test)]
    pub(crate) fn log(&self) -> Vec<u8> {
        self.lock().files[1].now.clone()
    }

    fn file(&self, place: usize) -> File {
        File { disk: self.clone(), place }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn step(&mut self, file: usize) -> io::Result<()> {
        if self.log_fails && file == 1 {
            return Err(io::Error::other("the log's place failed"));
        }
        if self.failing_after.is_some_and(|most| self.operations >= most) {
            return Err(io::Error::other("the disk failed"));
        }
        self.operations += 1;
        Ok(())
    }

    fn change(&mut self, file: usize, change: Change) -> io::Result<()> {
        self.step(file)?;
        change.apply(&mut self.files[file].now);
        self.files[file].since.push(change);
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

impl Change {
    /// What is left of it where the power went before it was synced.
    fn tear(&self, bytes: &mut Vec<u8>, keep: &mut impl FnMut() -> bool) {
        let Self::Write(offset, data) = self else {
            if keep() {
                self.apply(bytes);
            }
            return;
        };
        let end = at(*offset) + data.len();
        if bytes.len() < end && keep() {
            bytes.resize(end, 0);
        }
        for (number, sector) in data.chunks(SECTOR).enumerate() {
            let from = at(*offset) + number * SECTOR;
            // What lies beyond the end of a file isn't there.
            if let Some(place) = bytes.get_mut(from..from + sector.len())
                && keep()
            {
                place.copy_from_slice(sector);
            }
        }
    }
}

/// A disk of a test fits in memory.
fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl StorageBackend for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().files[self.place].now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let contents = self.disk.lock();
        let from = at(offset);
        let bytes = contents.files[self.place].now.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.lock().change(self.place, Change::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut contents = self.disk.lock();
        contents.step(self.place)?;
        while contents.stalled {
            contents.waiting = true;
            self.disk.0.resumed.notify_all();
            contents = self.disk.0.resumed.wait(contents).unwrap_or_else(PoisonError::into_inner);
        }
        contents.waiting = false;
        let file = &mut contents.files[self.place];
        let changes = std::mem::take(&mut file.since);
        for change in &changes {
            change.apply(&mut file.synced);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.lock().change(self.place, Change::Write(offset, data.to_vec()))
    }
}
