//! Batches that share a transaction of the engine until somebody reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use bailiwick_domain::quota::StateQuota;
use bailiwick_domain::state::StateStore as _;
use redb::StorageError;

use super::id;
use crate::blocking::block_on;
use crate::simulation::Disk;
use crate::tables::{Applied, Tables};
use crate::{Journal, JournalError, audit};

fn set(journal: &Journal, key: &str) {
    journal.set(&id("a/b"), key, b"1", StateQuota::MOST).expect("set");
}

fn keys(journal: &Journal) -> Vec<String> {
    journal.keys(&id("a/b"), None, 1000).expect("keys")
}

fn try_to(
    journal: &Journal,
    work: impl FnOnce(&mut Tables<'_>) -> Applied<()> + Send + 'static,
) -> Result<(), JournalError> {
    block_on(journal.writer.submit(0, work))
}

/// A journal with a round of two batches that nobody has read.
fn with_a_round(disk: &Disk) -> Arc<Journal> {
    let journal = Journal::simulated(disk).expect("opens");
    set(&journal, "a");
    set(&journal, "b");
    journal
}

#[test]
fn an_operation_that_fails_takes_nothing_of_the_round_along() {
    let disk = Disk::new();
    let journal = with_a_round(&disk);
    let failed = try_to(&journal, |tables| {
        tables.state.insert(("a/b", "c"), b"1".as_slice())?;
        Err(StorageError::Corrupted("here".to_owned()))
    });
    assert!(matches!(failed, Err(JournalError::Commit(_))), "{failed:?}");
    set(&journal, "d");
    assert_eq!(keys(&journal), ["a", "b", "d"]);
    let journal = Journal::simulated(&disk.after_power_cut(|| false)).expect("opens");
    assert_eq!(keys(&journal), ["a", "b", "d"]);
}

#[test]
fn an_operation_that_fails_leaves_no_gap_in_the_audit_chain() {
    let journal = with_a_round(&Disk::new());
    let append = |journal: &Journal| try_to(journal, |tables| audit::append(tables, "{\"a\":1}").map(drop));
    append(&journal).expect("commits");
    let failed = try_to(&journal, |tables| {
        audit::append(tables, "{\"b\":1}")?;
        Err(StorageError::Corrupted("here".to_owned()))
    });
    assert!(matches!(failed, Err(JournalError::Commit(_))), "{failed:?}");
    append(&journal).expect("commits");
    let chain = journal.chain(0, 10).expect("the chain");
    append(&journal).expect("commits");
    let last = journal.chain(2, 10).expect("the chain");
    assert_eq!(chain.iter().chain(&last).map(|entry| entry.link.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(chain[1].record.contains(&chain[0].link.hash.to_string()));
    assert!(last[0].record.contains(&chain[1].link.hash.to_string()));
}

#[test]
fn after_a_panic_nothing_is_read_or_written_and_all_that_was_told_is_in_the_log() {
    let disk = Disk::new();
    let journal = with_a_round(&disk);
    catch_unwind(AssertUnwindSafe(|| try_to(&journal, |_| panic!("on purpose")))).expect_err("it panics");
    journal.keys(&id("a/b"), None, 10).expect_err("the round is gone");
    journal.set(&id("a/b"), "c", b"1", StateQuota::MOST).expect_err("nothing may follow on it");
    // A close must not say that the log is needed no more.
    drop(journal);
    let journal = Journal::simulated(&disk).expect("opens");
    assert_eq!(keys(&journal), ["a", "b"]);
}

#[test]
fn after_a_panic_nothing_is_written_also_where_readers_see_everything() {
    let disk = Disk::new();
    let journal = with_a_round(&disk);
    assert_eq!(keys(&journal), ["a", "b"]);
    catch_unwind(AssertUnwindSafe(|| try_to(&journal, |_| panic!("on purpose")))).expect_err("it panics");
    journal.set(&id("a/b"), "c", b"1", StateQuota::MOST).expect_err("nothing may follow on it");
    assert_eq!(keys(&journal), ["a", "b"]);
    drop(journal);
    let journal = Journal::simulated(&disk).expect("opens");
    assert_eq!(keys(&journal), ["a", "b"]);
}

#[test]
fn whoever_has_read_lately_does_not_wait_for_the_disk() {
    let disk = Disk::new();
    let journal = Journal::on(&disk).expect("opens");
    set(&journal, "a");
    assert_eq!(keys(&journal), ["a"]);
    set(&journal, "b");
    disk.stall();
    thread::scope(|scope| {
        let waits = scope.spawn(|| set(&journal, "c"));
        disk.wait_for_stall();
        assert_eq!(keys(&journal), ["a", "b"], "what is not durable is not seen");
        disk.resume();
        waits.join().expect("no panic");
    });
    assert_eq!(keys(&journal), ["a", "b", "c"]);
}

#[test]
fn whoever_has_not_waits_for_what_is_being_written_and_sees_it_too() {
    let disk = Disk::new();
    let journal = Journal::on(&disk).expect("opens");
    // After so many batches without a look nobody is expected to read.
    assert_eq!(keys(&journal).len(), 0);
    let names: Vec<String> = (0..70).map(|n| format!("{n:03}")).collect();
    for name in &names {
        set(&journal, name);
    }
    disk.stall();
    thread::scope(|scope| {
        let writes = scope.spawn(|| set(&journal, "last"));
        disk.wait_for_stall();
        let reads = scope.spawn(|| keys(&journal));
        disk.resume();
        let (seen, all) = (reads.join().expect("no panic"), names.len());
        assert_eq!(seen[..all], names);
        writes.join().expect("no panic");
    });
    assert_eq!(keys(&journal).len(), names.len() + 1);
}

#[test]
fn an_operation_that_looks_at_the_journal_on_the_side_is_refused() {
    let journal = with_a_round(&Disk::new());
    let (own, seen) = (Arc::clone(&journal), Arc::new(std::sync::OnceLock::new()));
    let told = Arc::clone(&seen);
    let looked = try_to(&journal, move |_| {
        let found = own.keys(&id("a/b"), None, 10).map_err(|error| error.to_string());
        told.set(found).map_err(|_| StorageError::Corrupted("twice".to_owned()))
    });
    looked.expect("the operation itself is none of the error's");
    let found = seen.get().expect("it has looked");
    assert!(found.as_ref().is_err_and(|error| error.contains("on the side")), "{found:?}");
    assert_eq!(keys(&journal), ["a", "b"]);
}

#[test]
fn a_round_ends_with_the_log_and_goes_on_behind_it() {
    let disk = Disk::new();
    let journal = Journal::simulated(&disk).expect("opens");
    // Some rounds of the log, without a look in between.
    let names: Vec<String> = (0..500).map(|n| format!("{n:03}")).collect();
    for name in &names {
        set(&journal, name);
    }
    let journal_after = Journal::simulated(&disk.after_power_cut(|| false)).expect("opens");
    assert_eq!(keys(&journal_after), names);
    assert_eq!(keys(&journal), names);
}
