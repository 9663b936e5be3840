//! Workspaces that last: each is for the calls of one skill that an agent makes for one task
//! of a run, one after the other.
//!
//! ```text
//! <workspaces>/runs/<run>/<task>-<hash>/  what the guests of these calls see at /workspace
//! <workspaces>/runs/<run>/over            since when the run is over, where it is kept
//! ```
//!
//! The hash is of what others have chosen: skill, bytes and agent. So no name of anybody is a
//! part of a path, and no two share a folder.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::permit::Terms;
use bailiwick_domain::quota::Quota;
use bailiwick_domain::run::RunId;
use bailiwick_domain::workspace::WorkspaceKey;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, oneshot};
use tokio::time::{Instant, timeout_at};

use super::ceiling::{Ceiling, Share};
use super::measure::{Measured, measure_all};
use super::tenancy::Tenancy;
use super::{Ending, GRACE, MODE, SCRATCH, Workspace, Workspaces, id, remove};

/// The folder of all of them, below that of all workspaces.
pub(super) const RUNS: &str = "runs";

/// What marks a run that is over.
const OVER: &str = "over";

/// How long the end of a run waits for calls that were cut off. They let go as soon as their
/// guests are gone, which is within one tick of the epoch.
const LET_GO: Duration = Duration::from_secs(5);

/// What is known of them while the process lives.
#[derive(Default)]
pub(super) struct Shared {
    /// One call at a time has a workspace. Those that nobody has or waits for are forgotten.
    turns: Mutex<HashMap<Place, Weak<Turn<()>>>>,
    /// Held while the folder of a run is made, marked or taken away.
    changing: Mutex<Kept>,
    ceiling: Arc<Ceiling>,
}

/// What each that is there takes of the ceiling. It is not known until one is opened.
type Kept = Option<Shares>;

type Shares = HashMap<Place, Arc<Share>>;

/// Why a call gets no workspace.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// There are as many as there may be.
    #[error("the host keeps {0} workspaces for runs, as many as it may at once; they go with their runs")]
    TooMany(usize),
    /// The run has as many as one may have.
    #[error("the run has {0} workspaces, as many as one may have at once; they go with it")]
    TooManyOfRun(usize),
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Where one of them is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    run: RunId,
    name: String,
}

impl Place {
    fn of(key: &WorkspaceKey, terms: &Terms) -> Self {
        // Neither an id of a skill nor a digest has a line end in it.
        let whole = format!("{}\n{}\n{}", terms.skill, terms.digest, key.agent);
        let name = format!("{}-{}", key.task, Digest::of(whole.as_bytes()).hex());
        Self { run: key.run.clone(), name }
    }
}

