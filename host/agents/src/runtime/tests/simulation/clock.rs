//! Time and names that follow from the seed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::run::RunId;
use tokio::time::Instant;

use super::site::Site;
use crate::runtime::Ids;

/// Where the wall clock stands at first: some day in 2027.
const START: Duration = Duration::from_hours(500_000);

/// A wall clock that outlives processes and may jump, beside tokio's clock, which stands
/// still but for timers.
pub(super) struct WallClock(Mutex<Reading>);

#[derive(Clone, Copy)]
struct Reading {
    /// Since 1970, when it was set.
    wall: Duration,
    /// When that was, as the process counts that is there.
    set: Option<Instant>,
}

impl WallClock {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Reading { wall: START, set: None }))
    }

    /// A process begins, which counts anew.
    pub(super) fn begin(&self) {
        self.set(self.wall(), Some(Instant::now()));
    }

    /// It ends, and the clock stands still until there is another one.
    pub(super) fn end(&self) {
        self.set(self.wall(), None);
    }

    /// Somebody sets it.
    pub(super) fn jump(&self, forward: bool, by: Duration) {
        let wall = self.wall();
        let wall = if forward { wall + by } else { wall.saturating_sub(by) };
        self.set(wall, Some(Instant::now()));
    }

    fn wall(&self) -> Duration {
        let Reading { wall, set } = *self.0.lock().expect("no panic");
        wall + set.map_or(Duration::ZERO, |set| set.elapsed())
    }

    fn set(&self, wall: Duration, set: Option<Instant>) {
        *self.0.lock().expect("no panic") = Reading { wall, set };
    }
}

impl Clock for WallClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.wall()
    }

    fn instant(&self) -> std::time::Instant {
        Instant::now().into_std()
    }
}

/// Names that are drawn like everything else.
pub(super) struct DrawnIds(pub(super) Arc<Site>);

impl DrawnIds {
    fn bytes(&self) -> [u8; 8] {
        self.0.below(u64::MAX).to_be_bytes()
    }
}

impl Ids for DrawnIds {
    fn run(&self, now: SystemTime) -> Result<RunId, getrandom::Error> {
        let micros = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&u64::try_from(micros).unwrap_or(u64::MAX).to_be_bytes());
        id[8..].copy_from_slice(&self.bytes());
        Ok(RunId::from_bytes(&id))
    }
}
