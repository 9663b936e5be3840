//! The parts of a host, put together.

use std::io::IsTerminal as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bailiwick_api::auth::KeyFile;
use bailiwick_distribution::store::Store;
use bailiwick_domain::clock::Clock as _;
use bailiwick_domain::model::Model;
use bailiwick_domain::permit::{PermitIssuer, PermitVerifier, authority};
use bailiwick_domain::sandbox::Sandbox;
use bailiwick_domain::secret::{NoSecrets, SecretStore};
use bailiwick_domain::state::StateStore;
use bailiwick_domain::units::parse_duration;
use bailiwick_journal::{Journal, JournalError};
use bailiwick_sandbox::{SandboxOptions, WasmSandbox, Workspaces};
use bailiwick_skills::approvals::Approvals;
use bailiwick_skills::audit::Audit;
use bailiwick_skills::execute::{Executor, ExecutorParts};
use bailiwick_skills::grants::{GrantStore, GuardedPlaces, WORKSPACES};
use bailiwick_skills::policy::{Policy, PolicyOptions};
use bailiwick_skills::registry::{Admission, Progress, Registry, RegistryOptions};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;

use crate::agents;
use crate::clock::SystemClock;
use crate::commands::launch::launcher;
use crate::config::{Config, ConfigError, PACKAGES, SecretSource};
use crate::output::{Exit, Failure, Output};
use crate::secrets::ConfiguredSecrets;

/// The key that signs the audit log, in the data folder.
const AUDIT_KEY: &str = "audit.key";

/// The longest that a grant or a key is given for. Dates have years of four
/// digits, and what shall outlive its giver needs no end.
const MAX_LIFETIME: Duration = Duration::from_hours(100 * 366 * 24);

/// A host without its network. There is one for each data folder.
pub struct App {
    /// Which skills there are.
    pub registry: Arc<Registry>,
    /// What is installed.
    pub packages: Arc<Store>,
    /// What was granted.
    pub grants: Arc<GrantStore>,
    /// What calls write for themselves alone.
    pub workspaces: Arc<Workspaces>,
    approvals: Arc<Approvals>,
    audit: Arc<Audit>,
    sandbox: Arc<dyn Sandbox>,
    journal: Arc<Journal>,
    issuer: PermitIssuer,
}

/// Why there is no host here.
#[derive(Debug)]
pub enum NotOpened {
    /// Another process has the data folder.
    InUse(Failure),
    /// Something else is wrong.
    Failed(Failure),
}

impl From<NotOpened> for Failure {
    fn from(not: NotOpened) -> Self {
        match not {
            NotOpened::InUse(failure) | NotOpened::Failed(failure) => failure,
        }
    }
}

impl App {
    /// Opens the data folder and reads every skill, with a bar while components compile.
    pub fn open(config: &Config, out: Output) -> Result<Self, NotOpened> {
        Self::open_with(config, out, false)
    }

    /// The same for a server, which doesn't wait for large components.
    pub fn open_server(config: &Config, out: Output) -> Result<Self, NotOpened> {
        Self::open_with(config, out, true)
    }

    fn open_with(config: &Config, out: Output, put_off: bool) -> Result<Self, NotOpened> {
        let host = |error: &dyn std::error::Error| NotOpened::Failed(Failure::new(Exit::Host, chain(error)));
        private_folder("data folder", &config.data_dir).map_err(NotOpened::Failed)?;
        let journal = Journal::open(&config.data_dir.join("journal.redb")).map_err(|error| match &error {
            JournalError::Locked(_) => NotOpened::InUse(Failure::new(Exit::Host, &error)),
            _ => host(&error),
        })?;
        let clock = || Arc::new(SystemClock) as Arc<dyn bailiwick_domain::clock::Clock>;
        // It must be there when grants are held against it.
        private_folder("cache of compiled code", &config.cache_dir).map_err(NotOpened::Failed)?;
        let grants = GrantStore::open(Arc::clone(&journal), &config.data_dir, guarded(config), clock());
        let grants = Arc::new(grants.map_err(|error| host(&error))?);
        let approvals = Approvals::open(Arc::clone(&journal), config.approval_lifetime, clock());
        let approvals = Arc::new(approvals.map_err(|error| host(&error))?);
        let audit = Audit::open(Arc::clone(&journal), &config.data_dir.join(AUDIT_KEY), clock());
        let audit = Arc::new(audit.map_err(|error| host(&error))?);
        let (issuer, verifier) = authority();
        let state = Arc::clone(&journal) as Arc<dyn StateStore>;
        let sandbox = Arc::new(sandbox(config, verifier, state).map_err(NotOpened::Failed)?);
        let workspaces = Arc::clone(sandbox.workspaces());
        workspaces.sweep();
        let sandbox: Arc<dyn Sandbox> = sandbox;
        let packages = packages(config);
        let registry = open_registry(config, &packages, &sandbox, put_off, out);
        Ok(Self { registry, packages, grants, workspaces, approvals, audit, sandbox, journal, issuer })
    }

