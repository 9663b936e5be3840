//! What is read from the files of Linux.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::super::{CpuTime, Machine as _, Proc, Reading};

const STAT: &str = "cpu  100 20 30 400 50 6 7 8 90 1\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5\n";
const PRESSURE: &str = "some avg10=1.50 avg60=0.10 avg300=0.00 total=2500000\nfull avg10=0.00 total=7\n";
const MEMORY: &str = "MemTotal:       1000 kB\nMemFree:          10 kB\nMemAvailable:    600 kB\n";

/// A machine with these files.
fn machine(files: &[(&str, &str)]) -> (TempDir, Proc) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let machine = Proc::below(folder.path());
    (folder, machine)
}

#[test]
fn cpus_pressure_and_memory_are_read() {
    let (_folder, machine) = machine(&[("proc/stat", STAT), ("proc/pressure/cpu", PRESSURE), ("proc/meminfo", MEMORY)]);
    let cpu = CpuTime { busy: 171, all: 621 };
    let expected = Reading { cpu: Some(cpu), stalled: Some(Duration::from_millis(2500)), available: Some(600) };
    assert_eq!(machine.read(), expected, "idle and iowait are not busy, and guests stand in user already");
}

#[test]
fn a_control_group_that_has_less_left_counts() {
    let left = |own_max: &str, around_max: &str| {
        let (_folder, machine) = machine(&[
            ("proc/meminfo", MEMORY),
            ("proc/self/cgroup", "1:name=x:/y\n0::/host/run\n"),
            ("sys/fs/cgroup/host/run/memory.max", own_max),
            ("sys/fs/cgroup/host/run/memory.current", "900\n"),
            ("sys/fs/cgroup/host/run/memory.stat", "anon 500\ninactive_file 300\n"),
            ("sys/fs/cgroup/host/memory.max", around_max),
            ("sys/fs/cgroup/host/memory.current", "1500\n"),
        ]);
        machine.read().available
    };
    assert_eq!(left("max\n", "max\n"), Some(600), "nothing is set: the machine's");
    assert_eq!(left("1000\n", "max\n"), Some(400), "files that were read are given up first");
    assert_eq!(left("1000\n", "2000\n"), Some(250), "the scarcest of all that are around it");
    assert_eq!(left("500\n", "max\n"), Some(0), "it has more than it may");
    assert_eq!(left("0\n", "max\n"), Some(600), "of nothing there is no share");
}

#[test]
fn what_is_not_there_or_makes_no_sense_is_left_out() {
    let (_folder, other) = machine(&[]);
    assert!(other.read().is_empty(), "another system");
    let (_folder, odd) = machine(&[
        ("proc/stat", "cpu  1 2 three 4 5\n"),
        ("proc/pressure/cpu", "some avg10=0.00\n"),
        ("proc/meminfo", "MemTotal: 0 kB\nMemAvailable: 0 kB\n"),
        ("proc/self/cgroup", "nonsense"),
    ]);
    assert!(odd.read().is_empty());
    let (_folder, short) = machine(&[("proc/stat", "cpu  1 2 3 4\n")]);
    assert!(short.read().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn this_machine_tells_of_itself() {
    let machine = Proc::default();
    let reading = machine.read();
    let cpu = reading.cpu.expect("its CPUs");
    assert!(0 < cpu.busy && cpu.busy <= cpu.all, "{cpu:?}");
    assert!(reading.available.is_some_and(|share| (1..=1000).contains(&share)), "{reading:?}");
    assert!(machine.cpus() >= 1);
}
