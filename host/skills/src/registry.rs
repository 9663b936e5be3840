//! Finding skills on disk, and noticing when they change.

mod admission;
mod change;
mod load;
mod prepare;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak, mpsc};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::sandbox::Sandbox;
use tokio::sync::watch;

pub use self::admission::{Admission, Admitted, NotAdmitted};
pub use self::change::{Change, Release};
use self::load::Loaded;
use self::prepare::Preparation;
use crate::catalog::{Broken, Catalog, Found};
use crate::package::LoadOptions;
use crate::skill::Skill;

/// Packages that are read at the same time. Compiling a large component takes
/// hundreds of megabytes, and more threads than this wait for the disk.
const MAX_LOADERS: usize = 4;

/// Where skills are, and how they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryOptions {
    /// Folders whose immediate subfolders are packages.
    pub directories: Vec<PathBuf>,
    /// Whether slips in a manifest are errors.
    pub strict: bool,
    /// Whether a skill may ask to run commands on the host.
    pub allow_shell: bool,
    /// Whether large components are compiled later, by [`Registry::prepare_in_background`].
    pub put_off: bool,
}

impl RegistryOptions {
    /// How one package is read.
    pub const fn load(&self) -> LoadOptions {
        LoadOptions { strict: self.strict, allow_shell: self.allow_shell }
    }
}

/// How far reading has come, for those who wait for the first start,
/// when components may have to be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Packages read before.
    pub done: usize,
    /// Packages in all.
    pub total: usize,
    /// A folder that is being read.
    pub folder: &'a Path,
}

/// The skills of a host. Loading blocks; what the hot path needs does not.
pub struct Registry {
    options: RegistryOptions,
    /// Judges installed packages; there are none where it is left out.
    admission: Option<Arc<dyn Admission>>,
    sandbox: Arc<dyn Sandbox>,
    catalog: RwLock<Arc<Catalog>>,
    /// Held during a whole reload, so that there is one at a time.
    packages: Mutex<Packages>,
    preparation: Preparation,
    changes: watch::Sender<Arc<Change>>,
}

/// What was read, and from where.
#[derive(Default)]
struct Packages {
    loaded: BTreeMap<PathBuf, Loaded>,
    /// Skills that are no longer in the catalog. While somebody still holds one,
    /// its code must stay.
    retired: Vec<Weak<Skill>>,
}

impl Registry {
    /// Reads every package of the folders in `options`. What is broken is listed
    /// in the catalog and hurts nothing else.
    ///
    /// Blocks, for seconds where large components have to be compiled.
    pub fn open(options: RegistryOptions, sandbox: Arc<dyn Sandbox>, on_progress: impl FnMut(Progress<'_>)) -> Self {
        Self::open_with(options, None, sandbox, on_progress)
    }

    /// The same beside installed packages, of which `admission` says which may be skills.
    pub fn open_with(
        options: RegistryOptions,
        admission: Option<Arc<dyn Admission>>,
        sandbox: Arc<dyn Sandbox>,
        mut on_progress: impl FnMut(Progress<'_>),
    ) -> Self {
        let mut packages = Packages::default();
        let preparation = Preparation::new(options.put_off);
        let reading = Reading { admission: admission.as_deref(), sandbox: &*sandbox, preparation: &preparation };
        let scanned = read_all(&options, reading, &mut packages, &mut on_progress);
        let catalog = Catalog::new(1, scanned.skills, scanned.broken);
        let change = Change::between(&Catalog::default(), &catalog);
        forget_code(&mut packages, &*sandbox);
        Self {
            options,
            admission,
            sandbox,
            catalog: RwLock::new(Arc::new(catalog)),
            packages: Mutex::new(packages),
            preparation,
            changes: watch::Sender::new(Arc::new(change)),
        }
    }

    /// The skills as they are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads again what changed on disk. Calls under way keep the skill that they began with.
    ///
    /// Blocks like [`Registry::open`]; packages whose files are as they were are not read.
    pub fn reload(&self) -> Arc<Change> {
        let mut packages = self.lock();
        let scanned = read_all(&self.options, self.reading(), &mut packages, &mut |_| ());
        let old = self.catalog();
        let new = Catalog::new(old.generation() + 1, scanned.skills, scanned.broken);
        let change = Change::between(&old, &new);
        if change.is_empty() {
            return Arc::new(change);
        }
        packages.retire(&old, &new);
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        drop(old);
        forget_code(&mut packages, &*self.sandbox);
        drop(packages);
        let change = Arc::new(change);
        log(&change);
        self.changes.send_replace(Arc::clone(&change));
        change
    }

    /// How packages are read.
    pub const fn load_options(&self) -> LoadOptions {
        self.options.load()
    }

    /// Reads the package in `folder` as it would be read among the others, and keeps nothing of it.
    ///
    /// Blocks like [`Registry::open`].
    pub fn inspect(&self, folder: &Path) -> Result<Arc<Skill>, Broken> {
        let waiting = Preparation::default();
        let reading = Reading { admission: None, sandbox: &*self.sandbox, preparation: &waiting };
        load::load(folder, self.options.load(), None, reading).skill
    }

    /// The last change, and every one to come.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Change>> {
        self.changes.subscribe()
    }

    /// The folders where something may change that concerns a skill.
    pub(crate) fn folders(&self) -> BTreeSet<PathBuf> {
        let packages = self.lock();
        let files = packages.loaded.values().flat_map(Loaded::folders);
        let installed = self.admission.iter().map(|admission| admission.folder().to_owned());
        // The folder of installed packages may come later: then whoever made it says so.
        let lock = self.admission.iter().map(|admission| admission.lock().to_owned());
        // The lock may lie among files that change all the time, so it is watched by itself.
        let installed = installed.filter(|folder| folder.is_dir()).chain(lock.filter(|lock| lock.is_file()));
        let own = self.options.directories.iter().cloned().chain(installed);
        own.chain(packages.loaded.keys().cloned()).chain(files).collect()
    }

    fn reading(&self) -> Reading<'_> {
        let (admission, sandbox) = (self.admission.as_deref(), &*self.sandbox);
        Reading { admission, sandbox, preparation: &self.preparation }
    }

