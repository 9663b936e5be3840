//! Why the journal did not do as asked.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why the journal did not do as asked. It can be cloned, because one failed
/// commit is the answer to every caller that shared it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has the file open.
    #[error(
        "the journal `{path}` is in use by another process: stop that one, or give this one a data folder of its own", path = .0.display()
    )]
    Locked(PathBuf),
    /// The folder of the file can't be made.
    #[error("can't make the folder `{path}` of the journal", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The file can't be opened.
    #[error("can't open the journal `{path}`", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or the storage engine said.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A database, but not a journal.
    #[error("`{path}` is a database without the mark of a journal: expected a file that Bailiwick made", path = .0.display())]
    NotAJournal(PathBuf),
    /// Written by a newer release.
    #[error(
        "the journal `{path}` has version {found} and this release knows versions up to {known}: use the release that wrote it", path = path.display()
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// What stands in the file.
        found: u64,
        /// The newest version that is known.
        known: u64,
    },
    /// There is no log where one was in use.
    #[error(
        "`{path}`, the log of the journal, is gone, and with it what was written last: put it back beside the journal, or restore both from one backup", path = .0.display()
    )]
    LogMissing(PathBuf),
    /// The file at the place of the log is another one.
    #[error("`{path}` is no log of a journal: expected a file that Bailiwick made", path = .0.display())]
    NotALog(PathBuf),
    /// A record that was acknowledged can't be read.
    #[error(
        "`{path}`, the log of the journal, is damaged at byte {at}, before its end: restore it and the journal from one backup", path = path.display()
    )]
    LogDamaged {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        at: u64,
    },
    /// The thread that writes can't be started.
    #[error("can't start the journal's writer thread")]
    Thread(#[source] Arc<io::Error>),
    /// A transaction failed, so nothing that was in it may be taken for done.
    /// After a failure of the disk the engine takes no more writes until the
    /// journal is opened again.
    #[error("the journal can't commit")]
    Commit(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// A read failed.
    #[error("the journal can't be read")]
    Read(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// A name or a record is longer than the journal takes.
    #[error("the {what} has {size} bytes; the journal takes at most {max}")]
    TooLong {
        /// `idempotency key`, `scope`, `record`, `event`, `summary` and the like.
        what: &'static str,
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// As many calls are kept as there may be.
    #[error(
        "the journal keeps {0} calls with idempotency keys, its most: the oldest are forgotten a day after they began"
    )]
    Full(u64),
    /// More than the journal takes of something that is counted.
    #[error("there would be {count} {what}; the journal takes at most {max}")]
    TooMany {
        /// `open runs`, `events in one run`, `events in one append`, `cuts of one run`.
        what: &'static str,
        /// How many there would be.
        count: u64,
        /// How many are allowed.
        max: u64,
    },
    /// What was given as the id of a run is none.
    #[error("the id of a run has to have 32 lowercase hex digits")]
    RunId,
    /// There is no run with this id.
    #[error("there is no run `{0}`")]
    NoRun(String),
    /// There is a run with this id already.
    #[error("there is a run `{0}` already")]
    RunExists(String),
    /// The log of a run ends elsewhere than the caller knows.
    #[error("the log of run `{id}` ends with event {last} and not with {after}: somebody else has appended to it")]
    RunMoved {
        /// The run.
        id: String,
        /// Where the caller wanted to append.
        after: u64,
        /// The number of the last event.
        last: u64,
    },
    /// An event may not be cut off its log.
    #[error("event {at} of run `{id}` is not a last event that is torn: nothing is cut")]
    NotTorn {
        /// The run.
        id: String,
        /// The number of the event.
        at: u64,
    },
    /// An operation looked at the journal otherwise than through its transaction.
    #[error("an operation of the journal can't read it on the side")]
    Within,
    /// The writer has ended, because the journal is being closed or because it failed.
    #[error("the journal's writer has ended")]
    Stopped,
}

/// Wraps what the storage engine said about a write.
pub(crate) fn commit(error: impl std::error::Error + Send + Sync + 'static) -> JournalError {
    JournalError::Commit(Arc::new(error))
}

/// Wraps what the storage engine said about a read.
pub(crate) fn read(error: impl std::error::Error + Send + Sync + 'static) -> JournalError {
    JournalError::Read(Arc::new(error))
}
