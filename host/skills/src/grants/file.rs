//! The file on disk: read whole, written whole, one writer at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use bailiwick_domain::grant::Grant;

use super::error::GrantError;
use super::raw;
use crate::stamp::Stamp;

/// Bytes of the file: a thousand grants of a kilobyte, four times.
const MAX_BYTES: u64 = 4 << 20;

/// How long a change waits for another process's: each takes milliseconds.
const LOCK_TRIES: u32 = 200;

/// Between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// 9999-12-31T23:59:59Z, the last moment that RFC 3339 can write.
const LAST_SECOND: u64 = 253_402_300_799;

/// Only the owner reads it, because it may hold configuration of skills.
const MODE: u32 = 0o600;

/// The grants, with the stamp of the file that they were read from; without one
/// where there is no file.
pub(super) fn read(path: &Path) -> Result<(Option<Stamp>, Vec<Grant>), GrantError> {
    let unreadable = |error| GrantError::Unreadable { path: path.to_owned(), error };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, Vec::new())),
        Err(error) => return Err(unreadable(error)),
    };
    // The stamp is of this very file and older than what is read: whatever
    // changes meanwhile shows at the next look.
    let stamp = Stamp::from(&file.metadata().map_err(unreadable)?);
    let mut text = String::new();
    let length = file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if length as u64 > MAX_BYTES {
        return Err(GrantError::TooLarge { path: path.to_owned(), max: MAX_BYTES });
    }
    Ok((Some(stamp), raw::parse(path, &text)?))
}

/// Applies `change` to what the file holds, with no other change in between.
pub(super) fn change(path: &Path, change: impl FnOnce(&mut Vec<Grant>)) -> Result<(), GrantError> {
    make_folder(path)?;
    let _lock = lock(path)?;
    let (_, mut grants) = read(path)?;
    change(&mut grants);
    let text = raw::write(&grants).map_err(GrantError::Inexpressible)?;
    // What can't be read as it was meant would void every grant in the file.
    if raw::parse(path, &text)? != grants {
        return Err(GrantError::Inexpressible("it would be read as something else than was meant".to_owned()));
    }
    if text.len() as u64 > MAX_BYTES {
        return Err(GrantError::TooLarge { path: path.to_owned(), max: MAX_BYTES });
    }
    replace(path, &text).map_err(|error| GrantError::Unwritable { path: path.to_owned(), error })
}

/// The time as the file has it.
pub(super) fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// The time for people and for the file: RFC 3339 in UTC. What lies beyond the
/// years that it can write is written as the nearest of them.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND);
    humantime::format_rfc3339_seconds(whole_seconds(time).min(last)).to_string()
}

fn make_folder(path: &Path) -> Result<(), GrantError> {
    let folder = folder_of(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| GrantError::Unwritable { path: folder.to_owned(), error })
}

/// The lock of a file beside, which stays: the grants themselves are replaced at
/// each change, and a lock on what was replaced keeps nobody out. The lock goes
/// when the file is closed.
fn lock(path: &Path) -> Result<File, GrantError> {
    let path = sibling(path, ".lock");
    let unwritable = |error| GrantError::Unwritable { path: path.clone(), error };
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(MODE).open(&path);
    let file = options.map_err(unwritable)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
    }
    Err(GrantError::Busy(path))
}

/// Puts `text` in the place of the file, so that after a crash there is the old
/// one or the new one, whole.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let new = sibling(path, ".new");
    // What a crash left there is in the way.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder_of(path))?.sync_all()
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder that holds `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
