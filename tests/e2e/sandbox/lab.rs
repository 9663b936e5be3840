//! A sandbox with a policy of the test's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::component::{ComponentError, Inspection};
use bailiwick_domain::limits::LimitsPolicy;
use bailiwick_domain::permit::{HttpAuthority, PermitIssuer, Terms, authority};
use bailiwick_domain::sandbox::{InvokeError, Outcome, Output, Sandbox};
use bailiwick_domain::services::NoServices;
use bailiwick_domain::workspace::WorkspaceKey;
use bailiwick_journal::Journal;
use bailiwick_sandbox::{SandboxOptions, WasmSandbox};
use bailiwick_server::clock::SystemClock;
use serde_json::Value;
use tempfile::TempDir;

/// A sandbox, its authority, and a folder that is gone afterwards.
pub(crate) struct Lab {
    pub(crate) sandbox: WasmSandbox,
    pub(crate) issuer: PermitIssuer,
    pub(crate) journal: Arc<Journal>,
    pub(crate) folder: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(32, target().join("test-cache"))
    }

    pub(crate) fn with(max_instances: u32, cache: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.redb")).unwrap();
        let (issuer, verifier) = authority();
        let options = SandboxOptions {
            workspaces: folder.path().join("workspaces"),
            ..SandboxOptions::new(cache, max_instances, 256 << 20)
        };
        let sandbox = WasmSandbox::new(options, verifier, Arc::new(SystemClock), Arc::clone(&journal) as _).unwrap();
        Self { sandbox, issuer, journal, folder }
    }

    /// A component of tests/guests.
    pub(crate) fn guest(&self, name: &str) -> Arc<Inspection> {
        self.sandbox.load(&target().join(format!("test-guests/{name}.wasm"))).unwrap()
    }

    /// The component of a skill that ships.
    pub(crate) fn skill(&self, name: &str) -> Arc<Inspection> {
        self.sandbox.load(&target().join(format!("skills/{name}/{name}.wasm"))).unwrap()
    }

    pub(crate) fn load(&self, bytes: &[u8]) -> Result<Arc<Inspection>, ComponentError> {
        let path = self.folder.path().join("component.wasm");
        std::fs::write(&path, bytes).unwrap();
        self.sandbox.load(&path)
    }

    pub(crate) async fn call(&self, terms: &Terms, guest: &Inspection, tool: &str, arguments: &Value) -> Outcome {
        let (index, _) = guest.tool(tool).unwrap_or_else(|| panic!("no tool {tool}"));
        let permit = self.issuer.issue(Arc::new(terms.clone()), SystemClock.instant(), terms.limits.deadline);
        self.sandbox.invoke(permit, index, arguments, Arc::new(NoServices)).await
    }

    /// The same for a call that shares its workspace with those of `key`.
    pub(crate) async fn call_of(
        &self,
        key: &WorkspaceKey,
        terms: &Terms,
        guest: &Inspection,
        tool: &str,
        arguments: &Value,
    ) -> Outcome {
        let (index, _) = guest.tool(tool).unwrap_or_else(|| panic!("no tool {tool}"));
        let (whole, time) = (Arc::new(terms.clone()), terms.limits.deadline);
        let permit = self.issuer.issue_sharing(whole, SystemClock.instant(), time, Some(key.clone()));
        self.sandbox.invoke(permit, index, arguments, Arc::new(NoServices)).await
    }
}

/// Terms that give nothing.
pub(crate) fn nothing(guest: &Inspection) -> Terms {
    Terms {
        skill: "tests/guest".parse().unwrap(),
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
        limits: LimitsPolicy::default().default,
    }
}

/// Terms with this deadline.
pub(crate) fn within(guest: &Inspection, deadline: Duration) -> Terms {
    let mut terms = nothing(guest);
    terms.limits.deadline = deadline;
    terms
}

/// The output as JSON.
pub(crate) fn success(outcome: Outcome) -> Value {
    match outcome.result {
        Ok(Output::Success(json)) => serde_json::from_str(&json).unwrap(),
        other => panic!("expected success, found {other:?}; log: {}", outcome.log),
    }
}

/// The tool's own failure as JSON.
pub(crate) fn failure(outcome: &Outcome) -> Value {
    match &outcome.result {
        Ok(Output::Failure(json)) => serde_json::from_str(json).unwrap(),
        other => panic!("expected a failure of the tool, found {other:?}; log: {}", outcome.log),
    }
}

/// The error of a call that gave no output.
pub(crate) fn error(outcome: Outcome) -> InvokeError {
    outcome.result.expect_err("the call must not succeed")
}

/// How long something took, where a test must tell waiting from not waiting.
pub(crate) fn since(start: Instant) -> Duration {
    start.elapsed()
}

/// The build folder, where guests and skills are packed.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target")
}
