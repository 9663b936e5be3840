//! Who writes: the thread, or who is alone.

use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use bailiwick_domain::state::StateStore as _;

use super::{id, scratch};
use crate::Journal;
use crate::tables::Tables;

/// Has so many commits be quick that the next one is expected to be.
fn prove(journal: &Journal) {
    // Each of them may be held up by what else the machine does.
    while !journal.store.is_quick() {
        journal.store.turn().commit(|tables| tables.state.insert(("a/b", "k"), b"".as_slice())).expect("commit");
    }
}

/// Whether an operation of so many bytes is done on the thread of the one who wants it.
async fn writes_himself(journal: &Journal, bytes: usize) -> bool {
    let own = thread::current().id();
    journal
        .writer
        .submit_alone(bytes, move |_: &mut Tables<'_>| Ok(thread::current().id() == own))
        .await
        .expect("commit")
}

/// Writes 32 KiB.
fn write(journal: &Journal, key: &str) {
    let value = vec![7; 32 << 10];
    journal.store.turn().commit(|tables| tables.state.insert(("a/b", key), value.as_slice())).expect("commit");
}

#[tokio::test]
async fn who_is_alone_writes_on_his_own_thread() {
    let (_folder, journal) = scratch();
    assert!(!writes_himself(&journal, 0).await, "nobody knows the disk yet");
    prove(&journal);
    assert!(writes_himself(&journal, 0).await);
}

#[tokio::test]
async fn where_somebody_writes_the_thread_is_next() {
    let (_folder, journal) = scratch();
    prove(&journal);
    let turn = journal.store.turn();
    let work = |_: &mut Tables<'_>| Ok(thread::current().name().map(str::to_owned));
    let mut waits = pin!(journal.writer.submit_alone(0, work));
    let mut context = Context::from_waker(Waker::noop());
    assert!(waits.as_mut().poll(&mut context).is_pending());
    drop(turn);
    assert_eq!(waits.await.expect("commit").as_deref(), Some("journal"));
}

#[tokio::test]
async fn what_is_large_is_left_to_the_thread() {
    let (_folder, journal) = scratch();
    prove(&journal);
    assert!(!writes_himself(&journal, (64 << 10) + 1).await);
    prove(&journal);
    assert!(writes_himself(&journal, 64 << 10).await);
}

#[tokio::test]
async fn after_a_stall_many_are_left_to_the_thread() {
    let (_folder, journal) = scratch();
    prove(&journal);
    let slow = |_: &mut Tables<'_>| {
        thread::sleep(Duration::from_millis(20));
        Ok(())
    };
    journal.writer.submit_alone(0, slow).await.expect("commit");
    for _ in 0..15 {
        journal.store.turn().commit(|tables| tables.state.insert(("a/b", "k"), b"".as_slice())).expect("commit");
        assert!(!writes_himself(&journal, 0).await);
    }
    prove(&journal);
    assert!(writes_himself(&journal, 0).await);
}

#[tokio::test]
async fn who_is_alone_never_waits_for_the_engine() {
    let (_folder, journal) = scratch();
    // The log has 4 MiB. When they are full, the engine makes itself durable.
    let is_left_to_the_thread = |key: String| {
        write(&journal, &key);
        prove(&journal);
        journal.store.quick_turn(0).is_none()
    };
    let left = (0..256).map(|key| is_left_to_the_thread(key.to_string()));
    let changes: Vec<bool> = left.collect::<Vec<_>>().chunk_by(|a, b| a == b).map(|same| same[0]).collect();
    assert_eq!(changes, [false, true, false, true, false], "the log has become full twice, and begun again");
}

#[tokio::test]
async fn what_writes_nothing_proves_nothing() {
    let (_folder, journal) = scratch();
    for _ in 0..100 {
        assert!(!writes_himself(&journal, 0).await);
    }
}

#[tokio::test]
async fn nobody_overtakes_what_the_thread_has_and_nobody_waits_for() {
    let (_folder, journal) = scratch();
    prove(&journal);
    let turn = journal.store.turn();
    let mut first = Box::pin(
        journal
            .writer
            .submit_alone(0, |tables: &mut Tables<'_>| tables.state.insert(("a/b", "k"), b"first".as_slice())),
    );
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    while journal.writer.waiting() > 0 {
        thread::yield_now();
    }
    // The thread has it, and whoever wanted it goes away.
    drop(first);
    let mut second = pin!(
        journal
            .writer
            .submit_alone(0, |tables: &mut Tables<'_>| { tables.state.insert(("a/b", "k"), b"second".as_slice()) })
    );
    drop(turn);
    second.as_mut().await.expect("commit");
    assert_eq!(journal.get(&id("a/b"), "k").expect("read").as_deref(), Some(b"second".as_slice()));
}

#[tokio::test]
async fn who_need_not_write_himself_has_the_thread_do_it() {
    let (_folder, journal) = scratch();
    prove(&journal);
    let own = thread::current().id();
    let work = move |_: &mut Tables<'_>| Ok(thread::current().id() == own);
    assert!(!journal.writer.submit(0, work).await.expect("commit"));
}

#[tokio::test]
async fn who_has_been_alone_for_a_while_waits_for_nobody() {
    let (_folder, journal) = scratch();
    let at_once = |journal: &Journal| {
        prove(journal);
        let mut operation = pin!(journal.writer.submit_alone(0, |_: &mut Tables<'_>| Ok(())));
        operation.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    };
    assert!((0..16).all(|_| !at_once(&journal)), "somebody else may come");
    assert!(at_once(&journal));
    let turn = journal.store.turn();
    let mut both = Box::pin(async { tokio::join!(writes_himself(&journal, 0), writes_himself(&journal, 0)) });
    assert!(both.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(turn);
    both.await;
    assert!(!at_once(&journal), "there may be others again");
}

#[tokio::test]
async fn those_who_are_ready_share_a_batch() {
    let (_folder, journal) = scratch();
    prove(&journal);
    let before = journal.commits();
    let put = |key: &'static str| {
        let work = move |tables: &mut Tables<'_>| tables.state.insert(("a/b", key), b"".as_slice());
        journal.writer.submit_alone(0, work)
    };
    let (first, second) = tokio::join!(put("first"), put("second"));
    first.and(second).expect("commits");
    assert!(journal.commits() - before <= 2, "at most one that the thread began before the other came");
    let (left, right) = tokio::join!(writes_himself(&journal, 0), writes_himself(&journal, 0));
    assert!(!left || !right, "the second is not alone");
}
