//! Logs that a disk or a mistake has damaged.

use std::collections::BTreeMap;

use super::{append, check_tables, create, ended, events, in_memory, new_run, open, run_id, start, write};
use crate::runs::log::Checksum;
use crate::runs::segment::{self, Segment};
use crate::runs::{MAX_CUTS, RunLog, change};
use crate::tables::{Applied, CUT_EVENTS, RUN_SEGMENTS, Tables};
use crate::{Damage, Journal, JournalError};

/// The checksum and the bytes of an event.
type Row = (Checksum, Vec<u8>);

/// A journal whose run 1 has three events, each in a segment of its own.
async fn three() -> std::sync::Arc<Journal> {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    append(&journal, 1, 1, &[b"second"], open("two")).await;
    append(&journal, 1, 2, &[b"the third"], open("three")).await;
    journal
}

/// The same, of which the second and the third are one segment.
async fn two_together() -> std::sync::Arc<Journal> {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    append(&journal, 1, 1, &[b"second", b"the third"], open("three")).await;
    journal
}

/// The events of run 1 in the segment with the event `number`, by their numbers.
fn segment(tables: &mut Tables<'_>, id: &str, number: u64) -> Applied<BTreeMap<u64, Row>> {
    let (first, row) = segment::at(tables.run_segments.read()?, id, number)?.expect("the segment");
    let stored = segment::events(row.value()).map(|stored| (stored.checksum, stored.event.to_vec()));
    Ok((first..=u64::MAX).zip(stored).collect())
}

/// Writes that segment again, with what `change` makes of its events, from `first` on.
fn rewrite(tables: &mut Tables<'_>, number: u64, change: impl FnOnce(&mut BTreeMap<u64, Row>)) -> Applied<()> {
    let id = run_id(1);
    let mut events = segment(tables, &id, number)?;
    let first = *events.first_key_value().expect("an event").0;
    change(&mut events);
    let mut segment = Segment::new(first, 0, 0);
    for (checksum, event) in events.values() {
        segment.push(checksum, event);
    }
    match segment.row() {
        Some((first, row)) => tables.run_segments.insert((id.as_str(), first), row.as_slice()),
        None => tables.run_segments.remove((id.as_str(), first)),
    }
}

async fn row(journal: &Journal, number: u64) -> Row {
    let work = move |tables: &mut Tables<'_>| Ok(segment(tables, &run_id(1), number)?.remove(&number));
    write(journal, work).await.expect("the event")
}

