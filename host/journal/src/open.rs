//! Opening the file: its folder, its lock, its version.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use redb::{Builder, Database, DatabaseError, ReadableDatabase, TableError};

use crate::error::JournalError;
use crate::tables::{
    AUDIT, CALLS, CALLS_BY_AGE, CUT_EVENTS, DOCUMENTS, ENDED_RUNS, META, OPEN_RUNS, REMOVED_RUNS, RUN_EVENTS, RUN_KEYS,
    RUNS, STATE, STATE_SIZE, TEAM_USES, TEAMS, VERSION,
};

/// Pages kept in memory. The engine's own default of 1 GiB is more than a host
/// that mostly runs skills should give to its store.
const CACHE_BYTES: usize = 64 << 20;

/// Name of the version's row.
const VERSION_KEY: &str = "version";

/// Opens or makes the database at `path`.
pub(crate) fn database(path: &Path) -> Result<Database, JournalError> {
    make_folder(path)?;
    let file = open_file(path).map_err(|error| opening(path, error))?;
    let existed = file.metadata().map_err(|error| opening(path, error))?.len() > 0;
    let database = match builder(path).create_file(file) {
        Ok(database) => database,
        Err(DatabaseError::DatabaseAlreadyOpen) => return Err(JournalError::Locked(path.to_owned())),
        Err(error) => return Err(opening(path, error)),
    };
    check_version(&database, path, existed)?;
    Ok(database)
}

/// Opens a database over `backend`: memory, or in tests a disk that fails.
pub(crate) fn over(backend: impl redb::StorageBackend) -> Result<Database, JournalError> {
    let path = Path::new("backend");
    let existed = backend.len().map_err(|error| opening(path, error))? > 0;
    let database = builder(path).create_with_backend(backend).map_err(|error| opening(path, error))?;
    check_version(&database, path, existed)?;
    Ok(database)
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
        // Older versions had fewer tables, and those that they had are as they were.
        Some(1 | 2) => initialise(database).map_err(|error| opening(path, error)),
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
    transaction.open_table(META)?.insert(VERSION_KEY, VERSION)?;
    transaction.open_table(STATE)?;
    transaction.open_table(STATE_SIZE)?;
    transaction.open_table(CALLS)?;
    transaction.open_table(CALLS_BY_AGE)?;
    transaction.open_table(AUDIT)?;
    transaction.open_table(DOCUMENTS)?;
    transaction.open_table(RUNS)?;
    transaction.open_table(RUN_EVENTS)?;
    transaction.open_table(RUN_KEYS)?;
    transaction.open_table(OPEN_RUNS)?;
    transaction.open_table(ENDED_RUNS)?;
    transaction.open_table(REMOVED_RUNS)?;
    transaction.open_table(CUT_EVENTS)?;
    transaction.open_table(TEAMS)?;
    transaction.open_table(TEAM_USES)?;
    transaction.commit()?;
    Ok(())
}

fn opening(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> JournalError {
    JournalError::Open { path: path.to_owned(), source: Arc::new(source) }
}
