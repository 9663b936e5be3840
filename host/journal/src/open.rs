//! Opening the files: their folder, their lock, their version, and what a stop of the host
//! left in the log.

use std::cell::RefCell;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, TableError, WriteTransaction};

use crate::block::BlockFile;
use crate::error::JournalError;
use crate::runs::upgrade;
use crate::tables::{META, Rows, Tables, VERSION};
use crate::wal::{Found, MAX_BYTES, Salt, Wal};

/// Pages kept in memory. The engine's own default of 1 GiB is more than a host
/// that mostly runs skills should give to its store.
const CACHE_BYTES: usize = 64 << 20;

/// Name of the version's row.
const VERSION_KEY: &str = "version";

/// Name of the row that says up to which record of the log the engine has everything.
pub(crate) const SEQUENCE: &str = "log-sequence";

/// Name of the row that says whether there may be more in the log.
pub(crate) const IN_USE: &str = "log-in-use";

/// Names of the rows that have the salt of the log.
const SALT: [&str; 2] = ["log-salt-0", "log-salt-1"];

/// Opens or makes the database at `path`, and the log beside it.
pub(crate) fn files(path: &Path) -> Result<(Database, Option<Wal>), JournalError> {
    make_folder(path)?;
    let file = open_file(path).map_err(|error| opening(path, error))?;
    let existed = file.metadata().map_err(|error| opening(path, error))?.len() > 0;
    let database = match builder(path).create_file(file) {
        Ok(database) => database,
        Err(DatabaseError::DatabaseAlreadyOpen) => return Err(JournalError::Locked(path.to_owned())),
        Err(error) => return Err(opening(path, error)),
    };
    check_version(&database, path, existed)?;
    // Only now, when nobody else has them open.
    let log = log_of(path);
    let file = open_file(&log).map_err(|error| opening(&log, error))?;
    // The engine has no part in it, and a copy of the database elsewhere may have the same log.
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::Locked(log.clone()),
        TryLockError::Error(error) => opening(&log, error),
    })?;
    sync_folder(&log).map_err(|error| opening(&log, error))?;
    let storage = BlockFile::new(file, &log).map_err(|error| opening(&log, error))?;
    let wal = follow(&database, Box::new(storage), &log, MAX_BYTES)?;
    bring_up(&database, path)?;
    Ok((database, Some(wal)))
}

/// A database over `backend` alone: memory.
pub(crate) fn over(backend: impl StorageBackend) -> Result<(Database, Option<Wal>), JournalError> {
    Ok((over_storage(backend)?, None))
}

/// A database and a log of at most `most` bytes over storage of a test.
#[cfg(any(test, feature = "simulation"))]
pub(crate) fn over_both(
    backend: impl StorageBackend,
    log: impl StorageBackend,
    most: usize,
) -> Result<(Database, Option<Wal>), JournalError> {
    let database = over_storage(backend)?;
    let wal = follow(&database, Box::new(log), Path::new("log"), most)?;
    bring_up(&database, Path::new("backend"))?;
    Ok((database, Some(wal)))
}

fn over_storage(backend: impl StorageBackend) -> Result<Database, JournalError> {
    let path = Path::new("backend");
    let existed = backend.len().map_err(|error| opening(path, error))? > 0;
    let database = builder(path).create_with_backend(backend).map_err(|error| opening(path, error))?;
    check_version(&database, path, existed)?;
    Ok(database)
}

/// The log of the journal at `path`: beside it, with a name of its own.
pub(crate) fn log_of(path: &Path) -> PathBuf {
    path.with_extension("wal")
}

/// Brings the database to where its log is, and begins the log anew.
fn follow(database: &Database, log: Box<dyn StorageBackend>, path: &Path, most: usize) -> Result<Wal, JournalError> {
    let failed = |error: redb::Error| opening(path, error);
    let durable = noted(database, SEQUENCE).map_err(failed)?;
    let in_use = noted(database, IN_USE).map_err(failed)? != 0;
    let salt = salt(database).map_err(failed)?;
    let records = match Wal::read(&*log, durable, &salt).map_err(|error| opening(path, error))? {
        Found::NotALog => return Err(JournalError::NotALog(path.to_owned())),
        // The journal was closed: what is left there counts for nothing.
        _ if !in_use => Vec::new(),
        Found::Records(records) => records,
        Found::Nothing => return Err(JournalError::LogMissing(path.to_owned())),
        Found::Damaged { at } => return Err(JournalError::LogDamaged { path: path.to_owned(), at }),
    };
    let sequence = durable + records.len() as u64;
    if !records.is_empty() {
        let count = records.len();
        tracing::warn!(log = %path.display(), records = count, "the journal was not closed cleanly; its log is followed");
    }
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map_err(|error| opening(path, error))?;
    // It is there before it is said to be, and its records stay until the engine has them.
    let wal = Wal::begin(log, sequence, most, salt).map_err(|error| opening(path, error))?;
    redo(database, &records, sequence, &salt).map_err(|error| opening(path, error))?;
    Ok(wal)
}

