//! What work took: CPU time, and the time that it was not kept waiting for a core.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// CPU time of this process so far.
pub fn process_cpu() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// CPU time of this thread so far.
pub fn thread_cpu() -> Duration {
    read(ClockId::ThreadCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanoseconds)
}

/// What one thread spent on its work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// On a core.
    pub cpu: Duration,
    /// On a core or asleep, for one at a lock. Time in which other programs had
    /// the core is left out, so that the figure holds on a machine that is not idle.
    pub own: Duration,
}

/// Runs `work` and tells what this thread spent on it.
pub fn spent(work: impl FnOnce()) -> Spent {
    let (cpu, waited, start) = (thread_cpu(), waited(), Instant::now());
    work();
    let (wall, kept) = (start.elapsed(), self::waited().saturating_sub(waited));
    Spent { cpu: thread_cpu().saturating_sub(cpu), own: wall.saturating_sub(kept) }
}

/// How long this thread was ready to run while another had the core; nothing
/// where the kernel doesn't say.
fn waited() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').nth(1).and_then(|field| field.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// Microseconds for each of `count`.
#[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
pub fn micros_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

/// The middle of `values`; for an even number the upper of the two.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which a share of `values` lies; NaN where there is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the share is between 0 and 1, and there are far fewer than 2^52 values"
)]
pub fn quantile(values: impl IntoIterator<Item = f64>, share: f64) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
