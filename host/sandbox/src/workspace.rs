//! Workspaces: a folder of its own for each call, gone with it or kept for a while, or for each
//! task of a run, whose calls share it ([`shared`]).
//!
//! ```text
//! <workspaces>/<id>/        the host's own, locked while the call runs
//! <workspaces>/<id>/files/  what the guest sees at /workspace
//! ```

mod ceiling;
mod measure;
mod remove;
mod shared;
mod tenancy;

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::sandbox::{BoxFuture, ScratchFolder};
use tokio::runtime::Handle;

pub(crate) use self::ceiling::Share;
pub(crate) use self::measure::{TOO_MUCH, measure};
use self::remove::remove;
pub(crate) use self::shared::OpenError;
use self::shared::{RUNS, Shared};
pub(crate) use self::tenancy::Lease;
use self::tenancy::Tenancy;
use crate::capabilities::fs::Addition;

/// Only the host's user comes in.
const MODE: u32 = 0o700;

/// What the guest sees of a workspace.
const FILES: &str = "files";

/// What the names of folders begin with that are never kept, also not those of a host
/// that crashed.
const SCRATCH: &str = "scratch-";

/// Bytes of an id, by chance alone never the same twice.
const ID_BYTES: usize = 16;

/// A workspace is not taken for a leftover before this: it is locked some
/// milliseconds after it was made, and not in the same moment.
const GRACE: Duration = Duration::from_secs(2);

/// The folder of all workspaces.
pub struct Workspaces {
    folder: PathBuf,
    retention: Duration,
    clock: Arc<dyn Clock>,
    shared: Shared,
}

/// The workspace of one call. Dropping it ends it, or gives it to the next of those that
/// share it.
pub(crate) struct Workspace {
    /// Taken when the call ends.
    ending: Option<Ending>,
    files: PathBuf,
    /// What lay there before.
    held: Addition,
}

/// What is done at the end of a call.
enum Ending {
    /// The workspace ends too.
    Own(Own),
    /// It is the next one's turn. The workspace ends with its run.
    Shared(Tenancy),
}

/// What is needed to end a workspace.
struct Own {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    keep: bool,
    /// Says to everyone who looks for leftovers that this is none.
    lock: File,
}

impl Workspaces {
    /// Workspaces below `folder`, each kept for `retention` after its call, or its run.
    pub fn new(folder: PathBuf, retention: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { folder, retention, clock, shared: Shared::default() }
    }

    /// Removes what was left by calls that ended longer ago than workspaces are
    /// kept, be it by a host that crashed. Blocks.
    pub fn sweep(&self) {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                tracing::warn!(folder = %self.folder.display(), %error, "leftover workspaces can't be looked for");
                return;
            }
        };
        self.sweep_runs();
        for entry in entries.filter_map(Result::ok).filter(|entry| entry.file_name() != RUNS) {
            let path = entry.path();
            if let Err(error) = self.sweep_one(&path) {
                tracing::warn!(workspace = %path.display(), %error, "a leftover workspace can't be removed");
            }
        }
    }

    /// A workspace that is nobody else's. Blocks.
    pub(crate) fn create(&self) -> io::Result<Workspace> {
        self.create_named(&id()?, !self.retention.is_zero())
    }

    /// The same for what is never kept: it holds copies, of what is observed. Blocks.
    pub(crate) fn create_scratch(&self) -> io::Result<Workspace> {
        self.create_named(&format!("{SCRATCH}{}", id()?), false)
    }

    fn create_named(&self, id: &str, keep: bool) -> io::Result<Workspace> {
        DirBuilder::new().recursive(true).mode(MODE).create(&self.folder)?;
        let folder = self.folder.join(id);
        let mut exclusive = DirBuilder::new();
        exclusive.mode(MODE).create(&folder)?;
        let lock = File::open(&folder)?;
        lock.try_lock().map_err(io::Error::from)?;
        let files = folder.join(FILES);
        exclusive.create(&files)?;
        // The data folder may be named by a path with symlinks in it.
        let files = files.canonicalize()?;
        let clock = Arc::clone(&self.clock);
        let ending = Some(Ending::Own(Own { folder, clock, keep, lock }));
        Ok(Workspace { ending, files, held: Addition::default() })
    }

    fn sweep_one(&self, path: &Path) -> io::Result<()> {
        let folder = File::open(path)?;
        match folder.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Set when the call ended. The guest can't reach this folder, only the one in it.
        let ended = folder.metadata()?.modified()?;
        let age = self.clock.now().duration_since(ended).unwrap_or_default();
        let scratch = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(SCRATCH.as_bytes()));
        let kept = if scratch { GRACE } else { self.retention.max(GRACE) };
        if age < kept {
            return Ok(());
        }
        remove(path)
    }
}

impl Workspace {
    /// The folder that the guest sees.
    pub(crate) fn folder(&self) -> &Path {
        &self.files
    }

    /// What lay there when it was opened.
    pub(crate) const fn held(&self) -> Addition {
        self.held
    }

    /// What it takes of what all of runs may hold, if it is one of them.
    pub(crate) fn share(&self) -> Option<Arc<Share>> {
        self.tenancy().map(|tenancy| Arc::clone(&tenancy.share))
    }

    /// A part of the turn that the call has, for its commands, where others wait for theirs.
    pub(crate) fn lease(&self) -> Option<Lease> {
        self.tenancy().map(Tenancy::lease)
    }

    /// Ends the workspace and waits until it is gone, or marked as kept. One that is shared is
    /// left to the next.
    pub(crate) async fn end(mut self) {
        let Some(ending) = self.ending.take() else { return };
        if ending.blocks() {
            // What can't be done now is left for the next sweep, which says why.
            let _ = tokio::task::spawn_blocking(move || ending.end()).await;
        } else {
            ending.end();
        }
    }

