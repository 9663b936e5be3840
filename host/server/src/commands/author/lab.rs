//! Hosts that are there for one command: with data folders of their own, and the
//! packages of an author.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bailiwick_authoring::cases;
use bailiwick_domain::clock::Clock as _;
use bailiwick_domain::invocation::Invocation;
use bailiwick_skills::execute::{ExecuteError, Execution, Executor};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::app::{self, App};
use crate::clock::SystemClock;
use crate::config::{Config, FILE_NAME};
use crate::output::{Exit, Failure, Output};

/// Where compiled code of packages under work is kept, in the host's own cache. It isn't
/// kept in the package: compiled code is run as it is, and a package may be a stranger's.
const CACHE: &str = "authoring";

/// How long compiled code is kept after it was written. Each build leaves some.
const KEEP: Duration = Duration::from_hours(7 * 24);

/// Calls at once on such a host: a workflow calls others while it runs.
const MAX_CALLS: u16 = 32;

/// Where compiled code of an author's packages is, without what is old.
pub(super) fn cache(config: &Config) -> PathBuf {
    let folder = config.cache_dir.join(CACHE);
    forget_old(&folder, SystemClock.now());
    folder
}

/// Removes compiled code that was written long ago. What is needed again is compiled again.
fn forget_old(folder: &Path, now: SystemTime) {
    let Ok(engines) = fs::read_dir(folder) else { return };
    let files = engines.flatten().filter_map(|engine| fs::read_dir(engine.path()).ok()).flatten().flatten();
    for file in files {
        let age = file.metadata().and_then(|it| it.modified()).ok().and_then(|time| now.duration_since(time).ok());
        if age.is_some_and(|age| age > KEEP) {
            // Another command may have been faster.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// A configuration for a host with its data in `data` and its skills in `skills`: the
/// limits of the host that is configured here, and nothing else of it that is somebody's.
pub(super) fn config(base: &Config, data: &Path, skills: &Path) -> Config {
    Config {
        source: None,
        data_dir: data.to_owned(),
        cache_dir: cache(base),
        skill_directories: vec![skills.to_owned()],
        strict_validation: true,
        require_approval_tags: Vec::new(),
        max_concurrent_calls: MAX_CALLS.min(base.max_concurrent_calls),
        watch: false,
        lock: data.join(FILE_NAME).with_extension("lock"),
        workspace_retention: Duration::ZERO,
        secrets: std::collections::BTreeMap::new(),
        ..base.clone()
    }
}

/// The folder of a package, absolute and without symlinks.
pub(super) fn package(folder: &Path) -> Result<PathBuf, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, format!("{}: {error}", folder.display()));
    let root = folder.canonicalize().map_err(|error| wrong(&error))?;
    if root.is_dir() { Ok(root) } else { Err(wrong(&"found a file, expected the folder of a package")) }
}

/// A folder for this command, gone with it.
pub(super) fn scratch() -> Result<TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("bailiwick-")
        .tempdir()
        .map_err(|error| Failure::new(Exit::Host, format!("a temporary folder can't be made: {error}")))
}

/// Makes hosts for cases.
pub(super) struct Lab<'a> {
    config: &'a Config,
    out: Output,
    folder: TempDir,
    runtime: Arc<Runtime>,
    /// Hosts and folders made so far, for their names.
    made: AtomicUsize,
}

impl<'a> Lab<'a> {
    pub(super) fn new(config: &'a Config, out: Output) -> Result<Self, Failure> {
        let runtime = Arc::new(app::runtime(config.worker_threads)?);
        Ok(Self { config, out, folder: scratch()?, runtime, made: AtomicUsize::new(0) })
    }

    fn fresh(&self, what: &str) -> Result<PathBuf, String> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.path().join(format!("{what}-{number}"));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }
}

impl cases::Lab for Lab<'_> {
    fn open(&self, packages: &[PathBuf]) -> Result<Box<dyn cases::Host>, String> {
        let folder = self.fresh("host")?;
        let skills = folder.join("skills");
        link(packages, &skills).map_err(|error| format!("{}: {error}", skills.display()))?;
        let config = config(self.config, &folder.join("data"), &skills);
        let app = App::open(&config, self.out).map_err(|not| Failure::from(not).message)?;
        let executor = app.into_executor(&config);
        Ok(Box::new(Host { executor, runtime: Arc::clone(&self.runtime), folder }))
    }

    fn scratch(&self) -> Result<PathBuf, String> {
        self.fresh("case")
    }
}

/// Puts links to packages into a folder of skills.
pub(super) fn link(packages: &[PathBuf], skills: &Path) -> std::io::Result<()> {
    fs::create_dir_all(skills)?;
    for (index, package) in packages.iter().enumerate() {
        symlink(package.canonicalize()?, skills.join(index.to_string()))?;
    }
    Ok(())
}

/// A host of one case.
struct Host {
    executor: Arc<Executor>,
    runtime: Arc<Runtime>,
    folder: PathBuf,
}

impl cases::Host for Host {
    fn executor(&self) -> &Arc<Executor> {
        &self.executor
    }

    fn call(&self, invocation: Invocation) -> Result<Execution, ExecuteError> {
        self.runtime.block_on(self.executor.execute(invocation))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What is left goes with the lab's own folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