/// Makes the changes of `records` again, and notes that the log is in use with another salt,
/// all of it durably and at once.
fn redo(
    database: &Database,
    records: &[Vec<u8>],
    sequence: u64,
    salt: &Salt,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut transaction = database.begin_write()?;
    let (mut rows, redone) = (Rows::default(), RefCell::default());
    let mut tables = Tables::of(&transaction, &mut rows, &redone);
    records.iter().try_for_each(|changes| tables.redo(changes))?;
    tables.flush()?;
    drop(tables);
    note(&transaction, SEQUENCE, sequence)?;
    note(&transaction, IN_USE, 1)?;
    for (key, half) in SALT.into_iter().zip(halves(salt)) {
        note(&transaction, key, half)?;
    }
    transaction.set_quick_repair(true);
    transaction.commit()?;
    Ok(())
}

/// The salt of the log that was in use; zeros where there was none.
fn salt(database: &Database) -> Result<Salt, redb::Error> {
    let mut salt = Salt::default();
    for (key, half) in SALT.into_iter().zip(salt.chunks_exact_mut(8)) {
        half.copy_from_slice(&noted(database, key)?.to_le_bytes());
    }
    Ok(salt)
}

/// The two numbers as which a salt is kept.
fn halves(salt: &Salt) -> [u64; 2] {
    let number = u128::from_le_bytes(*salt);
    let low = u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default();
    [low, u64::try_from(number >> 64).unwrap_or_default()]
}

/// A fact about the file; 0 where nothing is noted.
fn noted(database: &Database, key: &str) -> Result<u64, redb::Error> {
    let meta = database.begin_read()?.open_table(META)?;
    Ok(meta.get(key)?.map_or(0, |value| value.value()))
}

/// Notes a fact about the file.
pub(crate) fn note(transaction: &WriteTransaction, key: &str, value: u64) -> Result<(), redb::Error> {
    transaction.open_table(META)?.insert(key, value)?;
    Ok(())
}

/// Makes the name of a new file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn builder(path: &Path) -> Builder {
    let mut builder = Database::builder();
    let path = path.to_owned();
    builder.set_cache_size(CACHE_BYTES).set_repair_callback(move |repair| {
        let percent = repair.progress() * 100.0;
        tracing::warn!(journal = %path.display(), "the journal was not closed cleanly; checked {percent:.0} %");
    });
    builder
}

fn make_folder(path: &Path) -> Result<(), JournalError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| JournalError::Folder { path: folder.to_owned(), source: Arc::new(source) })
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Refuses what another program or a newer release wrote, and marks what is new.
fn check_version(database: &Database, path: &Path, existed: bool) -> Result<(), JournalError> {
    match stored_version(database).map_err(|error| opening(path, error))? {
        Some(VERSION) => Ok(()),
        Some(found) if found > VERSION => {
            Err(JournalError::NewerVersion { path: path.to_owned(), found, known: VERSION })
        }
        // Older versions had fewer tables. Their log is followed before anything else is changed.
        Some(1..VERSION) => make(database).map_err(|error| opening(path, error)),
        None if !existed || is_empty(database).map_err(|error| opening(path, error))? => {
            initialise(database).map_err(|error| opening(path, error))
        }
        Some(_) | None => Err(JournalError::NotAJournal(path.to_owned())),
    }
}

fn stored_version(database: &Database) -> Result<Option<u64>, redb::Error> {
    let meta = match database.begin_read()?.open_table(META) {
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        meta => meta?,
    };
    Ok(meta.get(VERSION_KEY)?.map(|version| version.value()))
}

/// Whether there are no tables, as after a crash between the making of the file
/// and its first commit.
fn is_empty(database: &Database) -> Result<bool, redb::Error> {
    Ok(database.begin_read()?.list_tables()?.next().is_none())
}

/// Makes every table that is not there, together with the version, in one transaction.
fn initialise(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    Tables::of(&transaction, &mut Rows::default(), &RefCell::default()).make()?;
    note(&transaction, VERSION_KEY, VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// Makes every table that an older version lacks.
fn make(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    Tables::of(&transaction, &mut Rows::default(), &RefCell::default()).make()?;
    transaction.commit()?;
    Ok(())
}

/// Brings what an older version left to the layout of this one, whose it is from then on.
fn bring_up(database: &Database, path: &Path) -> Result<(), JournalError> {
    let failed = |error| opening(path, error);
    let found = stored_version(database).map_err(failed)?;
    if found == Some(VERSION) {
        return Ok(());
    }
    tracing::warn!(journal = %path.display(), from = found, to = VERSION, "the journal is brought to a newer layout");
    let move_events = || -> Result<(), redb::Error> {
        let mut transaction = database.begin_write()?;
        upgrade::events(&transaction)?;
        note(&transaction, VERSION_KEY, VERSION)?;
        transaction.set_quick_repair(true);
        transaction.commit()?;
        Ok(())
    };
    move_events().map_err(failed)
}

fn opening(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> JournalError {
    JournalError::Open { path: path.to_owned(), source: source.into().into() }
}