async fn put(journal: &Journal, number: u64, row: Row) {
    let change = move |events: &mut BTreeMap<u64, Row>| drop(events.insert(number, row).expect("the event"));
    write(journal, move |tables: &mut Tables<'_>| rewrite(tables, number, change)).await;
}

async fn remove(journal: &Journal, number: u64) {
    let change = move |events: &mut BTreeMap<u64, Row>| drop(events.remove(&number).expect("the event"));
    write(journal, move |tables: &mut Tables<'_>| rewrite(tables, number, change)).await;
}

/// Changes what the row of the run says of its end.
async fn change_head(journal: &Journal, change: impl FnOnce(&mut change::Head) + Send + 'static) {
    let work = move |tables: &mut Tables<'_>| {
        let mut head = change::head(tables, &run_id(1))?.expect("the run");
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
    let copy = |tables: &mut Tables<'_>| Ok(segment(tables, &run_id(2), 1)?.remove(&1));
    let other = write(&journal, copy).await.expect("the event");
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

#[tokio::test]
async fn a_flipped_byte_is_found_wherever_it_is_in_a_segment() {
    let journal = two_together().await;
    let read = |journal: &Journal| {
        let segments = journal.store.read().expect("read").open_table(RUN_SEGMENTS).expect("table");
        let row = segments.get((run_id(1).as_str(), 2)).expect("read").expect("the segment");
        row.value().to_vec()
    };
    let sound = read(&journal);
    let third = sound.len() - (16 + 4 + b"the third".len());
    for position in 0..sound.len() {
        for bit in 0..8 {
            let mut flipped = sound.clone();
            flipped[position] ^= 1 << bit;
            let flip =
                move |tables: &mut Tables<'_>| tables.run_segments.insert((run_id(1).as_str(), 2), flipped.as_slice());
            write(&journal, flip).await;
            let log = log(&journal, 0);
            let damage = log.damage.unwrap_or_else(|| panic!("byte {position}, bit {bit} is not found"));
            // The first four bytes say how many events there are.
            match position {
                0..4 => assert!((2..=4).contains(&damage.at)),
                _ if position < third => assert_eq!(damage, Damage { at: 2, torn: false }),
                _ => assert_eq!(damage, Damage { at: 3, torn: true }),
            }
            let believed: Vec<&[u8]> = log.events.iter().map(|(_, event)| event.as_slice()).collect();
            let all: [&[u8]; 3] = [b"created", b"second", b"the third"];
            assert_eq!(believed, all[..believed.len()], "byte {position}, bit {bit}");
            assert_eq!(believed.len() as u64, damage.at - 1);
            if !damage.torn {
                is_not_cut(&journal, damage.at).await;
            }
        }
    }
    let mend = move |tables: &mut Tables<'_>| tables.run_segments.insert((run_id(1).as_str(), 2), sound.as_slice());
    write(&journal, mend).await;
    assert_eq!(events(&journal, 1).len(), 3, "whole again");
}

#[tokio::test]
async fn a_segment_of_any_length_is_read_as_far_as_it_can_be_believed() {
    let journal = two_together().await;
    let work = |tables: &mut Tables<'_>| {
        let (_, row) = segment::at(tables.run_segments.read()?, &run_id(1), 2)?.expect("the segment");
        Ok(row.value().to_vec())
    };
    let sound = write(&journal, work).await;
    let third = sound.len() - (16 + 4 + b"the third".len());
    for length in 0..sound.len() {
        let cut = sound[..length].to_vec();
        let shorten =
            move |tables: &mut Tables<'_>| tables.run_segments.insert((run_id(1).as_str(), 2), cut.as_slice());
        write(&journal, shorten).await;
        let damage = log(&journal, 0).damage.expect("it is found");
        assert_eq!(damage, Damage { at: if length < third { 2 } else { 3 }, torn: length >= third }, "{length} bytes");
    }
}

#[tokio::test]
async fn the_last_event_of_a_segment_is_cut_and_the_others_stay() {
    let journal = two_together().await;
    let (checksum, _) = row(&journal, 3).await;
    put(&journal, 3, (checksum, b"the".to_vec())).await;
    journal.cut_run(&run_id(1), 3).await.expect("it is cut");
    assert_eq!(events(&journal, 1), [b"created".as_slice(), b"second"]);
    let cuts = journal.store.read().expect("read").open_table(CUT_EVENTS).expect("table");
    let kept = cuts.get((run_id(1).as_str(), 1)).expect("read").expect("the cut event");
    assert_eq!(kept.value(), (3, &checksum, b"the".as_slice()));
    assert_eq!(append(&journal, 1, 2, &[b"another", b"and one"], open("")).await, 4);
    assert_eq!(events(&journal, 1).len(), 4);
}

#[tokio::test]
async fn a_segment_that_says_it_has_more_or_fewer_events_costs_no_other_event() {
    let segment = |first: u64| {
        move |tables: &mut Tables<'_>| {
            let (found, row) = segment::at(tables.run_segments.read()?, &run_id(1), first)?.expect("the segment");
            assert_eq!(found, first);
            Ok(row.value().to_vec())
        }
    };
    let put = |first: u64, bytes: Vec<u8>| {
        move |tables: &mut Tables<'_>| tables.run_segments.insert((run_id(1).as_str(), first), bytes.as_slice())
    };
    let journal = three().await;
    for first in [1, 2] {
        let sound = write(&journal, segment(first)).await;
        for count in [0, 2, 3, 4, u8::MAX] {
            let mut changed = sound.clone();
            changed[0] = count;
            write(&journal, put(first, changed)).await;
            let damage = log(&journal, 0).damage.expect("it is found");
            assert!(!damage.torn && damage.at <= 3, "segment {first} with {count} events: {damage:?}");
            is_not_cut(&journal, damage.at).await;
            is_not_cut(&journal, 3).await;
        }
        write(&journal, put(first, sound)).await;
    }
    assert_eq!(events(&journal, 1).len(), 3, "whole again");
}

#[tokio::test]
async fn all_that_is_cut_is_kept() {
    for (change, event) in [
        // It says that it has no event, one of another length, and it is too short for a number.
        (Box::new(|row: &mut Vec<u8>| row[0] = 0) as Box<dyn Fn(&mut Vec<u8>)>, None),
        (Box::new(|row: &mut Vec<u8>| row.extend(b"!!")), Some(b"\x09\0\0\0the third!!".as_slice())),
        (Box::new(|row: &mut Vec<u8>| row.truncate(3)), None),
    ] {
        let journal = three().await;
        let read = |tables: &mut Tables<'_>| {
            let (_, row) = segment::at(tables.run_segments.read()?, &run_id(1), 3)?.expect("the segment");
            Ok(row.value().to_vec())
        };
        let mut row = write(&journal, read).await;
        change(&mut row);
        let torn = row.clone();
        let tear = move |tables: &mut Tables<'_>| tables.run_segments.insert((run_id(1).as_str(), 3), torn.as_slice());
        write(&journal, tear).await;
        check_damage(&journal, 3, true);
        journal.cut_run(&run_id(1), 3).await.expect("it is cut");
        assert_eq!(events(&journal, 1), [b"created".as_slice(), b"second"]);
        let cuts = journal.store.read().expect("read").open_table(CUT_EVENTS).expect("table");
        let kept = cuts.get((run_id(1).as_str(), 1)).expect("read").expect("what was cut");
        assert_eq!(kept.value().2, event.unwrap_or(&row));
        assert_eq!(append(&journal, 1, 2, &[b"another"], open("")).await, 3);
        assert_eq!(events(&journal, 1).len(), 3);
    }
}
