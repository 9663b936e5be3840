//! The host: its sandbox alone, and an installation with skills, grants and keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick_api::auth::{KeyFile, NewKey, Scope};
use bailiwick_domain::clock::Clock as _;
use bailiwick_domain::component::Inspection;
use bailiwick_domain::limits::LimitsPolicy;
use bailiwick_domain::permit::{HttpAuthority, PermitIssuer, Terms, authority};
use bailiwick_domain::sandbox::{Output, Sandbox as _};
use bailiwick_domain::services::NoServices;
use bailiwick_journal::Journal;
use bailiwick_sandbox::{SandboxOptions, WasmSandbox};
use bailiwick_server::app::{self, App};
use bailiwick_server::clock::SystemClock;
use bailiwick_server::config::{self, Config, Overrides};
use bailiwick_server::output::{self, Failure};
use bailiwick_skills::grants::NewGrant;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::floor::{MAX_INSTANCES, MAX_MEMORY};
use crate::guests;

/// Where compiled code is kept between runs.
fn cache() -> PathBuf {
    guests::target().join("bench-cache")
}

/// The host's sandbox with one component, and permits for it.
pub struct Host {
    sandbox: WasmSandbox,
    issuer: PermitIssuer,
    terms: Arc<Terms>,
    guest: Arc<Inspection>,
}

impl Host {
    /// The component at `path`, to which nothing is granted.
    pub fn new(path: &Path) -> Self {
        let (issuer, verifier) = authority();
        let options = SandboxOptions::new(cache(), MAX_INSTANCES, MAX_MEMORY);
        let journal = Journal::in_memory().unwrap();
        let sandbox = WasmSandbox::new(options, verifier, Arc::new(SystemClock), journal).unwrap();
        let guest = sandbox.load(path).unwrap();
        let limits = LimitsPolicy::default();
        let terms = Arc::new(Terms {
            skill: "bench/guest".parse().unwrap(),
            digest: guest.digest,
            fs: vec![],
            http: HttpAuthority::default(),
            secrets: [].into(),
            workspace: None,
            state: None,
            config: [].into(),
            shell: vec![],
            skills: vec![],
            models: vec![],
            limits: limits.default,
        });
        Self { sandbox, issuer, terms, guest }
    }

    /// The index of a tool.
    pub fn tool(&self, name: &str) -> usize {
        self.guest.tool(name).unwrap().0
    }

    /// One call, from the permit to the output as JSON text.
    pub async fn call(&self, tool: usize, arguments: &Value) -> String {
        let (begin, time) = (SystemClock.instant(), self.terms.limits.deadline);
        let permit = self.issuer.issue(Arc::clone(&self.terms), begin, time);
        match self.sandbox.invoke(permit, tool, arguments, Arc::new(NoServices)).await.result {
            Ok(Output::Success(json)) => json,
            other => panic!("the call did not succeed: {other:?}"),
        }
    }
}

/// A host on disk, with copies of the guest in Rust as its skills.
pub struct Installation {
    folder: TempDir,
}

impl Installation {
    /// An installation with this many skills, every one of which is granted,
    /// whose server has this many worker threads.
    pub fn new(skills: usize, worker_threads: usize) -> Self {
        let installation = Self { folder: tempfile::tempdir().unwrap() };
        guests::write_packages(&installation.folder.path().join("skills"), &guests::rust().path, skills);
        let cache = cache();
        let text = format!(
            "data_dir = \"data\"\ncache_dir = \"{}\"\n[server]\nworker_threads = {worker_threads}\n\
             [limits.ceiling]\nconcurrency = 256\n",
            cache.display(),
        );
        fs::write(installation.config_path(), text).unwrap();
        installation.grant_all();
        installation
    }

    /// Its configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.folder.path().join(config::FILE_NAME)
    }

    /// Its configuration.
    pub fn config(&self) -> Config {
        read_config(&self.config_path())
    }

    /// A file for what its server logs.
    pub fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A new API key that may execute.
    pub fn key(&self) -> String {
        let file = KeyFile::new(app::keys_path(&self.config()));
        let new = NewKey { name: "bench".to_owned(), scopes: [Scope::SkillsExecute].into(), expires_at: None };
        file.create(new, SystemClock.now()).unwrap().token
    }

    /// The parts of it that a command uses.
    pub fn open(&self) -> App {
        open(&self.config())
    }

    fn grant_all(&self) {
        let app = self.open();
        for skill in app.registry.catalog().list() {
            let grant = NewGrant { giver: "bench".to_owned(), ..NewGrant::default() };
            app.grants.add(skill, grant).unwrap();
        }
    }
}

/// The configuration in the file at `path`.
pub fn read_config(path: &Path) -> Config {
    config::load(&Overrides { file: Some(path.to_owned()), data_dir: None }).unwrap()
}

/// Opens a host with nothing broken in it.
pub fn open(config: &Config) -> App {
    let app = App::open(config, output::Output::new(true)).map_err(|error| Failure::from(error).message).unwrap();
    assert!(app.registry.catalog().broken().is_empty(), "{:?}", app.registry.catalog().broken());
    app
}

/// The arguments of `echo`.
pub fn echo_arguments() -> Value {
    json!({ "text": crate::TEXT })
}
