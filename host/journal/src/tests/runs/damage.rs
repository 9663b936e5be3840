//! Logs that a disk or a mistake has damaged.

use super::{append, check_tables, create, ended, events, in_memory, new_run, open, run_id, start, write};
use crate::runs::log::Checksum;
use crate::runs::{MAX_CUTS, RunLog, change};
use crate::tables::{CUT_EVENTS, Tables};
use crate::{Damage, Journal, JournalError};

/// The checksum and the bytes of an event.
type Row = (Checksum, Vec<u8>);

/// A journal whose run 1 has three events.
async fn three() -> std::sync::Arc<Journal> {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    append(&journal, 1, 1, &[b"second", b"the third"], open("three")).await;
    journal
}

async fn row(journal: &Journal, number: u64) -> Row {
    let work = move |tables: &mut Tables<'_>| {
        let row = tables.run_events.get((run_id(1).as_str(), number))?.expect("the event");
        let (checksum, event) = row.value();
        Ok((*checksum, event.to_vec()))
    };
    write(journal, work).await
}

async fn put(journal: &Journal, number: u64, row: Row) {
    let work = move |tables: &mut Tables<'_>| {
        tables.run_events.insert((run_id(1).as_str(), number), (&row.0, row.1.as_slice()))?;
        Ok(())
    };
    write(journal, work).await;
}

async fn remove(journal: &Journal, number: u64) {
    let work = move |tables: &mut Tables<'_>| {
        tables.run_events.take((run_id(1).as_str(), number), |_| ())?.expect("the event was there");
        Ok(())
    };
    write(journal, work).await;
}

/// Changes what the row of the run says of its end.
async fn change_head(journal: &Journal, change: impl FnOnce(&mut change::Head) + Send + 'static) {
    let work = move |tables: &mut Tables<'_>| {
        let mut head = change::stored(tables.runs.read()?, &run_id(1))?.expect("the run");
        change(&mut head);
        change::put(tables, &run_id(1), &head, b"three")
    };
    write(journal, work).await;
}

fn log(journal: &Journal, after: u64) -> RunLog {
    journal.run_events(&run_id(1), after, usize::MAX).expect("the log")
}

/// Reads the whole log, of which only what comes before `at` may be believed.
fn check_damage(journal: &Journal, at: u64, torn: bool) {
    let log = log(journal, 0);
    assert_eq!(log.damage, Some(Damage { at, torn }));
    let numbers: Vec<u64> = log.events.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..at).collect::<Vec<_>>());
}

async fn is_not_cut(journal: &Journal, at: u64) {
    let before = log(journal, 0);
    let refused = journal.cut_run(&run_id(1), at).await;
    assert!(matches!(refused, Err(JournalError::NotTorn { at: found, .. }) if found == at), "{at}: {refused:?}");
    assert_eq!(log(journal, 0), before);
}

#[tokio::test]
async fn a_flipped_byte_is_found_wherever_it_is() {
    let journal = three().await;
    for number in 1..=3 {
        let sound = row(&journal, number).await;
        for position in 0..sound.0.len() + sound.1.len() {
            let mut flipped = sound.clone();
            match position.checked_sub(sound.0.len()) {
                None => flipped.0[position] ^= 1 << (position % 8),
                Some(position) => flipped.1[position] ^= 1 << (position % 8),
            }
            put(&journal, number, flipped).await;
            check_damage(&journal, number, number == 3);
        }
        put(&journal, number, sound).await;
    }
    assert_eq!(events(&journal, 1).len(), 3, "whole again");
}

#[tokio::test]
async fn a_shorter_or_longer_event_is_found() {
    let journal = three().await;
    let sound = row(&journal, 2).await;
    put(&journal, 2, (sound.0, sound.1[1..].to_vec())).await;
    check_damage(&journal, 2, false);
    put(&journal, 2, (sound.0, [sound.1.as_slice(), b"\0"].concat())).await;
    check_damage(&journal, 2, false);
}

#[tokio::test]
async fn swapped_events_are_found() {
    let journal = three().await;
    let (second, third) = (row(&journal, 2).await, row(&journal, 3).await);
    put(&journal, 2, third).await;
    put(&journal, 3, second).await;
    check_damage(&journal, 2, false);
}

#[tokio::test]
async fn an_event_of_another_run_is_found() {
    let journal = three().await;
    create(&journal, new_run(2)).await;
    let copy = |tables: &mut Tables<'_>| {
        let row = tables.run_events.get((run_id(2).as_str(), 1))?.expect("the event");
        Ok((*row.value().0, row.value().1.to_vec()))
    };
    let other: Row = write(&journal, copy).await;
    assert_eq!(other.1, row(&journal, 1).await.1, "the same bytes at the same place");
    put(&journal, 1, other).await;
    check_damage(&journal, 1, false);
}

#[tokio::test]
async fn a_missing_event_is_found_first_in_the_middle_and_last() {
    for missing in 1..=3 {
        let journal = three().await;
        remove(&journal, missing).await;
        check_damage(&journal, missing, missing == 3);
    }
    let journal = three().await;
    remove(&journal, 2).await;
    remove(&journal, 3).await;
    check_damage(&journal, 2, false);
    is_not_cut(&journal, 2).await;
    is_not_cut(&journal, 3).await;
}