    fn lock(&self) -> MutexGuard<'_, Packages> {
        self.packages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one pass over the folders gave.
struct Scanned {
    skills: Vec<Found>,
    broken: Vec<Broken>,
}

/// What packages are read with.
#[derive(Clone, Copy)]
struct Reading<'a> {
    /// Who must admit them, where they were installed.
    admission: Option<&'a dyn Admission>,
    sandbox: &'a dyn Sandbox,
    preparation: &'a Preparation,
}

fn read_all(
    options: &RegistryOptions,
    reading: Reading<'_>,
    packages: &mut Packages,
    on_progress: &mut dyn FnMut(Progress<'_>),
) -> Scanned {
    let mut scan = scan::scan(&options.directories);
    let own = scan.folders.len();
    // Where there is no such folder, nothing is installed.
    if let Some(admission) = reading.admission.filter(|admission| admission.folder().is_dir()) {
        let installed = scan::scan(&[admission.folder().to_owned()]);
        scan.folders.extend(installed.folders);
        scan.broken.extend(installed.broken);
    }
    let mut old = std::mem::take(&mut packages.loaded);
    let mut scanned = Scanned { skills: Vec::new(), broken: scan.broken };
    let load_options = options.load();
    let job = |(index, folder): (usize, PathBuf)| Job {
        old: old.remove(&folder),
        admission: reading.admission.filter(|_| index >= own),
        folder,
    };
    let jobs: Vec<_> = scan.folders.into_iter().enumerate().map(job).collect();
    let load = |job: &mut Job<'_>| {
        let reading = Reading { admission: job.admission, ..reading };
        load::load(&job.folder, load_options, job.old.take(), reading)
    };
    for (folder, loaded) in load_side_by_side(jobs, load, on_progress) {
        match &loaded.skill {
            Ok(skill) => scanned.skills.push(Found { folder: folder.clone(), skill: Arc::clone(skill) }),
            Err(broken) => scanned.broken.push(broken.clone()),
        }
        packages.loaded.insert(folder, loaded);
    }
    scanned
}

/// A package to read.
struct Job<'a> {
    folder: PathBuf,
    old: Option<Loaded>,
    /// Who must admit it, where it was installed.
    admission: Option<&'a dyn Admission>,
}

/// Loads each package, several at a time: reading, hashing and compiling use
/// one core each. The answers are in the order of the jobs.
fn load_side_by_side(
    jobs: Vec<Job<'_>>,
    load: impl Fn(&mut Job<'_>) -> Loaded + Sync,
    on_progress: &mut dyn FnMut(Progress<'_>),
) -> Vec<(PathBuf, Loaded)> {
    let total = jobs.len();
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MAX_LOADERS).min(total);
    let folders: Vec<PathBuf> = jobs.iter().map(|job| job.folder.clone()).collect();
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let mut answers: Vec<Option<Loaded>> = folders.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..workers {
            let (sender, queue, load) = (sender.clone(), &queue, &load);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, mut job)) = next else { return };
                    // The receiver is there until every sender is gone.
                    let _ = sender.send((index, load(&mut job)));
                }
            });
        }
        drop(sender);
        for (done, folder) in folders.iter().enumerate() {
            on_progress(Progress { done, total, folder });
            let Ok((index, loaded)) = receiver.recv() else { break };
            answers[index] = Some(loaded);
        }
    });
    folders.into_iter().zip(answers).filter_map(|(folder, loaded)| Some((folder, loaded?))).collect()
}

impl Packages {
    /// Remembers the skills of `old` that `new` doesn't have.
    fn retire(&mut self, old: &Catalog, new: &Catalog) {
        let stays = |skill: &Arc<Skill>| new.releases(&skill.manifest.id).iter().any(|other| Arc::ptr_eq(skill, other));
        self.retired.extend(old.list().filter(|skill| !stays(skill)).map(Arc::downgrade));
    }
}

/// Has the sandbox forget the code that no skill has any more. Code of skills
/// that a call still holds goes with a later reload.
fn forget_code(packages: &mut Packages, sandbox: &dyn Sandbox) {
    packages.retired.retain(|skill| skill.strong_count() > 0);
    let loaded = packages.loaded.values().filter_map(|loaded| loaded.skill.as_ref().ok()).map(|skill| skill.digest);
    let held = packages.retired.iter().filter_map(Weak::upgrade).map(|skill| skill.digest);
    let digests: BTreeSet<Digest> = loaded.chain(held).collect();
    sandbox.retain(&|digest| digests.contains(digest));
}

fn log(change: &Change) {
    let count = |releases: &[Release]| releases.len();
    tracing::info!(
        generation = change.generation,
        added = count(&change.added),
        removed = count(&change.removed),
        changed = count(&change.changed),
        broken = change.broken.len(),
        "the skills changed"
    );
    for broken in change.broken.iter().filter(|broken| !broken.is_preparing()) {
        tracing::warn!(folder = %broken.folder.display(), "broken package: {}", broken.error);
    }
}