impl Shared {
    /// Whose turn it is in one of them.
    fn turn(&self, place: &Place) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(place).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Turn::new(()));
        turns.insert(place.clone(), Arc::downgrade(&turn));
        turn
    }

    /// The same for all of a run that somebody has or waits for.
    fn turns_of(&self, run: &RunId) -> Vec<Arc<Turn<()>>> {
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.iter().filter(|(place, _)| place.run == *run).filter_map(|(_, turn)| turn.upgrade()).collect()
    }

    /// Whether `run` may have one more than there are.
    fn has_room(&self, kept: &Shares, run: &RunId) -> Result<(), OpenError> {
        let (most, most_of_run) = (self.ceiling.max_workspaces(), self.ceiling.max_of_run());
        if kept.len() >= most {
            return Err(OpenError::TooMany(most));
        }
        if kept.keys().filter(|place| place.run == *run).count() >= most_of_run {
            return Err(OpenError::TooManyOfRun(most_of_run));
        }
        Ok(())
    }

    fn change(&self) -> MutexGuard<'_, Kept> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workspaces {
    /// The workspace of all calls of `key` under `terms`, with what those before have left in
    /// it. Waits for its turn: who would see it while another call writes would see half of
    /// a file.
    pub(crate) async fn open_or_create(
        self: &Arc<Self>,
        key: &WorkspaceKey,
        terms: &Terms,
    ) -> Result<Workspace, OpenError> {
        let place = Place::of(key, terms);
        let turn = self.shared.turn(&place).lock_owned().await;
        let (workspaces, quota) = (Arc::clone(self), terms.workspace.unwrap_or_default());
        // Closed when this future is dropped.
        let (caller, _waits) = oneshot::channel();
        // The turn goes along, so that a call that is dropped now gives it back when nothing
        // is done for it any more.
        let opened = tokio::task::spawn_blocking(move || workspaces.open(&place, quota, turn, &caller)).await;
        opened.unwrap_or_else(|error| Err(io::Error::other(error).into()))
    }

    /// Takes away what calls of `run` shared, or takes note of since when it is kept. The run
    /// is over, and none of its calls begins any more.
    pub async fn end_run(self: &Arc<Self>, run: &RunId) {
        let end = Instant::now() + LET_GO;
        for turn in self.shared.turns_of(run) {
            // A call that still has it writes into what goes.
            let _ = timeout_at(end, turn.lock()).await;
        }
        let (workspaces, run) = (Arc::clone(self), run.clone());
        // What can't be done now is left for the next start, which says why.
        let _ = tokio::task::spawn_blocking(move || workspaces.let_go(&run)).await;
    }

    /// Runs whose calls have left something. Blocks.
    pub fn runs(&self) -> Vec<RunId> {
        // Where there is no folder, nothing was left.
        let entries = fs::read_dir(self.folder.join(RUNS)).into_iter().flatten().filter_map(Result::ok);
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// Removes what was kept long enough after the end of its run.
    pub(super) fn sweep_runs(&self) {
        for run in self.runs() {
            self.told(&run, self.take_away(&run, Some(self.retention.max(GRACE))));
        }
    }

    fn open(
        &self,
        place: &Place,
        quota: Quota,
        turn: OwnedMutexGuard<()>,
        caller: &oneshot::Sender<()>,
    ) -> Result<Workspace, OpenError> {
        let (files, share) = self.make(place, caller)?;
        let Measured { held, on_disk } = measure_all(&files);
        share.found(on_disk, quota.max_bytes);
        let tenancy = Tenancy { files: files.clone(), quota: quota.max_bytes, share, lease: Arc::new(turn) };
        Ok(Workspace { ending: Some(Ending::Shared(tenancy)), files, held })
    }

    /// The folder, made where it isn't there and may be, with its part of the ceiling.
    fn make(&self, place: &Place, caller: &oneshot::Sender<()>) -> Result<(PathBuf, Arc<Share>), OpenError> {
        let mut changing = self.shared.change();
        // The run of a call that was cut off may be over, and what was taken away of it meanwhile
        // must not be there again.
        if caller.is_closed() {
            return Err(io::Error::other("the call was cut off before it had its workspace").into());
        }
        let kept = changing.get_or_insert_with(|| self.look());
        if let Some(share) = kept.get(place) {
            return Ok((self.make_folder(place)?, Arc::clone(share)));
        }
        self.shared.has_room(kept, &place.run)?;
        let files = self.make_folder(place)?;
        let other = kept.iter().find(|(other, _)| other.run == place.run);
        let share = self.shared.ceiling.share(other.map(|(_, share)| &**share));
        kept.insert(place.clone(), Arc::clone(&share));
        Ok((files, share))
    }

    /// What hosts before this one have left, and what it takes. What may lie there was granted
    /// to calls that are over, so that the quota of a grant that names none stands for it.
    fn look(&self) -> Shares {
        let mut kept = Shares::new();
        for run in self.runs() {
            let mut other: Option<Arc<Share>> = None;
            let entries = fs::read_dir(self.of_run(&run)).into_iter().flatten().filter_map(Result::ok);
            for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
                let Ok(name) = entry.file_name().into_string() else { continue };
                let share = self.shared.ceiling.share(other.as_deref());
                share.found(measure_all(&entry.path()).on_disk, Quota::default().max_bytes);
                other = Some(Arc::clone(&share));
                kept.insert(Place { run: run.clone(), name }, share);
            }
        }
        kept
    }

    fn make_folder(&self, place: &Place) -> io::Result<PathBuf> {
        let folder = self.of_run(&place.run);
        DirBuilder::new().recursive(true).mode(MODE).create(&folder)?;
        // A run that has failed and is tried again is over no more.
        absent_or(fs::remove_file(folder.join(OVER)))?;
        let files = folder.join(&place.name);
        match DirBuilder::new().mode(MODE).create(&files) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        // The data folder may be named by a path with symlinks in it; behind that there are none.
        let real = self.folder.canonicalize()?.join(RUNS).join(place.run.as_str()).join(&place.name);
        if files.canonicalize()? != real || !real.is_dir() {
            return Err(io::Error::other("something else stands where a workspace of the run was"));
        }
        // A command can change the mode of the folder in which it runs.
        fs::set_permissions(&real, Permissions::from_mode(MODE))?;
        Ok(real)
    }

    fn let_go(&self, run: &RunId) {
        self.told(run, if self.retention.is_zero() { self.take_away(run, None) } else { self.mark(run) });
    }

    /// Takes note that the run is over since now, where that isn't known.
    fn mark(&self, run: &RunId) -> io::Result<()> {
        let _changing = self.shared.change();
        match File::create_new(self.of_run(run).join(OVER)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made?.set_modified(self.clock.now()),
        }
    }

    /// Removes what is there of a run: all of it, or where it is over for so long.
    fn take_away(&self, run: &RunId, over_for: Option<Duration>) -> io::Result<()> {
        let aside = self.folder.join(format!("{SCRATCH}{}", id()?));
        let (lock, shares) = {
            let mut changing = self.shared.change();
            let folder = self.of_run(run);
            if let Some(least) = over_for
                && self.clock.now().duration_since(over_since(&folder)?).unwrap_or_default() < least
            {
                return Ok(());
            }
            let moved = move_aside(&folder, &aside);
            // What can't be moved stays, and counts on.
            let gone = moved.as_ref().map_or_else(is_absent, |_| true);
            let shares: Shares = match &mut *changing {
                Some(kept) if gone => kept.extract_if(|place, _| place.run == *run).collect(),
                Some(_) | None => Shares::new(),
            };
            (moved?, shares)
        };
        let removed = remove(&aside);
        // The bytes count until they are gone.
        drop((lock, shares));
        removed
    }

    fn of_run(&self, run: &RunId) -> PathBuf {
        self.folder.join(RUNS).join(run.as_str())
    }

    /// Where a run left nothing, there is nothing to say.
    fn told(&self, run: &RunId, ended: io::Result<()>) {
        if let Err(error) = absent_or(ended) {
            tracing::warn!(%run, folder = %self.folder.display(), %error, "workspaces of a run are left behind");
        }
    }
}

/// In one step, so that a run that is tried again finds all of it or nothing. Under its new name
/// it is removed by the next sweep if it can't be now.
fn move_aside(folder: &Path, aside: &Path) -> io::Result<File> {
    let lock = File::open(folder)?;
    lock.try_lock().map_err(io::Error::from)?;
    fs::rename(folder, aside)?;
    Ok(lock)
}

fn over_since(folder: &Path) -> io::Result<std::time::SystemTime> {
    fs::symlink_metadata(folder.join(OVER))?.modified()
}

/// What came of it, where it need not be there.
fn absent_or(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if is_absent(&error) { Ok(()) } else { Err(error) })
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests;
