//! Runs WebAssembly components, each call in an instance of its own, within a permit.
//!
//! This is the only crate that names wasmtime. The rest of the host sees it
//! through [`bailiwick_domain::sandbox::Sandbox`].

mod cache;
mod capabilities;
mod code;
mod component;
mod engine;
mod guest;
mod invoke;
mod meter;
mod redaction;
mod stdio;
mod value;
mod workspace;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use bailiwick_domain::clock::Clock;
use bailiwick_domain::component::{ComponentError, Inspection};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::permit::{Permit, PermitVerifier};
use bailiwick_domain::run::RunId;
use bailiwick_domain::sandbox::{BoxFuture, InvokeError, Outcome, Sandbox, ScratchFolder};
use bailiwick_domain::secret::{NoSecrets, SecretStore};
use bailiwick_domain::services::Services;
use bailiwick_domain::state::StateStore;
use serde_json::Value;

use crate::cache::Cache;
use crate::capabilities::shell::Commands;
pub use crate::capabilities::shell::{COMMAND_PATH, Launcher};
use crate::code::{Loaded, Machine};
use crate::engine::Metering;
use crate::invoke::{Call, failed};
#[doc(hidden)]
pub use crate::value::fuzzing;
pub use crate::workspace::Workspaces;

/// Bytes of the largest component that is taken. An interpreter with a
/// language's standard library has some 20 MB.
const MAX_COMPONENT: u64 = 128 << 20;

/// Bytes of a component that takes long to compile, and much memory: one at a time is.
const LARGE_COMPONENT: u64 = 3 << 20;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Where compiled code is kept; made with mode 0700.
    pub cache: PathBuf,
    /// Instances that can live at once.
    pub max_instances: u32,
    /// Where calls that are granted a workspace have theirs; made with mode 0700.
    pub workspaces: PathBuf,
    /// How long a workspace is kept after its call, or after the run whose calls share it; for no time at all by
    /// default.
    pub workspace_retention: Duration,
    /// Bytes that one linear memory can ever have.
    pub max_memory_bytes: u64,
    /// Whether memory is reset by looking for dirty pages; see [`SandboxOptions::new`].
    pub pagemap_scan: bool,
}

impl SandboxOptions {
    /// Options for this machine: the page map is scanned where swap is off.
    /// Workspaces are beside the cache.
    pub fn new(cache: PathBuf, max_instances: u32, max_memory_bytes: u64) -> Self {
        let workspaces = cache.with_file_name("workspaces");
        let (workspace_retention, pagemap_scan) = (Duration::ZERO, engine::swap_is_off());
        Self { cache, max_instances, workspaces, workspace_retention, max_memory_bytes, pagemap_scan }
    }
}

/// The sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The engine refused its configuration, or the address space is too small.
    #[error("the WebAssembly engine can't start: {0}")]
    Engine(String),
    /// The folder of compiled code can't be used.
    #[error("the cache of compiled code at {path} can't be used: {source}")]
    Cache {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The thread that moves the epoch on can't start.
    #[error("the epoch thread can't start: {0}")]
    Ticker(std::io::Error),
}

/// The sandbox on wasmtime.
pub struct WasmSandbox {
    verifier: PermitVerifier,
    clock: Arc<dyn Clock>,
    state: Arc<dyn StateStore>,
    secrets: Arc<dyn SecretStore>,
    workspaces: Arc<Workspaces>,
    commands: Option<Arc<Commands>>,
    options: SandboxOptions,
    plain: Arc<Machine>,
    /// Made when the first call asks for fuel.
    fuel: OnceLock<Arc<Machine>>,
    loaded: RwLock<HashMap<Digest, Arc<Loaded>>>,
}

impl WasmSandbox {
    /// Starts the engine, for a host without secrets. Only permits that `verifier` accepts will run.
    pub fn new(
        options: SandboxOptions,
        verifier: PermitVerifier,
        clock: Arc<dyn Clock>,
        state: Arc<dyn StateStore>,
    ) -> Result<Self, SetupError> {
        let plain = machine(&options, Metering::Plain)?;
        let (folder, retention) = (options.workspaces.clone(), options.workspace_retention);
        let workspaces = Arc::new(Workspaces::new(folder, retention, Arc::clone(&clock)));
        Ok(Self {
            verifier,
            clock,
            state,
            secrets: Arc::new(NoSecrets),
            workspaces,
            commands: None,
            options,
            plain,
            fuel: OnceLock::new(),
            loaded: RwLock::default(),
        })
    }

    /// The same for a host whose secrets are those of `secrets`.
    #[must_use]
    pub fn with_secrets(self, secrets: Arc<dyn SecretStore>) -> Self {
        Self { secrets, ..self }
    }

    /// The same for a host that runs commands, by `launcher` if there is one.
    #[must_use]
    pub fn with_launcher(self, launcher: Option<Launcher>) -> Self {
        Self { commands: launcher.map(|launcher| Arc::new(Commands::new(launcher))), ..self }
    }

    /// The folders of calls that are granted one, for whoever looks after leftovers.
    pub const fn workspaces(&self) -> &Arc<Workspaces> {
        &self.workspaces
    }

