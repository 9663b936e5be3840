//! How fast runs start, and so how long until there is room.

use std::collections::VecDeque;
use std::time::Duration;

/// Starts that are remembered: enough to even out a burst, and few enough that the
/// estimate follows a change of load.
const STARTS: usize = 32;

/// Shortest time that a client is told: whoever is refused leaves the host in peace for
/// that long.
const MIN_RETRY: Duration = Duration::from_secs(1);

/// Longest time that a client is told: an estimate of more is worth nothing.
const MAX_RETRY: Duration = Duration::from_mins(1);

/// When the latest runs were started.
#[derive(Debug, Default)]
pub(super) struct Rate {
    starts: VecDeque<Duration>,
}

impl Rate {
    /// O(1).
    pub(super) fn started(&mut self, now: Duration) {
        if self.starts.len() == STARTS {
            self.starts.pop_front();
        }
        self.starts.push_back(now);
    }

    /// How long until so many more runs have started, if they start as lately, from
    /// 1 s to 60 s. The time since the last start counts, so that it grows while nothing
    /// moves. O(1).
    pub(super) fn time_for(&self, starts: usize, now: Duration) -> Duration {
        let Some(first) = self.starts.front() else {
            return MAX_RETRY;
        };
        let count = u32::try_from(self.starts.len()).unwrap_or(u32::MAX);
        let wanted = u32::try_from(starts).unwrap_or(u32::MAX);
        // A start is remembered, so the count that divides is at least 1.
        let between = now.saturating_sub(*first) / count.max(1);
        between.saturating_mul(wanted).clamp(MIN_RETRY, MAX_RETRY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rate(between: Duration, count: u32) -> Rate {
        let mut rate = Rate::default();
        for number in 0..count {
            rate.started(between * number);
        }
        rate
    }

    #[test]
    fn the_estimate_follows_the_starts() {
        let rate = rate(2 * SECOND, 10);
        assert_eq!(rate.time_for(1, 20 * SECOND), 2 * SECOND);
        assert_eq!(rate.time_for(4, 20 * SECOND), 8 * SECOND);
        assert_eq!(rate.time_for(1, 100 * SECOND), 10 * SECOND, "nothing has moved since");
    }

    #[test]
    fn the_estimate_is_neither_too_short_nor_too_long() {
        assert_eq!(Rate::default().time_for(1, SECOND), MAX_RETRY, "nothing has ever started");
        assert_eq!(rate(SECOND / 100, 10).time_for(1, SECOND / 10), MIN_RETRY);
        assert_eq!(rate(2 * SECOND, 10).time_for(usize::MAX, 20 * SECOND), MAX_RETRY);
        assert_eq!(rate(SECOND, 1).time_for(1, Duration::MAX), MAX_RETRY);
    }

    #[test]
    fn old_starts_are_forgotten() {
        let mut rate = rate(SECOND, 1000);
        assert_eq!(rate.starts.len(), STARTS);
        let slow = |number: u32| 1000 * SECOND + 10 * SECOND * number;
        for number in 0..32 {
            rate.started(slow(number));
        }
        assert_eq!(rate.time_for(1, slow(32)), 10 * SECOND);
    }
}
