use std::sync::Arc;
use std::thread;

use bailiwick_domain::quota::StateQuota;
use bailiwick_domain::state::{Numbers, StateError, StateStore};

use super::id;
use crate::Journal;
use crate::simulation::Disk;

fn journal_on(disk: &Disk) -> Arc<Journal> {
    Journal::on(disk).expect("opens")
}

/// Starts `count` callers and returns once all of them wait behind a sync that stalls.
fn queue_behind_a_stall<'scope, 'env>(
    scope: &'scope thread::Scope<'scope, 'env>,
    disk: &Disk,
    journal: &'env Journal,
    count: usize,
) -> Vec<thread::ScopedJoinHandle<'scope, Result<(), StateError>>> {
    disk.stall();
    let first = scope.spawn(|| journal.set(&id("a/b"), "first", b"", StateQuota::MOST));
    disk.wait_for_stall();
    let mut callers = vec![first];
    callers.extend(
        (0..count).map(|n| scope.spawn(move || journal.set(&id("a/b"), &n.to_string(), b"", StateQuota::MOST))),
    );
    while journal.writer.waiting() < count {
        thread::yield_now();
    }
    callers
}

#[test]
fn callers_that_wait_share_one_commit() {
    let disk = Disk::default();
    let journal = journal_on(&disk);
    thread::scope(|scope| {
        let callers = queue_behind_a_stall(scope, &disk, &journal, 64);
        disk.resume();
        for caller in callers {
            assert_eq!(caller.join().expect("no panic"), Ok(()));
        }
    });
    assert_eq!(journal.commits(), 2, "one for the first caller, one for the 64 that waited");
    assert_eq!(journal.keys(&id("a/b"), None, 100).expect("keys").len(), 65);
}

#[test]
fn a_failed_commit_reaches_everyone_who_waits() {
    let disk = Disk::default();
    let journal = journal_on(&disk);
    thread::scope(|scope| {
        let callers = queue_behind_a_stall(scope, &disk, &journal, 64);
        disk.fail_after(0);
        disk.resume();
        let failed = callers.into_iter().map(|caller| caller.join().expect("no panic")).filter(Result::is_err).count();
        assert!(failed >= 64, "{failed} of 65 callers were told");
    });
    assert_eq!(journal.commits(), 1, "the first had synced before the disk failed");
    assert!(
        matches!(journal.set(&id("a/b"), "later", b"", StateQuota::MOST), Err(StateError::Store(_))),
        "it takes no more writes"
    );
}

#[test]
fn what_changes_nothing_is_not_committed() {
    let disk = Disk::default();
    let journal = journal_on(&disk);
    journal.delete(&id("a/b"), "absent").expect("delete");
    assert!(journal.increment(&id("a/b"), &"k".repeat(2000), 1, Numbers::Unsigned, StateQuota::MOST).is_err());
    assert_eq!(journal.commits(), 0);
}

#[test]
fn closing_finishes_what_waits() {
    let disk = Disk::default();
    let journal = journal_on(&disk);
    for n in 0..50 {
        journal.set(&id("a/b"), &n.to_string(), b"", StateQuota::MOST).expect("set");
    }
    drop(journal);
    let journal = journal_on(&disk);
    assert_eq!(journal.keys(&id("a/b"), None, 100).expect("keys").len(), 50);
}
