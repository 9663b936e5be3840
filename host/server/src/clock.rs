//! The system's clocks: the one place of the host that asks them.

use std::time::{Instant, SystemTime};

use bailiwick_domain::clock::Clock;

/// The clocks of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}
