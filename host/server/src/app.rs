//! The parts of a host, put together.

use std::io::IsTerminal as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bailiwick_api::auth::KeyFile;
use bailiwick_domain::clock::Clock as _;
use bailiwick_domain::permit::{PermitIssuer, authority};
use bailiwick_domain::sandbox::Sandbox;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_domain::state::StateStore;
use bailiwick_domain::units::parse_duration;
use bailiwick_journal::{Journal, JournalError};
use bailiwick_sandbox::{SandboxOptions, WasmSandbox, Workspaces};
use bailiwick_skills::execute::{Executor, ExecutorParts};
use bailiwick_skills::grants::{GrantStore, WORKSPACES};
use bailiwick_skills::policy::{Policy, PolicyOptions};
use bailiwick_skills::registry::{Progress, Registry, RegistryOptions};
use bailiwick_skills::skill::Skill;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::foreign_state::ForeignState;
use crate::output::{Exit, Failure, Output};

/// The longest that a grant or a key is given for. Dates have years of four
/// digits, and what shall outlive its giver needs no end.
const MAX_LIFETIME: Duration = Duration::from_hours(100 * 366 * 24);

/// A host without its network.
pub struct App {
    /// Which skills there are.
    pub registry: Arc<Registry>,
    /// What was granted.
    pub grants: Arc<GrantStore>,
    /// What calls write for themselves alone.
    pub workspaces: Arc<Workspaces>,
    sandbox: Arc<dyn Sandbox>,
    journal: Arc<Journal>,
    issuer: PermitIssuer,
}

/// Whether this process must own the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// A server: there is one for each data folder.
    Exclusive,
    /// A command: it works beside a server, but for the state of skills.
    Shared,
}

impl App {
    /// Opens the data folder and reads every skill, with a bar while components compile.
    pub fn open(config: &Config, ownership: Ownership, out: Output) -> Result<Self, Failure> {
        let host = |error: &dyn std::error::Error| Failure::new(Exit::Host, chain(error));
        private_folder(&config.data_dir)?;
        let grants = grants(config)?;
        let (journal, state) = journal(config, ownership).map_err(|error| host(&error))?;
        let (issuer, verifier) = authority();
        let sandbox = WasmSandbox::new(sandbox_options(config), verifier, Arc::new(SystemClock), state);
        let sandbox = Arc::new(sandbox.map_err(|error| host(&error))?);
        let workspaces = Arc::clone(sandbox.workspaces());
        workspaces.sweep();
        let sandbox: Arc<dyn Sandbox> = sandbox;
        let registry = open_registry(config, &sandbox, out);
        Ok(Self { registry, grants, workspaces, sandbox, journal, issuer })
    }

    /// The skill that `selector` means.
    pub fn resolve(&self, selector: &str) -> Result<Arc<Skill>, Failure> {
        let selector: SkillSelector = selector.parse().map_err(|error| Failure::new(Exit::Usage, error))?;
        self.registry.catalog().resolve(&selector).map_err(|error| Failure::new(Exit::NotFound, error))
    }

    /// What makes calls. Policy takes the issuer of permits with it.
    pub fn into_executor(self, config: &Config) -> Arc<Executor> {
        let options = PolicyOptions {
            limits: config.limits.clone(),
            require_approval_tags: config.require_approval_tags.iter().cloned().collect(),
        };
        Arc::new(Executor::new(ExecutorParts {
            registry: self.registry,
            grants: self.grants,
            policy: Policy::new(self.issuer, options),
            sandbox: self.sandbox,
            journal: self.journal,
            clock: Arc::new(SystemClock),
            max_concurrent_calls: u32::from(config.max_concurrent_calls),
        }))
    }
}

/// The grants of the data folder.
pub fn grants(config: &Config) -> Result<Arc<GrantStore>, Failure> {
    private_folder(&config.data_dir)?;
    let store = GrantStore::open(&config.data_dir.join("grants.toml"), Arc::new(SystemClock));
    store.map(Arc::new).map_err(|error| Failure::new(Exit::Host, chain(&error)))
}

/// Where the API keys are.
pub fn keys_path(config: &Config) -> PathBuf {
    config.data_dir.join("keys.toml")
}

/// The API keys of the data folder.
pub fn keys(config: &Config) -> Result<KeyFile, Failure> {
    private_folder(&config.data_dir)?;
    Ok(KeyFile::new(keys_path(config)))
}

/// When what is given for this long ends, such as `12 h`.
pub fn end_of(lifetime: Option<&str>) -> Result<Option<SystemTime>, Failure> {
    let Some(text) = lifetime else { return Ok(None) };
    let lifetime = parse_duration(text).map_err(|error| Failure::new(Exit::Usage, error))?;
    if lifetime > MAX_LIFETIME {
        let problem = format!("`{text}` is more than a hundred years: leave out when it ends, if it never shall");
        return Err(Failure::new(Exit::Usage, problem));
    }
    Ok(Some(SystemClock.now() + lifetime))
}

/// Who sits at the terminal, for records.
pub fn person() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|key| std::env::var(key).ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// The runtime that serves requests and runs guests.
pub fn runtime(worker_threads: Option<usize>) -> Result<Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = worker_threads {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().map_err(|error| Failure::new(Exit::Host, error))
}

/// An error with all that it stems from.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn journal(config: &Config, ownership: Ownership) -> Result<(Arc<Journal>, Arc<dyn StateStore>), JournalError> {
    match Journal::open(&config.data_dir.join("journal.redb")) {
        Ok(journal) => Ok((Arc::clone(&journal), journal)),
        Err(JournalError::Locked(_)) if ownership == Ownership::Shared => {
            Ok((Journal::in_memory()?, Arc::new(ForeignState)))
        }
        Err(error) => Err(error),
    }
}

fn sandbox_options(config: &Config) -> SandboxOptions {
    let (calls, memory) = (u32::from(config.max_concurrent_calls), config.limits.ceiling.memory_bytes);
    SandboxOptions {
        workspaces: config.data_dir.join(WORKSPACES),
        workspace_retention: config.workspace_retention,
        ..SandboxOptions::new(config.cache_dir.clone(), calls, memory)
    }
}

fn private_folder(path: &Path) -> Result<(), Failure> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Failure::new(Exit::Host, format!("the data folder {}: {error}", path.display())))
}

fn open_registry(config: &Config, sandbox: &Arc<dyn Sandbox>, out: Output) -> Arc<Registry> {
    let options = RegistryOptions {
        directories: config.skill_directories.clone(),
        strict: config.strict_validation,
        allow_shell: config.allow_shell,
    };
    let bar = progress_bar(out);
    let registry = Registry::open(options, Arc::clone(sandbox), |progress: Progress<'_>| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        let name = progress.folder.file_name().unwrap_or_default();
        bar.set_message(name.to_string_lossy().into_owned());
    });
    bar.finish_and_clear();
    Arc::new(registry)
}

/// A bar on stderr, where a person may be waiting for the first compilation.
fn progress_bar(out: Output) -> ProgressBar {
    if out.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("loading skills {bar:30} {pos}/{len} {msg}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