    /// What makes calls, and what runs agents. Nothing of either has begun.
    pub fn into_host(self, config: &Config) -> Result<(Arc<Executor>, Arc<agents::Runtime>), Failure> {
        let journal = Arc::clone(&self.journal);
        let secrets = secrets(config)?;
        let models = agents::models(config, &secrets)?;
        let tracer = agents::tracer(config, &secrets)?;
        // Without any, skills are told that there are none, and not that one is missing.
        let asked = (!config.models.is_empty()).then(|| Arc::clone(&models) as Arc<dyn Model>);
        let executor = self.executor(config, asked);
        let runs = agents::runtime(config, &executor, models, journal, tracer)?;
        Ok((executor, runs))
    }

    /// What makes calls, without models. Policy takes the issuer of permits with it.
    pub fn into_executor(self, config: &Config) -> Arc<Executor> {
        self.executor(config, None)
    }

    fn executor(self, config: &Config, models: Option<Arc<dyn Model>>) -> Arc<Executor> {
        let options = PolicyOptions {
            limits: config.limits.clone(),
            http_deny: config.http_deny.clone(),
            require_approval_tags: config.require_approval_tags.iter().cloned().collect(),
        };
        Executor::new(ExecutorParts {
            registry: self.registry,
            grants: self.grants,
            policy: Policy::new(self.issuer, options),
            approvals: self.approvals,
            audit: self.audit,
            sandbox: self.sandbox,
            journal: self.journal,
            models,
            clock: Arc::new(SystemClock),
            max_concurrent_calls: u32::from(config.max_concurrent_calls),
            max_call_depth: u32::from(config.max_call_depth),
        })
    }
}

/// What decides which code runs, and so is never a guest's to write.
fn unwritable(config: &Config) -> Vec<PathBuf> {
    let own = [config.data_dir.join(PACKAGES), config.lock.clone()];
    config.skill_directories.iter().cloned().chain(own).chain(config.source.clone()).collect()
}

/// The skills of a host that another process has: enough to look at them, not to run them.
pub fn registry(config: &Config, out: Output) -> Result<Arc<Registry>, Failure> {
    Ok(open_registry(config, &packages(config), &reader(config)?, false, out))
}

/// What reads and compiles components, and runs none.
pub fn reader(config: &Config) -> Result<Arc<dyn Sandbox>, Failure> {
    let (_, verifier) = authority();
    // Nobody has the issuer of its permits, so that no call ever sees this state.
    let state = Journal::in_memory().map_err(|error| Failure::new(Exit::Host, chain(&error)))?;
    private_folder("cache of compiled code", &config.cache_dir)?;
    Ok(Arc::new(sandbox(config, verifier, state)?))
}

/// What no grant may reach, or not to write: whoever reads the key of compiled code
/// writes code for this host, and the configuration says where everything is.
fn guarded(config: &Config) -> GuardedPlaces {
    let files = config.secrets.values().filter_map(|source| match source {
        SecretSource::File(path) => Some(path.clone()),
        SecretSource::Env(_) => None,
    });
    GuardedPlaces {
        hidden: std::iter::once(config.cache_dir.clone()).chain(files).collect(),
        unwritable: unwritable(config),
    }
}

/// What no command may read, as no grant may show it.
fn private(config: &Config) -> Vec<PathBuf> {
    std::iter::once(config.data_dir.clone()).chain(guarded(config).hidden).collect()
}

