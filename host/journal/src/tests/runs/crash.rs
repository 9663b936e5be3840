//! Runs on a disk that fails after any number of operations, then loses power.

use std::time::{Duration, SystemTime};

use super::{check_tables, ended, open, run_id, with_key};
use crate::tests::crash::{fail_after, runtime};
use crate::{Created, Journal};

/// Runs of the story.
const RUNS: u64 = 4;

/// Runs that the story removes before each further one: all but the one before.
const KEPT: u64 = 1;

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Events of each run, from the first on; a run with its three has ended.
    runs: Vec<u64>,
    /// Runs that are removed, from the first on.
    removed: u64,
    /// Runs whose removal was asked for, acknowledged or not.
    asked: u64,
    /// Whether the story was told to its end.
    whole: bool,
}

#[test]
fn no_acknowledged_event_is_lost_on_a_disk_that_fails_anywhere() {
    for seed in 1..=2 {
        let mut operations = 0;
        while !fail_after(operations, seed, tell, check).whole {
            operations += 1;
        }
        assert!(operations > RUNS, "the disk failed at {operations} places");
    }
}

fn at(n: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(n)
}

fn event(n: u64, number: u64) -> Vec<u8> {
    format!("{n}/{number} ").repeat(200).into_bytes()
}

fn tell(journal: &Journal) -> Acknowledged {
    let mut told = Acknowledged::default();
    let whole = (1..=RUNS).all(|n| tell_run(journal, &mut told, n).is_some());
    Acknowledged { whole, ..told }
}

fn tell_run(journal: &Journal, told: &mut Acknowledged, n: u64) -> Option<()> {
    let runtime = runtime();
    let mut run = with_key(n, &n.to_string());
    run.events = vec![event(n, 1)];
    let created = runtime.block_on(journal.create_run(run, at(n))).ok()?;
    assert_eq!(created, Created::New);
    told.runs.push(1);
    for (number, summary) in [(2, open("going on")), (3, ended("ended"))] {
        let id = run_id(n);
        let append = journal.append_run(&id, number - 1, vec![event(n, number)], summary, at(n));
        assert_eq!(runtime.block_on(append).ok()?, number);
        *told.runs.last_mut()? = number;
    }
    told.asked = n.saturating_sub(KEPT);
    // Each run ended one second after the one before.
    runtime.block_on(journal.remove_runs(at(n), usize::MAX)).ok()?;
    told.removed = told.asked;
    Some(())
}

fn check(journal: &Journal, told: &Acknowledged) {
    check_tables(journal);
    for (n, acknowledged) in (1..).zip(told.runs.iter().copied()) {
        if n <= told.removed {
            assert_eq!(journal.run_summary(&run_id(n)).expect("read"), None, "run {n} was removed");
            continue;
        }
        let Ok(log) = journal.run_events(&run_id(n), 0, 10) else {
            assert!(n <= told.asked, "run {n} is lost");
            continue;
        };
        assert_eq!(log.damage, None);
        assert!(log.last == acknowledged || log.last == acknowledged + 1, "{} of {acknowledged} events", log.last);
        assert_eq!(log.events, (1..=log.last).map(|number| (number, event(n, number))).collect::<Vec<_>>());
        let open = journal.open_runs().expect("runs").contains(&run_id(n));
        assert_eq!(open, log.last < 3, "run {n} has {} events", log.last);
        let again = runtime().block_on(journal.create_run(with_key(n, &n.to_string()), at(n)));
        assert_eq!(again.expect("the journal takes writes again"), Created::Existing(run_id(n)));
    }
}
