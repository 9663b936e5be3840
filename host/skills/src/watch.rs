//! Reloading by itself when something changes on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::registry::Registry;
use crate::stamp::Stamp;

/// How long nothing must have changed before a reload: a build or a copy writes
/// a package in many steps.
const QUIET: Duration = Duration::from_millis(200);

/// Quiet times that are waited for at most, so that a folder in which something
/// changes all the time is reloaded too.
const MAX_WAITS: usize = 20;

/// How often the folders are looked at where the system can't watch them. A
/// look is one `stat` for each file of each skill.
const POLL: Duration = Duration::from_secs(2);

/// Reloads in a row after each of which there were new folders to watch: one
/// finds a package, a second what changed in it meanwhile.
const MAX_ROUNDS: usize = 4;

/// Signals that wait: one says as much as many.
const SIGNALS: usize = 1;

/// Reloads until it is dropped.
#[derive(Debug)]
#[must_use = "the folders are watched only while this is held"]
pub struct Watch {
    signals: SyncSender<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Changed,
    Stop,
}

impl Registry {
    /// Watches the folders of all skills and reloads in the background when
    /// something in them changes. Where the system can't watch them, which is
    /// logged, they are looked at every two seconds.
    pub fn watch(self: &Arc<Self>) -> io::Result<Watch> {
        let (signals, inbox) = mpsc::sync_channel(SIGNALS);
        let registry = Arc::downgrade(self);
        let sender = signals.clone();
        let thread = thread::Builder::new()
            .name("skills-watch".to_owned())
            .spawn(move || run(&registry, Folders::new(sender), &inbox))?;
        Ok(Watch { signals, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The thread always comes back to its inbox, so that there is room soon.
        // It may have ended by itself, together with the registry.
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watched the skills panicked");
        }
    }
}

fn run(registry: &Weak<Registry>, mut folders: Folders, inbox: &Receiver<Signal>) {
    loop {
        let Some(alive) = registry.upgrade() else { return };
        for _ in 0..MAX_ROUNDS {
            alive.reload();
            // What changed in a folder before it was watched was not signalled.
            if !folders.follow(alive.folders()) {
                break;
            }
        }
        drop(alive);
        if wait(inbox, folders.patience()) == Signal::Stop {
            return;
        }
    }
}

/// Waits until something changed and has come to rest, or until `patience` ends.
fn wait(inbox: &Receiver<Signal>, patience: Option<Duration>) -> Signal {
    let first = match patience {
        Some(patience) => inbox.recv_timeout(patience),
        None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match first {
        Ok(Signal::Changed) => {}
        Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Signal::Stop,
        Err(RecvTimeoutError::Timeout) => return Signal::Changed,
    }
    for _ in 0..MAX_WAITS {
        match inbox.recv_timeout(QUIET) {
            Ok(Signal::Changed) => {}
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Signal::Stop,
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    Signal::Changed
}

/// The folders that are watched.
struct Folders {
    /// `None` where the system has nothing to watch with.
    watcher: Option<RecommendedWatcher>,
    /// With the identity of each: a folder may make way for another of its name.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    /// Whether a folder can't be watched, so that it has to be looked at.
    blind: bool,
}

impl Folders {
    fn new(signals: SyncSender<Signal>) -> Self {
        let on_event = move |event: notify::Result<notify::Event>| {
            // After an error, such as a queue that ran over, something may have been missed.
            if event.map_or(true, |event| is_change(event.kind)) {
                // A full channel holds a signal already.
                let _ = signals.try_send(Signal::Changed);
            }
        };
        let watcher = notify::recommended_watcher(on_event);
        if let Err(error) = &watcher {
            tracing::warn!(%error, "can't watch the skills folders; looking at them every {POLL:?} instead");
        }
        Self { watcher: watcher.ok(), watched: BTreeMap::new(), blind: false }
    }

    /// Watches `folders` and no others; whether one of them was not watched before.
    fn follow(&mut self, folders: BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut before = std::mem::take(&mut self.watched);
        let was_blind = std::mem::take(&mut self.blind);
        let mut any_new = false;
        for folder in folders {
            let identity = Stamp::of(&folder).map(Stamp::identity).unwrap_or_default();
            if before.remove(&folder) == Some(identity) {
                self.watched.insert(folder, identity);
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    any_new = true;
                    self.watched.insert(folder, identity);
                }
                Err(error) => {
                    self.blind = true;
                    warn(&folder, &error, was_blind);
                }
            }
        }
        for gone in before.into_keys() {
            // A folder that was removed is no longer watched anyway.
            let _ = watcher.unwatch(&gone);
        }
        any_new
    }

    /// How long nothing may be heard before the folders are looked at.
    fn patience(&self) -> Option<Duration> {
        (self.blind || self.watcher.is_none()).then_some(POLL)
    }
}

/// Says once that a folder can't be watched, not every two seconds.
fn warn(folder: &Path, error: &notify::Error, said: bool) {
    if !said {
        let folder = folder.display();
        tracing::warn!(%folder, %error, "can't watch this folder; looking at it every {POLL:?} instead");
    }
}

/// Reading is no change; without this each reload would cause the next one.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}
