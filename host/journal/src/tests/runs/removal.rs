//! Old runs that are removed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bailiwick_domain::digest::Digest;
use redb::ReadableTableMetadata;

use super::{append, check_tables, create, ended, events, in_memory, new_run, open, run_id, start, with_key, write};
use crate::runs::change::{self, Append};
use crate::tables::{REMOVED_RUNS, RUN_SEGMENTS, Tables};
use crate::{Created, Journal, JournalError, NewRun};

/// After everything that the tests do at [`start`].
fn later() -> SystemTime {
    start() + Duration::from_hours(1)
}

fn events_of_all(journal: &Journal) -> u64 {
    let read = journal.store.read().expect("read");
    read.open_table(RUN_SEGMENTS).expect("table").len().expect("a length")
}

fn half_removed(journal: &Journal) -> u64 {
    let read = journal.store.read().expect("read");
    read.open_table(REMOVED_RUNS).expect("table").len().expect("a length")
}

async fn end_at(journal: &Journal, n: u64, time: SystemTime) {
    journal.append_run(&run_id(n), 1, vec![b"end".to_vec()], ended("ended"), time).await.expect("it ends");
}

async fn remove(journal: &Journal, before: SystemTime, limit: usize) -> usize {
    let removed = journal.remove_runs(before, limit).await.expect("removal");
    check_tables(journal);
    assert_eq!(half_removed(journal), 0, "nothing is left half removed");
    removed
}

fn is_there(journal: &Journal, n: u64) -> bool {
    match journal.run_events(&run_id(n), 0, 10) {
        Ok(_) => true,
        Err(JournalError::NoRun(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn old_runs_that_ended_are_removed_the_oldest_first() {
    let journal = in_memory();
    for n in 1..=4 {
        create(&journal, new_run(n)).await;
    }
    end_at(&journal, 1, start() + Duration::from_secs(3)).await;
    end_at(&journal, 2, start() + Duration::from_secs(1)).await;
    end_at(&journal, 3, start() + Duration::from_secs(2)).await;
    assert_eq!(remove(&journal, start() + Duration::from_secs(1), 10).await, 0, "as old is not older");
    assert_eq!(remove(&journal, later(), 0).await, 0);
    assert_eq!(remove(&journal, later(), 1).await, 1);
    assert!(!is_there(&journal, 2));
    assert_eq!(remove(&journal, start() + Duration::from_secs(3), 10).await, 1);
    assert!(!is_there(&journal, 3));
    assert_eq!(remove(&journal, later(), 10).await, 1);
    assert_eq!(remove(&journal, later(), 10).await, 0, "run 4 is open");
    assert_eq!(events(&journal, 4), [b"created"]);
    assert_eq!(events_of_all(&journal), 1);
    assert_eq!(journal.run_summary(&run_id(1)).expect("read"), None);
    assert_eq!(journal.runs(None, 10, &mut |_, _| true).expect("a list").len(), 1);
    let late = journal.append_run(&run_id(1), 2, vec![], open(""), start()).await;
    assert!(matches!(late, Err(JournalError::NoRun(_))));
}

#[tokio::test]
async fn what_happens_late_in_a_run_keeps_it() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    end_at(&journal, 1, start()).await;
    let late = journal.append_run(&run_id(1), 2, vec![b"note".to_vec()], ended(""), later()).await;
    assert_eq!(late.expect("it is appended"), 3);
    assert_eq!(remove(&journal, later(), 10).await, 0);
    append(&journal, 1, 3, &[], open("it goes on")).await;
    assert_eq!(remove(&journal, later() + Duration::from_secs(1), 10).await, 0);
    append(&journal, 1, 3, &[], ended("a summary is no event")).await;
    assert_eq!(remove(&journal, later() + Duration::from_secs(1), 10).await, 1);
}

#[tokio::test]
async fn a_team_stays_while_a_run_has_it() {
    let journal = in_memory();
    let own = NewRun { team: (Digest::of(b"own"), b"own team".to_vec()), ..new_run(3) };
    create(&journal, new_run(1)).await;
    create(&journal, new_run(2)).await;
    create(&journal, own).await;
    let teams = || {
        let team = |name: &[u8]| journal.team(&Digest::of(name)).expect("read").is_some();
        (team(b"team"), team(b"own"))
    };
    end_at(&journal, 1, start()).await;
    end_at(&journal, 3, start()).await;
    assert_eq!(remove(&journal, later(), 10).await, 2);
    assert_eq!(teams(), (true, false));
    end_at(&journal, 2, start()).await;
    assert_eq!(remove(&journal, later(), 10).await, 1);
    assert_eq!(teams(), (false, false));
    create(&journal, new_run(4)).await;
    assert_eq!(teams(), (true, false), "it is stored again");
}

#[tokio::test]
async fn a_key_is_free_when_its_run_is_gone() {
    let journal = in_memory();
    create(&journal, with_key(1, "k")).await;
    end_at(&journal, 1, start()).await;
    assert_eq!(journal.create_run(with_key(2, "k"), later()).await.expect("an answer"), Created::Existing(run_id(1)));
    assert_eq!(remove(&journal, later(), 10).await, 1);
    create(&journal, with_key(2, "k")).await;
    assert_eq!(events(&journal, 2).len(), 1);
}

#[tokio::test]
async fn long_runs_go_in_many_transactions() {
    let journal = in_memory();
    let write_long = |tables: &mut Tables<'_>| {
        for n in 1..=2 {
            change::create(tables, &new_run(n), 0, u64::MAX)?.expect("it is created");
            for after in 1..512 {
                let append = Append { id: run_id(n), after, events: Arc::from([vec![]]), summary: ended(""), now: 0 };
                change::append(tables, &append, u64::MAX)?.expect("it is appended");
            }
        }
        Ok(())
    };
    write(&journal, write_long).await;
    create(&journal, new_run(3)).await;
    let before = journal.commits();
    assert_eq!(remove(&journal, later(), 2).await, 2);
    assert!(journal.commits() - before >= 4, "{} commits", journal.commits() - before);
    assert_eq!(events_of_all(&journal), 1);
}

#[tokio::test]
async fn a_removal_that_was_cut_off_goes_on_with_the_next() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    let take_away = |tables: &mut Tables<'_>| {
        // What the first transaction of a removal leaves of a long run.
        tables.runs.remove(run_id(1).as_str())?;
        tables.open_runs.remove(run_id(1).as_str())?;
        tables.team_uses.remove(Digest::of(b"team").as_bytes())?;
        tables.teams.remove(Digest::of(b"team").as_bytes())?;
        tables.removed_runs.insert(run_id(1).as_str(), ())?;
        Ok(())
    };
    write(&journal, take_away).await;
    check_tables(&journal);
    let again = journal.create_run(new_run(1), start()).await;
    assert!(matches!(again, Err(JournalError::RunExists(_))), "its old events would be the new run's");
    assert_eq!(remove(&journal, start(), 0).await, 0);
    assert_eq!(events_of_all(&journal), 0);
    create(&journal, new_run(1)).await;
}