/// Where commands reach the server of the data folder.
pub fn control_path(config: &Config) -> PathBuf {
    config.data_dir.join("control.sock")
}

/// The configured secrets. Those that can't be read are refused where they are asked for.
fn secrets(config: &Config) -> Result<Arc<dyn SecretStore>, Failure> {
    if config.secrets.is_empty() {
        return Ok(Arc::new(NoSecrets));
    }
    let secrets = ConfiguredSecrets::open(&config.secrets).map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(Arc::new(secrets))
}

/// Whether every configured secret can be read, which a server must be able to.
pub fn check_secrets(config: &Config) -> Result<(), Failure> {
    let secrets = ConfiguredSecrets::open(&config.secrets).map_err(|error| Failure::new(Exit::Usage, error))?;
    let problem = secrets.list().into_iter().find_map(|secret| secret.problem.map(|problem| (secret.name, problem)));
    match problem {
        Some((name, problem)) => {
            let path = config.source.clone().unwrap_or_default();
            Err(Failure::new(Exit::Usage, ConfigError::Secret { path, name, problem: problem.to_string() }))
        }
        None => Ok(()),
    }
}

/// Where the API keys are.
pub fn keys_path(config: &Config) -> PathBuf {
    config.data_dir.join("keys.toml")
}

/// The API keys of the data folder.
pub fn keys(config: &Config) -> Result<KeyFile, Failure> {
    private_folder("data folder", &config.data_dir)?;
    Ok(KeyFile::new(keys_path(config)))
}

/// When what is given for this long ends, such as `12 h`.
pub fn end_of(lifetime: Option<&str>) -> Result<Option<SystemTime>, Failure> {
    let Some(text) = lifetime else { return Ok(None) };
    let lifetime = parse_duration(text).map_err(|error| Failure::new(Exit::Usage, error))?;
    if lifetime.is_zero() {
        return Err(Failure::new(
            Exit::Usage,
            format!("`{text}` ends at once, and so is past: expected at least `1 s`"),
        ));
    }
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

fn sandbox(config: &Config, verifier: PermitVerifier, state: Arc<dyn StateStore>) -> Result<WasmSandbox, Failure> {
    let sandbox = WasmSandbox::new(sandbox_options(config), verifier, Arc::new(SystemClock), state);
    let sandbox = sandbox.map_err(|error| Failure::new(Exit::Host, chain(&error)))?;
    // A host that lets no manifest ask for commands has nothing that could start them.
    let launcher = config.allow_shell.then(|| launcher(&private(config))).flatten();
    Ok(sandbox.with_secrets(secrets(config)?).with_launcher(launcher))
}

fn sandbox_options(config: &Config) -> SandboxOptions {
    let (calls, memory) = (u32::from(config.max_concurrent_calls), config.limits.ceiling.memory_bytes);
    SandboxOptions {
        workspaces: config.data_dir.join(WORKSPACES),
        workspace_retention: config.workspace_retention,
        ..SandboxOptions::new(config.cache_dir.clone(), calls, memory)
    }
}

fn private_folder(what: &str, path: &Path) -> Result<(), Failure> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Failure::new(Exit::Host, format!("the {what} {}: {error}", path.display())))
}

fn packages(config: &Config) -> Arc<Store> {
    Arc::new(Store::new(config.data_dir.join(PACKAGES), config.lock.clone(), config.trust.clone()))
}

fn open_registry(
    config: &Config,
    packages: &Arc<Store>,
    sandbox: &Arc<dyn Sandbox>,
    put_off: bool,
    out: Output,
) -> Arc<Registry> {
    let options = RegistryOptions {
        directories: config.skill_directories.clone(),
        strict: config.strict_validation,
        allow_shell: config.allow_shell,
        put_off,
    };
    let bar = progress_bar(out);
    let admission = Arc::clone(packages) as Arc<dyn Admission>;
    let registry = Registry::open_with(options, Some(admission), Arc::clone(sandbox), |progress: Progress<'_>| {
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
    let style = ProgressStyle::with_template("{spinner} loading skills {bar:30} {pos}/{len} {elapsed} {msg}");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    // One large component takes seconds, in which nothing else would move.
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
