//! How quickly commits go, and so whether a thread that should not wait for long may make one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::commit::Kept;

/// How long a commit may be expected to take that a task makes on a thread of the runtime; the
/// documentation of tokio's tasks speaks of 10 to 100 µs, and of more where it is seldom.
const QUICK: Duration = Duration::from_micros(250);

/// What is expected of a disk that nobody knows, and the most that is expected of any: so many
/// quick commits in a row, a dozen or two, show that it is quick.
const UNKNOWN: Duration = Duration::from_millis(2);

/// The part that the last commit has in what is expected of the next: one of so many.
const PART: u64 = 8;

/// What the next commit may be expected to take, in nanoseconds: the mean of those before it, of
/// which the later ones weigh more.
#[derive(Debug)]
pub(crate) struct Pace(AtomicU64);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicU64::new(nanos(UNKNOWN)))
    }
}

impl Pace {
    /// Whether the next commit may be expected to be quick.
    pub(crate) fn is_quick(&self) -> bool {
        self.0.load(Ordering::Relaxed) < nanos(QUICK)
    }

    /// Takes note of what a commit took, where it shows anything of the next one: one that wrote
    /// nothing shows nothing of the disk, and the engine has a pace of its own. Only one thread
    /// commits at a time.
    pub(crate) fn note(&self, took: Duration, kept: Kept) {
        match kept {
            Kept::InLog => {}
            Kept::Nothing if took > QUICK => {}
            Kept::Nothing | Kept::InEngine => return,
        }
        let expected = self.0.load(Ordering::Relaxed);
        let expected = expected - expected / PART + nanos(took) / PART;
        self.0.store(expected.min(nanos(UNKNOWN)), Ordering::Relaxed);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pace;
    use crate::commit::Kept;

    /// How many commits of so many microseconds it takes until the next one is expected to be
    /// quick.
    fn until_quick(pace: &Pace, micros: u64) -> usize {
        let one = || pace.note(Duration::from_micros(micros), Kept::InLog);
        (0..100).take_while(|_| !pace.is_quick()).inspect(|_| one()).count()
    }

    #[test]
    fn a_disk_is_quick_when_it_has_shown_it() {
        let pace = Pace::default();
        assert_eq!(until_quick(&pace, 60), 18);
        assert_eq!(until_quick(&Pace::default(), 300), 100, "it never is");
    }

    #[test]
    fn one_slow_commit_counts_for_little_and_a_stall_for_much() {
        let pace = Pace::default();
        until_quick(&pace, 60);
        (0..50).for_each(|_| pace.note(Duration::from_micros(60), Kept::InLog));
        pace.note(Duration::from_millis(1), Kept::InLog);
        assert!(pace.is_quick());
        pace.note(Duration::from_hours(1), Kept::InLog);
        assert_eq!(until_quick(&pace, 60), 18);
    }

    #[test]
    fn what_shows_nothing_of_the_next_commit_is_not_counted() {
        let pace = Pace::default();
        (0..100).for_each(|_| pace.note(Duration::from_micros(10), Kept::Nothing));
        assert!(!pace.is_quick(), "nothing was written");
        until_quick(&pace, 60);
        pace.note(Duration::from_secs(1), Kept::InEngine);
        assert!(pace.is_quick());
        pace.note(Duration::from_secs(1), Kept::Nothing);
        assert!(!pace.is_quick(), "the work itself is slow");
    }
}
