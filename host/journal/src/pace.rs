//! How quickly commits go, and so whether a thread that should not wait for long may make one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long a task may keep a thread of the runtime to itself; the documentation of tokio's
/// tasks speaks of 10 to 100 µs, and of a few times that where it is seldom.
const QUICK: Duration = Duration::from_micros(500);

/// Commits in a row that have to be quick before the next one is expected to be.
const PROOF: u32 = 16;

/// Commits that must be quick before it is believed that the next one is, too.
#[derive(Debug)]
pub(crate) struct Pace(AtomicU32);

/// When a commit began.
pub(crate) struct Begun(Instant);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicU32::new(PROOF))
    }
}

impl Pace {
    /// Whether the next commit may be expected to be quick.
    pub(crate) fn is_quick(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn begin() -> Begun {
        Begun(Instant::now())
    }

    /// Takes note of a commit, and of whether it has written anything: one that hasn't shows
    /// nothing of the disk. Only one thread commits at a time.
    pub(crate) fn note(&self, begun: &Begun, written: bool) {
        if begun.0.elapsed() > QUICK {
            self.0.store(PROOF, Ordering::Relaxed);
        } else if written {
            self.0.store(self.0.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
        }
    }
}
