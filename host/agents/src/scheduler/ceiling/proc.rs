//! What Linux tells of the machine, in `/proc` and of control groups.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::machine::{CpuTime, Machine, Reading, share};

/// This machine, as its kernel tells of it. Other systems than Linux tell nothing here.
#[derive(Clone, Debug)]
pub struct Proc {
    root: PathBuf,
}

impl Default for Proc {
    fn default() -> Self {
        Self::below("/")
    }
}

impl Proc {
    /// A machine that tells of itself below this folder.
    pub(super) fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// What stands in a file, where it is there and can be read.
    fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    /// What is left of the machine's memory, or of what is allowed to this process,
    /// whichever is scarcer.
    fn available(&self) -> Option<u32> {
        let machine = self.text("proc/meminfo").and_then(|text| {
            let kibibytes = |name| field(&text, name);
            share(kibibytes("MemAvailable:")?, kibibytes("MemTotal:")?)
        });
        [machine, self.groups()].into_iter().flatten().min()
    }

    /// What is left to the control groups of this process: its own, and those around it.
    /// Of version 2, as version 1 counts no such thing in one place.
    fn groups(&self) -> Option<u32> {
        let groups = self.text("proc/self/cgroup")?;
        let own = Path::new(groups.lines().find_map(|line| line.strip_prefix("0::/"))?);
        own.ancestors().filter_map(|group| self.group(&Path::new("sys/fs/cgroup").join(group))).min()
    }

    /// What is left to one control group; `None` where nothing is set for it.
    fn group(&self, folder: &Path) -> Option<u32> {
        let bytes = |name| self.text(folder.join(name))?.trim().parse::<u64>().ok();
        let (most, used) = (bytes("memory.max")?, bytes("memory.current")?);
        // Files that were read are counted, and given up before anything else is.
        let given_up = self.text(folder.join("memory.stat")).and_then(|text| field(&text, "inactive_file"));
        share(most.saturating_sub(used.saturating_sub(given_up.unwrap_or(0))), most)
    }
}

impl Machine for Proc {
    fn read(&self) -> Reading {
        Reading {
            cpu: self.text("proc/stat").and_then(|text| cpu_time(&text)),
            stalled: self.text("proc/pressure/cpu").and_then(|text| stalled(&text)),
            available: self.available(),
        }
    }

    fn cpus(&self) -> u32 {
        thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
    }
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq and
/// steal. What follows is in user and nice already.
fn cpu_time(text: &str) -> Option<CpuTime> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let times = line.split_ascii_whitespace().take(8).map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
    let sum = |times: &[u64]| times.iter().fold(0_u64, |sum, time| sum.saturating_add(*time));
    let (all, idle) = (sum(&times), sum(times.get(3..5)?));
    Some(CpuTime { busy: all.saturating_sub(idle), all })
}

/// `/proc/pressure/cpu`: `some avg10=0.00 avg60=0.00 avg300=0.00 total=MICROSECONDS`.
fn stalled(text: &str) -> Option<Duration> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_ascii_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// The number behind a name at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.split_ascii_whitespace().next() == Some(name))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}
