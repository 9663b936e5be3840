//! What is known of the machine.

use std::fmt::Debug;
use std::time::Duration;

/// The seam before the machine, so that a test says how busy it is.
pub trait Machine: Debug + Send + Sync + 'static {
    /// How it stands now. What can't be had is left out.
    fn read(&self) -> Reading;

    /// CPUs that this process may use, 1 at least.
    fn cpus(&self) -> u32;
}

/// How a machine stands: counters that only grow, and its memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Time of all CPUs together.
    pub cpu: Option<CpuTime>,
    /// Time in which something that could run had no CPU.
    pub stalled: Option<Duration>,
    /// Memory that can still be had, in thousandths of all that there is.
    pub available: Option<u32>,
}

impl Reading {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Time of all CPUs together since the machine started, in a unit of the machine's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In which they did something.
    pub busy: u64,
    /// All of it.
    pub all: u64,
}

impl CpuTime {
    fn share_since(self, before: Self) -> Option<u32> {
        share(self.busy.saturating_sub(before.busy), self.all.saturating_sub(before.all))
    }
}

/// What a machine was like for a while, in thousandths; `None` where it doesn't tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Time of the CPUs in which they did something.
    pub busy: Option<u32>,
    /// Time in which something that could run had no CPU.
    pub stalled: Option<u32>,
    /// Memory that can still be had.
    pub available: Option<u32>,
}

impl Sample {
    /// What a machine was like between two readings, with so much time between them.
    pub fn between(before: &Reading, now: &Reading, passed: Duration) -> Self {
        let busy = before.cpu.zip(now.cpu).and_then(|(before, now)| now.share_since(before));
        let counted = before.stalled.zip(now.stalled).map(|(before, now)| now.saturating_sub(before));
        let stalled = counted.and_then(|stalled| share(micros(stalled), micros(passed)));
        Self { busy, stalled, available: now.available }
    }
}

/// `part` of `whole` in thousandths, up to 1000; `None` of nothing.
pub(super) fn share(part: u64, whole: u64) -> Option<u32> {
    let thousandths = (u128::from(part.min(whole)) * 1000).checked_div(u128::from(whole))?;
    u32::try_from(thousandths).ok()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
