//! Compiling large components beside everything else.
//!
//! A component with an interpreter in it takes seconds to compile. A server does that
//! on a thread of its own, one component after the other, and takes calls of all other
//! skills meanwhile; those of the skill that is not there yet are told to come back.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use super::Registry;
use crate::stamp::Stamp;

/// Components that wait to be compiled.
#[derive(Debug, Default)]
pub(super) struct Preparation(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Wakes the thread; `None` where compiling is waited for.
    bell: Option<SyncSender<()>>,
    /// Where the thread will hear it.
    inbox: Option<Receiver<()>>,
    queue: BTreeSet<PathBuf>,
    /// What was compiled, or could not be: it is read without putting it off again.
    tried: BTreeMap<PathBuf, Option<Stamp>>,
}

impl Preparation {
    /// One that puts off from the beginning, or only once there is a thread.
    pub(super) fn new(puts_off: bool) -> Self {
        let (bell, inbox) = mpsc::sync_channel(1);
        let waiting = Waiting { bell: Some(bell), inbox: Some(inbox), ..Waiting::default() };
        Self(Mutex::new(if puts_off { waiting } else { Waiting::default() }))
    }

    /// Whether `component`, which would take long to compile, is compiled later. Then it
    /// is in the queue.
    pub(super) fn puts_off(&self, component: &Path) -> bool {
        let mut waiting = self.lock();
        let Some(bell) = waiting.bell.clone() else { return false };
        if waiting.tried.get(component).is_some_and(|tried| *tried == Stamp::of(component)) {
            return false;
        }
        waiting.queue.insert(component.to_owned());
        // A thread that is awake looks into the queue before it sleeps.
        let _ = bell.try_send(());
        true
    }

    fn next(&self) -> Option<PathBuf> {
        self.lock().queue.pop_first()
    }

    fn done(&self, component: PathBuf, stamp: Option<Stamp>) {
        self.lock().tried.insert(component, stamp);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Compiles in the background the large components that were put off, and those to
    /// come. Until one is ready, its skill is told of as being prepared. Where nothing is
    /// put off, there is nothing to do.
    pub fn prepare_in_background(self: &Arc<Self>) -> io::Result<()> {
        let Some(inbox) = self.preparation.lock().inbox.take() else { return Ok(()) };
        let registry = Arc::downgrade(self);
        thread::Builder::new().name("skills-compile".to_owned()).spawn(move || run(&registry, &inbox)).map(drop)
    }
}

fn run(registry: &Weak<Registry>, inbox: &Receiver<()>) {
    // The registry has the other end, so that this ends with it.
    while inbox.recv().is_ok() {
        while let Some(alive) = registry.upgrade() {
            let Some(component) = alive.preparation.next() else { break };
            let stamp = Stamp::of(&component);
            tracing::info!(component = %component.display(), "compiling a large component");
            let problem = alive.sandbox.load(&component).err().map(tracing::field::display);
            tracing::info!(component = %component.display(), problem, "compiled");
            alive.preparation.done(component, stamp);
            alive.reload();
        }
    }
}