    const fn tenancy(&self) -> Option<&Tenancy> {
        match &self.ending {
            Some(Ending::Shared(tenancy)) => Some(tenancy),
            Some(Ending::Own(_)) | None => None,
        }
    }
}

impl ScratchFolder for Workspace {
    fn path(&self) -> &Path {
        &self.files
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(Self::end(*self))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let Some(ending) = self.ending.take() else { return };
        // A call that is cut off is dropped where nothing may block.
        match Handle::try_current() {
            Ok(runtime) if ending.blocks() => drop(runtime.spawn_blocking(move || ending.end())),
            Ok(_) | Err(_) => ending.end(),
        }
    }
}

impl Ending {
    /// Whether it takes the disk.
    fn blocks(&self) -> bool {
        match self {
            Self::Own(_) => true,
            Self::Shared(tenancy) => tenancy.blocks(),
        }
    }

    fn end(self) {
        match self {
            Self::Own(own) => own.end(),
            Self::Shared(tenancy) => tenancy.end(),
        }
    }
}

impl Own {
    fn end(self) {
        let ended = if self.keep { self.lock.set_modified(self.clock.now()) } else { remove(&self.folder) };
        if let Err(error) = ended {
            tracing::warn!(workspace = %self.folder.display(), %error, "a workspace is left behind");
        }
    }
}

fn id() -> io::Result<String> {
    let mut id = [0; ID_BYTES];
    getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(id)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::sync::Mutex;
    use std::time::{Instant, SystemTime};

    use super::*;

    struct HandClock(Mutex<SystemTime>);

    impl Clock for HandClock {
        fn now(&self) -> SystemTime {
            *self.0.lock().expect("unpoisoned")
        }

        fn instant(&self) -> Instant {
            Instant::now()
        }
    }

    fn workspaces(retention: Duration) -> (tempfile::TempDir, Arc<HandClock>, Workspaces) {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(HandClock(Mutex::new(SystemTime::now())));
        let below = folder.path().join("workspaces");
        let workspaces = Workspaces::new(below, retention, Arc::clone(&clock) as Arc<dyn Clock>);
        (folder, clock, workspaces)
    }

    fn count(workspaces: &Workspaces) -> usize {
        fs::read_dir(&workspaces.folder).expect("a folder").count()
    }

    #[test]
    fn an_id_that_is_taken_is_an_error() {
        let (_folder, _, workspaces) = workspaces(Duration::ZERO);
        let first = workspaces.create_named("one", false).expect("a workspace");
        fs::write(first.folder().join("file"), "x").expect("written");
        let error = workspaces.create_named("one", false).map(drop).expect_err("it is another call's");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(first.folder().join("file").exists());
    }

    #[test]
    fn only_the_user_comes_in() {
        let (_folder, _, workspaces) = workspaces(Duration::ZERO);
        let workspace = workspaces.create().expect("a workspace");
        let own = workspace.folder().parent().expect("a parent");
        for folder in [&workspaces.folder, own, workspace.folder()] {
            assert_eq!(fs::metadata(folder).expect("there").permissions().mode() & 0o777, 0o700, "{folder:?}");
        }
    }

    #[test]
    fn it_goes_with_the_call_however_deep_it_is() {
        let (folder, _, workspaces) = workspaces(Duration::ZERO);
        let beside = folder.path().join("beside");
        fs::create_dir(&beside).expect("a folder");
        fs::write(beside.join("file"), "x").expect("written");
        let workspace = workspaces.create().expect("a workspace");
        let mut deep = workspace.folder().to_owned();
        for _ in 0..300 {
            deep.push("lifted-1");
            fs::create_dir(&deep).expect("a folder");
            fs::write(deep.join("file"), "x").expect("written");
        }
        symlink(&beside, workspace.folder().join("link")).expect("a symlink");
        drop(workspace);
        assert_eq!(count(&workspaces), 0);
        assert!(beside.join("file").exists(), "a link is removed, not what it leads to");
    }

    #[test]
    fn leftovers_are_removed_when_their_time_is_over_and_live_ones_never() {
        let (_folder, clock, workspaces) = workspaces(Duration::from_mins(1));
        let live = workspaces.create().expect("a workspace");
        drop(workspaces.create().expect("another one"));
        *clock.0.lock().expect("unpoisoned") += Duration::from_secs(59);
        workspaces.sweep();
        assert_eq!(count(&workspaces), 2);
        *clock.0.lock().expect("unpoisoned") += Duration::from_secs(2);
        workspaces.sweep();
        assert_eq!(count(&workspaces), 1);
        assert!(live.folder().exists());
    }

    #[tokio::test]
    async fn a_scratch_folder_is_never_kept() {
        let (_folder, clock, workspaces) = workspaces(Duration::from_mins(1));
        let scratch: Box<dyn ScratchFolder> = Box::new(workspaces.create_scratch().expect("a folder"));
        fs::write(scratch.path().join("file"), "x").expect("written");
        scratch.end().await;
        assert_eq!(count(&workspaces), 0, "it is gone before anybody is told");
        // Also where the host ended before it.
        let crashed = workspaces.create_scratch().expect("a folder");
        let path = crashed.folder().parent().expect("a parent").to_owned();
        std::thread::spawn(move || drop(crashed)).join().expect("no panic");
        fs::create_dir_all(path.join(FILES)).expect("folders");
        *clock.0.lock().expect("unpoisoned") += Duration::from_secs(3);
        workspaces.sweep();
        assert!(!path.exists());
    }
}
