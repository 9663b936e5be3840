//! The seam before the host's clocks.

use std::time::{Instant, SystemTime};

/// Time as the host sees it; only implementations of this trait ask the system.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time, for records that people read and for expiry.
    fn now(&self) -> SystemTime;

    /// Monotonic time, for deadlines and durations.
    fn instant(&self) -> Instant;
}