    fn machine_for(&self, permit: &Permit) -> Result<Arc<Machine>, InvokeError> {
        if permit.terms().limits.fuel.is_none() {
            return Ok(Arc::clone(&self.plain));
        }
        if let Some(machine) = self.fuel.get() {
            return Ok(Arc::clone(machine));
        }
        let made = machine(&self.options, Metering::Fuel).map_err(|error| InvokeError::Host(error.to_string()))?;
        Ok(Arc::clone(self.fuel.get_or_init(|| made)))
    }

    fn find(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Describes the component with these bytes, from the cache or by compiling it.
    fn inspect(&self, bytes: &[u8], digest: Digest) -> Result<Inspection, ComponentError> {
        if let Some(inspection) = self.plain.describe(&digest) {
            return Ok(inspection);
        }
        component::check_header(bytes)?;
        let compiled = self.plain.compile(bytes).map_err(|error| ComponentError::Invalid(format!("{error:#}")))?;
        let inspection = component::inspect(&compiled, bytes, digest)?;
        self.plain
            .link(&compiled, &inspection)
            .map_err(|error| ComponentError::UnknownImports(vec![format!("{error:#}")]))?;
        self.plain.keep(&inspection, &compiled);
        Ok(inspection)
    }

    async fn run(&self, permit: &Permit, index: usize, arguments: &Value, services: &Arc<dyn Services>) -> Outcome {
        let started = self.clock.instant();
        if !self.verifier.accepts(permit) {
            return failed(InvokeError::NoPermit);
        }
        let digest = permit.terms().digest;
        let Some(loaded) = self.find(&digest) else {
            return failed(InvokeError::NotLoaded(digest.to_string()));
        };
        let Some(tool) = loaded.inspection.functions().nth(index) else {
            return failed(InvokeError::NotLoaded(format!("{digest} has no function {index}")));
        };
        let machine = match self.machine_for(permit) {
            Ok(machine) => machine,
            Err(error) => return failed(error),
        };
        let code = match loaded.code(&machine).await {
            Ok(code) => code,
            Err(error) => return failed(error),
        };
        let Self { clock, state, workspaces, .. } = self;
        let commands = self.commands.as_ref();
        let (machine, code, secrets) = (&*machine, &*code, &self.secrets.current());
        let call = Call {
            clock,
            machine,
            code,
            tool,
            index,
            arguments,
            permit,
            secrets,
            state,
            workspaces,
            commands,
            services,
            started,
        };
        let outcome = call.run().await;
        if let Some(observation) = permit.observation() {
            observation.clean(secrets.redactor());
        }
        redaction::clean(outcome, secrets.redactor())
    }
}

fn machine(options: &SandboxOptions, metering: Metering) -> Result<Arc<Machine>, SetupError> {
    let failed = |error: wasmtime::Error| SetupError::Engine(format!("{error:#}"));
    let engine = engine::build(options, metering).map_err(failed)?;
    engine::start_ticker(vec![engine.weak()]).map_err(SetupError::Ticker)?;
    let cache = Cache::open(&options.cache, &engine, metering.name())
        .map_err(|source| SetupError::Cache { path: options.cache.clone(), source })?;
    Machine::new(engine, metering, cache).map(Arc::new).map_err(failed)
}

impl Sandbox for WasmSandbox {
    fn load(&self, path: &Path) -> Result<Arc<Inspection>, ComponentError> {
        let bytes = read(path)?;
        let digest = Digest::of(&bytes);
        if let Some(loaded) = self.find(&digest) {
            return Ok(Arc::clone(&loaded.inspection));
        }
        let loaded = Arc::new(Loaded::new(self.inspect(&bytes, digest)?, path.to_owned()));
        let mut all = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        let loaded = all.entry(digest).or_insert(loaded);
        Ok(Arc::clone(&loaded.inspection))
    }

    fn is_quick(&self, path: &Path) -> bool {
        let small = path.metadata().is_ok_and(|metadata| metadata.len() <= LARGE_COMPONENT);
        // What can't be read is quickly said to be so.
        small || read(path).map_or(true, |bytes| self.plain.describe(&Digest::of(&bytes)).is_some())
    }

    fn retain(&self, digests: &dyn Fn(&Digest) -> bool) {
        let mut all = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|digest, _| digests(digest));
    }

    fn scratch(&self) -> std::io::Result<Box<dyn ScratchFolder>> {
        Ok(Box::new(self.workspaces.create_scratch()?))
    }

    fn invoke<'a>(
        &'a self,
        permit: Permit,
        tool: usize,
        arguments: &'a Value,
        services: Arc<dyn Services>,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.run(&permit, tool, arguments, &services).await })
    }

    fn end_run<'a>(&'a self, run: &'a RunId) -> BoxFuture<'a, ()> {
        Box::pin(self.workspaces.end_run(run))
    }

    fn runs(&self) -> Vec<RunId> {
        self.workspaces.runs()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ComponentError> {
    let unreadable = |error: std::io::Error| ComponentError::Unreadable(error.kind().to_string());
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(ComponentError::Unreadable("not a file".to_owned()));
    }
    if metadata.len() > MAX_COMPONENT {
        return Err(ComponentError::TooLarge { size: metadata.len(), max: MAX_COMPONENT });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // The file may grow while it is read.
    (&mut file).take(MAX_COMPONENT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_COMPONENT {
        return Err(ComponentError::TooLarge { size: bytes.len() as u64, max: MAX_COMPONENT });
    }
    Ok(bytes)
}
