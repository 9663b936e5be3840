//! A host on a folder of its own, and packages to put there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::authority::{Access, FsMount, HttpDeny, HttpRule, Scheme};
use bailiwick_domain::clock::Clock;
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::permit;
use bailiwick_domain::quota::{Quota, StateQuota};
use bailiwick_domain::sandbox::Sandbox;
use bailiwick_domain::wit::{Answer, Field, ToolSignature, WitType};
use bailiwick_journal::Journal;
use serde_json::json;
use tempfile::TempDir;

use super::script::{HandClock, Script};
use crate::approvals::Approvals;
use crate::audit::Audit;
use crate::execute::{ExecuteError, Execution, Executor, ExecutorParts};
use crate::grants::{GrantStore, GuardedPlaces, NewGrant};
use crate::policy::{Policy, PolicyOptions};
use crate::registry::{Registry, RegistryOptions};
use crate::skill::Skill;

/// Far more than anything here takes, and finite.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long approvals wait and hold here.
pub(super) const APPROVAL_LIFETIME: Duration = Duration::from_mins(10);

/// Asks for one of everything.
pub(super) const ALL: &str = r#"
    risk_tags = ["writes"]

    [[permissions.fs]]
    root = "/work"
    access = "read-write"
    max_bytes = "10 MiB"

    [[permissions.http]]
    host = "*.example.com"
    methods = ["GET", "POST"]

    [permissions]
    workspace = { max_files = 20 }
    state = { max_keys = 50 }
    config = ["mode", "level"]
    secrets = ["token"]

    [limits]
    memory = "32 MiB"
    deadline = "5 s"
    fuel = 1000
    output = "64 KiB"
    table_elements = 1000
    instances = 5
    host_calls = 50
    input = "32 KiB"
    skill_calls = 11
    model_calls = 12
    model_tokens = 1300
    http_requests = 6
    http_sent = "7 KiB"
    http_received = "8 KiB"
    log = "9 KiB"
    random = "10 KiB"
    concurrency = 4
"#;

/// A function `name(text: string) -> result<T, string>`.
pub(super) fn tool(name: &str) -> ToolSignature {
    ToolSignature {
        name: name.to_owned(),
        interface: Some("demo:skill/tools@1.0.0".to_owned()),
        function: name.to_owned(),
        docs: Some(format!("Does {name}.")),
        params: vec![Field { name: "text".to_owned(), ty: WitType::String, docs: None }],
        answer: Answer::Fallible { ok: Some(WitType::U32), err: Some(WitType::String) },
    }
}

/// A host that has not been opened yet.
pub(super) struct Site {
    pub(super) folder: TempDir,
    pub(super) clock: Arc<HandClock>,
    pub(super) policy: PolicyOptions,
    pub(super) max_concurrent_calls: u32,
    pub(super) max_call_depth: u32,
}

/// A whole host.
pub(super) struct Host {
    pub(super) site: Site,
    pub(super) sandbox: Arc<Script>,
    pub(super) registry: Arc<Registry>,
    pub(super) grants: Arc<GrantStore>,
    pub(super) approvals: Arc<Approvals>,
    pub(super) audit: Arc<Audit>,
    pub(super) journal: Arc<Journal>,
    pub(super) executor: Arc<Executor>,
}

impl Site {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        fs::create_dir(folder.path().join("skills")).expect("a folder for skills");
        Self {
            folder,
            clock: HandClock::new(),
            policy: PolicyOptions::default(),
            max_concurrent_calls: 100,
            max_call_depth: 4,
        }
    }

    /// One skill, `demo/NAME` 1.0.0 with the tool `run`, that asks for everything.
    pub(super) fn with(self, name: &str) -> Self {
        self.package(name, &manifest(&format!("demo/{name}"), "1.0.0", ALL), &[tool("run")]);
        self
    }

    pub(super) fn skills(&self) -> PathBuf {
        self.folder.path().join("skills")
    }

    /// A folder of the host to be granted.
    pub(super) fn data(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join("data").join(name);
        fs::create_dir_all(&path).expect("a folder to be granted");
        fs::canonicalize(path).expect("it exists")
    }

    /// Puts a package in the folder `name`.
    pub(super) fn package(&self, name: &str, manifest: &str, tools: &[ToolSignature]) -> PathBuf {
        let folder = self.skills().join(name);
        fs::create_dir_all(&folder).expect("a package folder");
        fs::write(folder.join("skill.toml"), manifest).expect("a manifest");
        fs::write(folder.join("skill.wasm"), component(tools)).expect("a component");
        folder
    }

    pub(super) fn registry(&self, sandbox: &Arc<Script>) -> Arc<Registry> {
        let options =
            RegistryOptions { directories: vec![self.skills()], strict: true, allow_shell: false, put_off: false };
        Arc::new(Registry::open(options, Arc::clone(sandbox) as Arc<dyn Sandbox>, |_| ()))
    }

    /// The data folder.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The skills may not be written, and the file of a secret not be seen.
    fn guarded(&self) -> GuardedPlaces {
        GuardedPlaces { hidden: vec![self.folder.path().join("vault/token")], unwritable: vec![self.skills()] }
    }

    pub(super) fn open_grants(&self, journal: &Arc<Journal>) -> GrantStore {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let store = GrantStore::open(Arc::clone(journal), &self.home(), self.guarded(), clock);
        store.expect("the grants open")
    }

    pub(super) fn open(self) -> Host {
        let (issuer, verifier) = permit::authority();
        let sandbox = Script::new(verifier);
        let registry = self.registry(&sandbox);
        let broken: Vec<String> = registry.catalog().broken().iter().map(|broken| broken.error.to_string()).collect();
        assert!(broken.is_empty(), "{broken:?}");
        let journal = Journal::open(&self.home().join("journal.redb")).expect("the journal opens");
        let grants = Arc::new(self.open_grants(&journal));
        let clock = || Arc::clone(&self.clock) as Arc<dyn Clock>;
        let approvals = Approvals::open(Arc::clone(&journal), APPROVAL_LIFETIME, clock()).expect("the approvals open");
        let audit =
            Audit::open(Arc::clone(&journal), &self.home().join("audit.key"), clock()).expect("the audit opens");
        let (approvals, audit) = (Arc::new(approvals), Arc::new(audit));
        let executor = Executor::new(ExecutorParts {
            registry: Arc::clone(&registry),
            grants: Arc::clone(&grants),
            policy: Policy::new(issuer, self.policy.clone()),
            approvals: Arc::clone(&approvals),
            audit: Arc::clone(&audit),
            sandbox: Arc::clone(&sandbox) as Arc<dyn Sandbox>,
            journal: Arc::clone(&journal),
            models: None,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            max_concurrent_calls: self.max_concurrent_calls,
            max_call_depth: self.max_call_depth,
        });
        Host { site: self, sandbox, registry, grants, approvals, audit, journal, executor }
    }
}

