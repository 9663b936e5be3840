//! `bench`: numbers of measurements, and what they mean.

use std::time::Duration;

use serde::Serialize;

/// Times of many runs of the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Times {
    /// How many runs.
    pub runs: usize,
    /// The fastest, in nanoseconds.
    pub min_ns: u64,
    /// Half of the runs took at most this, in nanoseconds.
    pub median_ns: u64,
    /// 95 of a hundred runs took at most this, in nanoseconds.
    pub p95_ns: u64,
    /// The slowest, in nanoseconds.
    pub max_ns: u64,
}

impl Times {
    /// The summary of `runs`; none where there were none.
    pub fn of(runs: &[Duration]) -> Option<Self> {
        let mut sorted: Vec<u64> = runs.iter().map(|run| nanos(*run)).collect();
        sorted.sort_unstable();
        // The nearest rank: the smallest run that at least `percent` of a hundred don't exceed.
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(Self {
            runs: sorted.len(),
            min_ns: sorted.first().copied()?,
            median_ns: rank(50)?,
            p95_ns: rank(95)?,
            max_ns: sorted.last().copied()?,
        })
    }
}

/// A time in nanoseconds, as far as it can be counted.
pub fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_of_the_runs_that_were_made() {
        let runs: Vec<_> = (1..=100).rev().map(Duration::from_nanos).collect();
        let times = Times::of(&runs).expect("runs");
        assert_eq!((times.min_ns, times.median_ns, times.p95_ns, times.max_ns), (1, 50, 95, 100));
        let one = Times::of(&[Duration::from_nanos(7)]).expect("a run");
        assert_eq!((one.runs, one.median_ns, one.p95_ns), (1, 7, 7));
        assert_eq!(Times::of(&[]), None);
    }
}