#[tokio::test]
async fn a_read_from_the_middle_checks_too() {
    let journal = three().await;
    let (second, third) = (row(&journal, 2).await, row(&journal, 3).await);
    put(&journal, 3, (third.0, b"another".to_vec())).await;
    for after in 0..3 {
        assert_eq!(log(&journal, after).damage, Some(Damage { at: 3, torn: true }), "after {after}");
    }
    put(&journal, 3, third).await;
    assert_eq!(log(&journal, 2).damage, None);
    put(&journal, 2, ([9; 16], second.1)).await;
    assert_eq!(log(&journal, 2).damage, Some(Damage { at: 3, torn: true }), "it doesn't follow on the one before");
    is_not_cut(&journal, 3).await;
    remove(&journal, 2).await;
    assert_eq!(log(&journal, 2).damage, Some(Damage { at: 2, torn: false }));
}

#[tokio::test]
async fn an_end_that_the_row_of_the_run_denies_is_found() {
    let journal = three().await;
    let (checksum, _) = row(&journal, 3).await;
    change_head(&journal, |head| head.checksum[0] ^= 1).await;
    check_damage(&journal, 3, true);
    assert_eq!(log(&journal, 3).damage, Some(Damage { at: 3, torn: true }));
    change_head(&journal, move |head| (head.last, head.checksum) = (2, checksum)).await;
    check_damage(&journal, 2, false);
    let (second, _) = row(&journal, 2).await;
    change_head(&journal, move |head| head.checksum = second).await;
    check_damage(&journal, 3, true);
    change_head(&journal, move |head| (head.last, head.checksum) = (5, checksum)).await;
    check_damage(&journal, 4, false);
    change_head(&journal, |head| head.last = u64::MAX).await;
    check_damage(&journal, 4, false);
}

#[tokio::test]
async fn a_torn_last_event_is_cut_and_kept() {
    let journal = three().await;
    append(&journal, 1, 3, &[b"the end"], ended("ended")).await;
    let (checksum, mut event) = row(&journal, 4).await;
    event.truncate(3);
    put(&journal, 4, (checksum, event)).await;
    check_damage(&journal, 4, true);
    journal.cut_run(&run_id(1), 4).await.expect("it is cut");
    assert_eq!(events(&journal, 1).len(), 3);
    assert_eq!(journal.open_runs().expect("runs"), [run_id(1)], "its end may be what was cut");
    assert_eq!(journal.run_summary(&run_id(1)).expect("read"), Some(b"ended".to_vec()));
    let cuts = journal.store.read().expect("read").open_table(CUT_EVENTS).expect("table");
    let kept = cuts.get((run_id(1).as_str(), 1)).expect("read").expect("the cut event");
    assert_eq!(kept.value(), (4, &checksum, b"the".as_slice()));
    assert_eq!(append(&journal, 1, 3, &[b"the end again"], ended("")).await, 4);
    assert_eq!(events(&journal, 1).len(), 4);
    check_tables(&journal);
}

#[tokio::test]
async fn the_only_event_and_a_missing_last_one_may_be_cut() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    put(&journal, 1, ([0; 16], vec![])).await;
    journal.cut_run(&run_id(1), 1).await.expect("it is cut");
    assert!(events(&journal, 1).is_empty());
    assert_eq!(append(&journal, 1, 0, &[b"first", b"second"], open("")).await, 2);
    remove(&journal, 2).await;
    journal.cut_run(&run_id(1), 2).await.expect("it is cut");
    assert_eq!(events(&journal, 1), [b"first"]);
}

#[tokio::test]
async fn only_a_torn_last_event_is_cut() {
    let journal = three().await;
    for at in [0, 1, 2, 3, 4, 5, u64::MAX] {
        is_not_cut(&journal, at).await;
    }
    let sound = row(&journal, 2).await;
    put(&journal, 2, (sound.0, vec![])).await;
    for at in 0..5 {
        is_not_cut(&journal, at).await;
    }
    let absent = journal.cut_run(&run_id(2), 1).await;
    assert!(matches!(absent, Err(JournalError::NoRun(_))));
    assert!(matches!(journal.cut_run("2", 1).await, Err(JournalError::RunId)));
}

#[tokio::test]
async fn so_many_cuts_of_a_run_are_kept() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    for cut in 0..=MAX_CUTS {
        append(&journal, 1, 1, &[b"torn"], open("")).await;
        put(&journal, 2, ([0; 16], b"to".to_vec())).await;
        let cut_run = journal.cut_run(&run_id(1), 2).await;
        if cut < MAX_CUTS {
            cut_run.expect("it is cut");
        } else {
            assert!(matches!(cut_run, Err(JournalError::TooMany { what: "cuts of one run", .. })), "{cut_run:?}");
        }
    }
    check_damage(&journal, 2, true);
    append(&journal, 1, 2, &[], ended("")).await;
    assert_eq!(journal.remove_runs(start() + std::time::Duration::from_secs(1), 1).await.expect("removal"), 1);
    check_tables(&journal);
}