impl Host {
    /// Ends this host, as a shutdown does, and starts it again on the same folder.
    pub(super) fn restart(self) -> Self {
        let Self { site, sandbox, registry, grants, approvals, audit, journal, executor } = self;
        drop((sandbox, registry, grants, approvals, audit, journal, executor));
        site.open()
    }

    pub(super) fn skill(&self, selector: &str) -> Arc<Skill> {
        let selector = selector.parse().expect("a selector");
        self.registry.catalog().resolve(&selector).expect("the skill is there")
    }

    /// Grants everything that [`ALL`] asks for.
    pub(super) fn grant(&self, selector: &str) {
        self.grants.add(&self.skill(selector), everything(&self.site.data("work"))).expect("the grant is given");
    }

    pub(super) async fn call(&self, selector: &str) -> Result<Execution, ExecuteError> {
        self.execute(invocation(selector)).await
    }

    pub(super) async fn execute(&self, invocation: Invocation) -> Result<Execution, ExecuteError> {
        in_time(self.executor.execute(invocation)).await
    }

    /// Starts a call and returns once the guest runs.
    pub(super) async fn start(
        &self,
        invocation: Invocation,
    ) -> tokio::task::JoinHandle<Result<Execution, ExecuteError>> {
        let before = self.sandbox.under_way.load(std::sync::atomic::Ordering::SeqCst);
        let executor = Arc::clone(&self.executor);
        let call = tokio::spawn(async move { executor.execute(invocation).await });
        self.sandbox.until_under_way(before + 1).await;
        call
    }
}

/// What `future` gives; a call that should have been refused and waits instead is a failure.
pub(super) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it ends")
}

pub(super) fn manifest(id: &str, version: &str, rest: &str) -> String {
    format!("skill_id = \"{id}\"\nversion = \"{version}\"\nkind = \"tool\"\ncomponent = \"skill.wasm\"\n{rest}")
}

pub(super) fn component(tools: &[ToolSignature]) -> Vec<u8> {
    serde_json::to_vec(tools).expect("signatures are JSON")
}

pub(super) fn invocation(selector: &str) -> Invocation {
    Invocation {
        skill: selector.parse().expect("a selector"),
        tool: None,
        arguments: json!({ "text": "secret words" }),
        principal: Principal { name: "key:ci".into() },
        trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().expect("a trace context"),
        trace_state: Some("vendor=1".to_owned()),
        deadline: None,
        idempotency_key: None,
        approval_wait: Duration::ZERO,
        caller: None,
        run: None,
    }
}

pub(super) fn everything(host: &Path) -> NewGrant {
    NewGrant {
        giver: "ada".to_owned(),
        reason: Some("for the test".to_owned()),
        capabilities: Capabilities {
            fs: vec![mount("/work", host, Access::ReadWrite)],
            http: vec![rule("api.example.com", &["GET", "POST"])],
            http_deny: vec![HttpDeny {
                paths: vec!["/admin".parse().expect("a path")],
                ..HttpDeny::of("api.example.com".parse().expect("a host"))
            }],
            secrets: [("token".to_owned(), vec!["api.example.com".parse().expect("a host")])].into(),
            workspace: Some(Quota { max_bytes: 3 << 20, max_files: 30 }),
            state: Some(StateQuota { max_bytes: 1 << 20, max_keys: 9 }),
            config: [("mode", "fast"), ("level", "3")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            shell: vec![],
            skills: vec![],
            models: vec![],
        },
        ..NewGrant::default()
    }
}

pub(super) fn mount(root: &str, host: &Path, access: Access) -> FsMount {
    FsMount { root: root.parse().expect("a guest path"), host: host.to_owned(), access, quota: Quota::default() }
}

pub(super) fn rule(host: &str, methods: &[&str]) -> HttpRule {
    HttpRule {
        host: host.parse().expect("a host"),
        schemes: vec![Scheme::Https],
        ports: vec![],
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        paths: vec![],
    }
}
