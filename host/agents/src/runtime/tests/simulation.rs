//! Whole stories of a host, each of which follows from one number: in which order what is
//! due together goes, how long everything takes, what fails, when the disk is gone, what
//! people do.
//!
//! The host is the one that ships, on tokio's clock, which stands still but for timers, on
//! a disk in memory, with one thread. After each story, and all the way through it, the
//! laws are looked at. `BAILIWICK_SEED` repeats one story, `BAILIWICK_SEEDS` says how many
//! there are.
//!
//! The laws of each moment are in [`laws`], those of a whole run in [`story`]: functions of
//! what was seen, each of which is told by its own tests what breaks it. [`watch`] looks.

mod broken;
mod by_hand;
mod clock;
mod laws;
mod life;
mod log;
mod orders;
mod people;
mod script;
mod site;
mod story;
mod watch;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bailiwick_domain::run::EventKind;
use bailiwick_journal::Journal;
use bailiwick_journal::simulation::Disk;
use tempfile::TempDir;

use self::life::Fate;
use self::script::FRAIL;
use self::site::Site;
use super::crash::seeds;

/// Stories of one run of the tests, which take some ten seconds.
const STORIES: u64 = 300;

/// Stories that are told twice.
const TWICE: u64 = 12;

/// Stories after which chance has no excuse for what did not happen in one of them.
const MANY: usize = 200;

/// Threads at the most: the other tests want some too.
const MAX_THREADS: usize = 8;

/// What a story comes to.
#[derive(Default)]
struct Told {
    faults: Vec<String>,
    /// All that happened, line by line.
    diary: Vec<String>,
    /// What happened to runs.
    kinds: BTreeSet<EventKind>,
}

#[test]
fn whatever_happens_every_run_ends_as_its_log_says_and_nothing_is_done_twice() {
    let folder = agents();
    let seeds = seeds(count());
    let all = over_all(&seeds, |seed| simulate(folder.path(), seed, |_| {}));
    let wrong: Vec<String> = all.iter().filter_map(|(seed, told)| complaint(*seed, told)).collect();
    assert!(wrong.is_empty(), "{} of {} stories go wrong\n\n{}", wrong.len(), all.len(), wrong.join("\n"));
    if all.len() >= MANY {
        // All that can happen to a run happens in some story, or the stories are too tame.
        let kinds: BTreeSet<EventKind> = all.iter().flat_map(|(_, told)| told.kinds.iter().copied()).collect();
        let missing = EventKind::ALL.into_iter().filter(|kind| !kinds.contains(kind));
        let missing: Vec<&str> = missing.map(EventKind::name).collect();
        assert!(missing.is_empty(), "in {} stories this never happens: {missing:?}", all.len());
    }
}

#[test]
fn a_story_is_the_same_each_time_that_it_is_told() {
    let folder = agents();
    let seeds = seeds(TWICE);
    let tell = || over_all(&seeds, |seed| simulate(folder.path(), seed, |_| {}));
    for ((seed, first), (_, second)) in tell().iter().zip(&tell()) {
        assert!(!first.diary.is_empty(), "{}", repeat(*seed));
        let other = first.diary.iter().zip(&second.diary).find(|(one, other)| one != other);
        assert!(other.is_none(), "told twice, it parts here: {other:#?}\n{}", repeat(*seed));
        assert_eq!(first.diary.len(), second.diary.len(), "one story is longer; {}", repeat(*seed));
    }
}

/// The laws can be broken: a call that is made once more than its log says is found.
#[test]
fn a_call_that_is_made_twice_is_found() {
    broken::find("was done", |site| {
        let mut done = site.deeds.done.lock().expect("no panic");
        let deleted = done.iter_mut().find(|((_, _, tool), _)| tool == "delete");
        deleted.is_some_and(|(_, times)| {
            *times += 100;
            true
        })
    });
}

/// One story. `spoil` does what a host may not, before the last look.
fn simulate(agents: &Path, seed: u64, spoil: impl FnOnce(&Site)) -> Told {
    let lives = 2 + seed % 4;
    let site = Site::new(seed, agents, lives);
    let mut disk = Disk::new();
    for life in 0..lives {
        let fate = Fate::draw(&site, life);
        disk = life::live(&site, disk, &fate);
    }
    spoil(&site);
    let kinds = life::live_to_the_end(&site, &disk, lives);
    // What was closed in order is whole, and nothing in it waits for anybody.
    match Journal::simulated(&disk).and_then(|journal| journal.open_runs()) {
        Ok(open) => site.check(laws::closed(&open)),
        Err(error) => site.fault(format!("the host was stopped, and its journal can't be read: {error:?}")),
    }
    let done = site.deeds.done.lock().expect("no panic").clone();
    site.note(format!("{done:?}"));
    Told { faults: site.faults(), diary: site.diary(), kinds }
}

/// Tells all stories, some at once, each in a thread of its own.
fn over_all(seeds: &[u64], tell: impl Fn(u64) -> Told + Sync) -> Vec<(u64, Told)> {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = catch_unwind(AssertUnwindSafe(|| tell(*seed)));
                    let told =
                        told.unwrap_or_else(|_| Told { faults: vec!["it panics".to_owned()], ..Told::default() });
                    all.lock().expect("no panic").push((*seed, told));
                }
            });
        }
    });
    let mut all = all.into_inner().expect("no panic");
    // As they were asked for, whoever was faster.
    all.sort_by_key(|(seed, _)| seeds.iter().position(|it| it == seed));
    all
}

/// What is wrong with a story, and how to hear it again.
fn complaint(seed: u64, told: &Told) -> Option<String> {
    let fates = told.diary.iter().filter(|line| line.starts_with("Fate")).cloned().collect::<Vec<_>>().join("\n");
    let faults = told.faults.join("\n");
    (!told.faults.is_empty()).then(|| format!("{}\n{faults}\n{fates}\n", repeat(seed)))
}

fn repeat(seed: u64) -> String {
    format!("BAILIWICK_SEED={seed} cargo nextest run --workspace runtime::tests::simulation")
}

fn count() -> u64 {
    std::env::var("BAILIWICK_SEEDS").map_or(STORIES, |count| count.parse().expect("BAILIWICK_SEEDS is a whole number"))
}

/// A folder with agents: three that fail with their tasks, and three with whom it goes on in
/// another way.
fn agents() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, model, more) in [
        ("ada", "m", "skills = [\"demo/files\"]\ndisclosure = \"all\""),
        ("bob", "m", ""),
        // It chooses its skills first.
        ("cyd", "m", "skills = [\"demo/files\"]"),
        (
            "dan",
            FRAIL,
            "skills = [\"demo/files\"]\ndisclosure = \"all\"\n[on_failure]\nretries = 1\nfallback = \"bob\"\nask = true",
        ),
        ("eli", "m", "[output_schema]\ntype = \"integer\""),
        ("fay", FRAIL, "[on_failure]\nask = true"),
    ] {
        let text = format!(
            "name = \"{name}\"\ndescription = \"Does things.\"\ninstructions = \"Do it.\"\nmodels = [\"{model}\"]\n{more}\n"
        );
        fs::write(folder.path().join(format!("{name}.toml")), text).expect("an agent");
    }
    folder
}
