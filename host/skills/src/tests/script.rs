//! A sandbox that runs a script, and a clock that stands still.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::component::{ComponentError, Inspection};
use bailiwick_domain::digest::Digest;
use bailiwick_domain::permit::{Permit, PermitVerifier, Terms};
use bailiwick_domain::receipt::Denial;
use bailiwick_domain::sandbox::{BoxFuture, InvokeError, Outcome, Output, Sandbox, ScratchFolder};
use bailiwick_domain::services::Services;
use bailiwick_domain::usage::Usage;
use bailiwick_domain::wit::ToolSignature;
use serde_json::Value;
use tokio::sync::Notify;

use super::support::in_time;

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub(super) struct HandClock {
    start: Instant,
    elapsed: Mutex<Duration>,
}

/// What the clock shows at first.
pub(super) fn midnight() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

impl HandClock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), elapsed: Mutex::default() })
    }

    pub(super) fn advance(&self, by: Duration) {
        *self.elapsed.lock().expect("no panic under the lock") += by;
    }
}

impl Clock for HandClock {
    fn now(&self) -> SystemTime {
        midnight() + *self.elapsed.lock().expect("no panic under the lock")
    }

    fn instant(&self) -> Instant {
        self.start + *self.elapsed.lock().expect("no panic under the lock")
    }
}

/// What the sandbox does with a call.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Answer(Result<Output, InvokeError>),
    /// Waits until it is released, then answers `null`.
    Wait,
}

/// A call as the sandbox saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) terms: Arc<Terms>,
    pub(super) deadline: Instant,
    pub(super) tool: usize,
    pub(super) arguments: Value,
}

/// A sandbox whose components are lists of tool signatures as JSON.
#[derive(Debug)]
pub(super) struct Script {
    verifier: PermitVerifier,
    loaded: Mutex<HashMap<Digest, Arc<Inspection>>>,
    act: Mutex<Act>,
    pub(super) loads: AtomicUsize,
    pub(super) seen: Mutex<Vec<Seen>>,
    /// Calls that began and have neither answered nor been dropped.
    pub(super) under_way: AtomicUsize,
    release: Notify,
}

impl Script {
    pub(super) fn new(verifier: PermitVerifier) -> Arc<Self> {
        Arc::new(Self {
            verifier,
            loaded: Mutex::default(),
            act: Mutex::new(Act::Answer(Ok(Output::Success("null".to_owned())))),
            loads: AtomicUsize::new(0),
            seen: Mutex::default(),
            under_way: AtomicUsize::new(0),
            release: Notify::new(),
        })
    }

    pub(super) fn act(&self, act: Act) {
        *self.act.lock().expect("no panic under the lock") = act;
    }

    pub(super) fn answer(&self, json: &str) {
        self.act(Act::Answer(Ok(Output::Success(json.to_owned()))));
    }

    pub(super) fn fail(&self, error: InvokeError) {
        self.act(Act::Answer(Err(error)));
    }

    pub(super) fn release(&self) {
        self.release.notify_waiters();
    }

    pub(super) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.loaded.lock().expect("no panic under the lock").contains_key(digest)
    }

    pub(super) fn calls(&self) -> usize {
        self.seen.lock().expect("no panic under the lock").len()
    }

    pub(super) fn last(&self) -> Seen {
        self.seen.lock().expect("no panic under the lock").last().expect("a call").clone()
    }

    /// Returns once `count` calls are under way.
    pub(super) async fn until_under_way(&self, count: usize) {
        in_time(async {
            while self.under_way.load(Ordering::SeqCst) != count {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// Whether a function is one that the host calls, by `bailiwick:skill`.
fn of_the_world(signature: &ToolSignature) -> bool {
    signature.interface.as_ref().is_some_and(|interface| interface.starts_with("bailiwick:skill/"))
}

impl Sandbox for Script {
    fn load(&self, path: &Path) -> Result<Arc<Inspection>, ComponentError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let bytes = std::fs::read(path).map_err(|error| ComponentError::Unreadable(error.to_string()))?;
        let tools: Vec<ToolSignature> =
            serde_json::from_slice(&bytes).map_err(|error| ComponentError::Invalid(error.to_string()))?;
        let digest = Digest::of(&bytes);
        let (provided, tools) = tools.into_iter().partition(of_the_world);
        let inspection = Inspection { digest, size: bytes.len() as u64, imports: vec![], tools, provided };
        let inspection = Arc::new(inspection);
        self.loaded.lock().expect("no panic under the lock").insert(digest, Arc::clone(&inspection));
        Ok(inspection)
    }

    fn is_quick(&self, _: &Path) -> bool {
        true
    }

    fn retain(&self, digests: &dyn Fn(&Digest) -> bool) {
        self.loaded.lock().expect("no panic under the lock").retain(|digest, _| digests(digest));
    }

    fn scratch(&self) -> std::io::Result<Box<dyn ScratchFolder>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?;
        Ok(Box::new(Scratch { _folder: folder, path }))
    }

    fn invoke<'a>(
        &'a self,
        permit: Permit,
        tool: usize,
        arguments: &'a Value,
        _: Arc<dyn Services>,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if !self.verifier.accepts(&permit) {
                return outcome(Err(InvokeError::NoPermit));
            }
            let terms = Arc::clone(permit.terms());
            if !self.has(&terms.digest) {
                return outcome(Err(InvokeError::NotLoaded(terms.digest.to_string())));
            }
            let seen = Seen { terms, deadline: permit.deadline(), tool, arguments: arguments.clone() };
            self.seen.lock().expect("no panic under the lock").push(seen);
            let _counted = Counted::new(&self.under_way);
            let act = self.act.lock().expect("no panic under the lock").clone();
            match act {
                Act::Answer(result) => outcome(result),
                Act::Wait => {
                    self.release.notified().await;
                    outcome(Ok(Output::Success("null".to_owned())))
                }
            }
        })
    }
}

struct Scratch {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl ScratchFolder for Scratch {
    fn path(&self) -> &Path {
        &self.path
    }

    fn end(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { drop(self) })
    }
}

fn outcome(result: Result<Output, InvokeError>) -> Outcome {
    Outcome {
        result,
        usage: Usage { wall: Duration::from_micros(7), host_calls: 3, fuel: Some(5), ..Usage::default() },
        denials: vec![Denial { capability: "fs", request: "/etc".to_owned(), reason: "not granted".to_owned() }],
        used: vec!["fs /work (read)".to_owned()],
        log: "hello\nfrom the guest\n".to_owned(),
    }
}

struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
