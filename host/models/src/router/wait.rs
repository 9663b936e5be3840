//! How long to wait before a model is tried again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bailiwick_domain::model::ModelFailure;

use super::ATTEMPTS;

/// The first wait, and the shortest; each next is twice as long.
const FIRST: Duration = Duration::from_secs(2);

/// The longest wait, unless the provider asks for more.
const LONGEST: Duration = Duration::from_secs(10);

/// Waits, each a little different.
#[derive(Debug)]
pub(super) struct Waits {
    seed: u64,
    count: AtomicU64,
}

impl Waits {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, count: AtomicU64::new(0) }
    }

    /// The wait after the attempt with this number, from 1, if there is to be another:
    /// by the number, give or take a quarter, but never below the shortest or above the
    /// longest; or what the provider asks for, if that is longer.
    pub(super) fn before_next(&self, attempt: u32, failure: &ModelFailure) -> Option<Duration> {
        if attempt >= ATTEMPTS || !failure.is_retriable() {
            return None;
        }
        let asked = match failure {
            ModelFailure::RateLimited { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        Some(self.backoff(attempt).max(asked))
    }

    fn backoff(&self, attempt: u32) -> Duration {
        let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        // 750 to 1250 thousandths.
        let thousandths = 750 + mixed(mixed(self.seed).wrapping_add(number)) % 501;
        let thousandths = u32::try_from(thousandths).unwrap_or(1000);
        (doubled.min(LONGEST) / 1000).saturating_mul(thousandths).clamp(FIRST, LONGEST)
    }
}

/// A number that looks unlike those of its neighbours: the finish of splitmix64.
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_differ_by_a_quarter_at_most() {
        let waits = Waits::new(7);
        for (attempt, seconds) in [(1, 2), (2, 4), (3, 8), (4, 10), (40, 10)] {
            let middle = Duration::from_secs(seconds);
            let found: Vec<Duration> = (0..200).map(|_| waits.backoff(attempt)).collect();
            let near = (middle * 3 / 4).max(FIRST)..=(middle * 5 / 4).min(LONGEST);
            assert!(found.iter().all(|wait| near.contains(wait)), "{found:?}");
            assert!(found.windows(2).any(|pair| pair[0] != middle && pair[0] != pair[1]), "they differ");
        }
    }

    #[test]
    fn no_wait_is_shorter_than_two_seconds_or_longer_than_ten() {
        let waits = Waits::new(7);
        let ends = |attempt| {
            let found: Vec<Duration> = (0..200).map(|_| waits.backoff(attempt)).collect();
            (found.iter().min().copied(), found.iter().max().copied())
        };
        assert_eq!(ends(1).0, Some(Duration::from_secs(2)));
        assert_eq!(ends(4).1, Some(Duration::from_secs(10)));
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let waits = Waits::new(seed);
            (0..8).map(|_| waits.backoff(1)).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(1 << 40));
    }

    #[test]
    fn what_the_provider_asks_for_counts_if_it_is_longer() {
        let waits = Waits::new(0);
        let limited = |retry_after| ModelFailure::RateLimited { message: String::new(), retry_after };
        let long = Duration::from_secs(90);
        assert_eq!(waits.before_next(1, &limited(Some(long))), Some(long));
        assert!(waits.before_next(1, &limited(Some(Duration::from_millis(1)))) >= Some(FIRST));
        assert_eq!(waits.before_next(ATTEMPTS, &limited(None)), None);
        assert_eq!(waits.before_next(1, &ModelFailure::Payment(String::new())), None);
    }
}
