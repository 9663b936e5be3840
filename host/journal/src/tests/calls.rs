use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bailiwick_domain::digest::Digest;

use super::{reopen, scratch};
use crate::calls::{MAX_NAME_BYTES, MAX_RECORD_BYTES, RETENTION};
use crate::{Begin, Call, Journal, JournalError, OnInterrupted};

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

async fn begin(journal: &Journal, key: &str) -> Begin {
    begin_at(journal, key, start()).await
}

async fn begin_at(journal: &Journal, key: &str, now: SystemTime) -> Begin {
    let begun = journal.begin_call("scope", key, Digest::of(b"request"), now, OnInterrupted::Report).await;
    begun.expect("the journal works")
}

fn new(begin: Begin) -> Call {
    match begin {
        Begin::New(call) => call,
        other => panic!("expected a new call, found {other:?}"),
    }
}

#[tokio::test]
async fn a_call_begins_once_and_its_record_stays() {
    let (folder, journal) = scratch();
    let call = new(begin(&journal, "k").await);
    assert!(matches!(begin(&journal, "k").await, Begin::InProgress));
    journal.finish_call(call, b"answer".to_vec()).await.expect("finish");
    assert!(matches!(begin(&journal, "k").await, Begin::Done(record) if record == b"answer"));
    let journal = reopen(&folder, journal);
    assert!(matches!(begin(&journal, "k").await, Begin::Done(record) if record == b"answer"));
}

#[tokio::test]
async fn a_key_belongs_to_one_request_and_one_scope() {
    let (_folder, journal) = scratch();
    let call = new(begin(&journal, "k").await);
    let other = Digest::of(b"another request");
    let again = async |scope, request| journal.begin_call(scope, "k", request, start(), OnInterrupted::Rerun).await;
    assert!(matches!(again("scope", other).await, Ok(Begin::Mismatch)));
    assert!(matches!(again("elsewhere", other).await, Ok(Begin::New(_))));
    journal.finish_call(call, vec![]).await.expect("finish");
    assert!(matches!(again("scope", other).await, Ok(Begin::Mismatch)));
}

#[tokio::test]
async fn an_abandoned_key_may_be_used_again() {
    let (_folder, journal) = scratch();
    let call = new(begin(&journal, "k").await);
    journal.abandon_call(call).await.expect("abandon");
    let call = new(begin(&journal, "k").await);
    assert!(matches!(begin(&journal, "k").await, Begin::InProgress));
    drop(call);
}

#[tokio::test]
async fn an_abandoned_call_does_not_release_its_successor() {
    let (_folder, journal) = scratch();
    let first = new(begin(&journal, "k").await);
    // Both are queued before either is answered, so that the second begins
    // while the guard of the first still lives.
    let (abandoned, second) = tokio::join!(journal.abandon_call(first), begin(&journal, "k"));
    abandoned.expect("abandon");
    let second = new(second);
    assert!(matches!(begin(&journal, "k").await, Begin::InProgress));
    drop(second);
}

#[tokio::test]
async fn a_dropped_call_is_interrupted_and_may_be_claimed_by_one() {
    let (_folder, journal) = scratch();
    drop(new(begin(&journal, "k").await));
    assert!(matches!(begin(&journal, "k").await, Begin::Interrupted));
    assert!(matches!(begin(&journal, "k").await, Begin::Interrupted), "a look changes nothing");
    let rerun = || journal.begin_call("scope", "k", Digest::of(b"request"), start(), OnInterrupted::Rerun);
    let (one, two) = tokio::join!(rerun(), rerun());
    let call = new(one.expect("journal"));
    assert!(matches!(two, Ok(Begin::InProgress)));
    journal.finish_call(call, b"second time".to_vec()).await.expect("finish");
    assert!(matches!(begin(&journal, "k").await, Begin::Done(_)));
}

#[tokio::test]
async fn what_a_dead_process_began_is_interrupted() {
    let (folder, journal) = scratch();
    let call = new(begin(&journal, "k").await);
    // A copy of the files is what a killed process leaves.
    for kind in ["redb", "wal"] {
        let file = |name: &str| folder.path().join(format!("{name}.{kind}"));
        std::fs::copy(file("journal"), file("copy")).expect("copy");
    }
    drop(call);
    let journal = Journal::open(&folder.path().join("copy.redb")).expect("it opens after repair");
    assert!(matches!(begin(&journal, "k").await, Begin::Interrupted));
}

#[tokio::test]
async fn a_caller_that_goes_away_while_it_begins_leaves_nothing_stuck() {
    let (_folder, journal) = scratch();
    {
        let begin = std::pin::pin!(begin(&journal, "k"));
        assert!(poll_once(begin).await, "the operation is queued, the answer is not there");
    }
    // In the first one's own transaction a second sees it under way; afterwards nobody does.
    assert!(matches!(begin(&journal, "k").await, Begin::Interrupted | Begin::InProgress));
    assert!(matches!(begin(&journal, "k").await, Begin::Interrupted));
}

/// Polls once; whether the future is pending.
async fn poll_once(mut future: std::pin::Pin<&mut impl Future>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn records_are_kept_for_a_day() {
    let (_folder, journal) = scratch();
    let call = new(begin(&journal, "k").await);
    journal.finish_call(call, b"old".to_vec()).await.expect("finish");
    let almost = start() + RETENTION - Duration::from_millis(1);
    assert!(matches!(begin_at(&journal, "k", almost).await, Begin::Done(_)));
    assert!(matches!(begin_at(&journal, "k", start() - RETENTION).await, Begin::Done(_)), "a clock set back");
    drop(new(begin_at(&journal, "k", start() + RETENTION).await));
}

#[tokio::test]
async fn old_records_are_removed_a_few_at_a_time() {
    use redb::ReadableTableMetadata;
    let (_folder, journal) = scratch();
    let kept = new(begin(&journal, "under way").await);
    let calls = (0..40).map(|n| {
        let journal = Arc::clone(&journal);
        async move { drop(new(begin(&journal, &n.to_string()).await)) }
    });
    for call in calls {
        call.await;
    }
    let rows = || {
        let read = journal.store.read().expect("read");
        let calls = read.open_table(crate::tables::CALLS).expect("table").len().expect("length");
        let ages = read.open_table(crate::tables::CALLS_BY_AGE).expect("table").len().expect("length");
        assert_eq!(calls, ages);
        calls
    };
    assert_eq!(rows(), 41);
    let later = start() + RETENTION;
    drop(new(begin_at(&journal, "later 1", later).await));
    assert!((20..41).contains(&rows()), "{} rows", rows());
    for n in 2..6 {
        drop(new(begin_at(&journal, &format!("later {n}"), later).await));
    }
    assert_eq!(rows(), 1 + 5, "the call under way and the new ones");
    assert!(matches!(begin_at(&journal, "under way", later).await, Begin::InProgress));
    journal.finish_call(kept, vec![]).await.expect("finish");
}

#[tokio::test]
async fn long_names_and_records_are_refused() {
    let (_folder, journal) = scratch();
    let long = "x".repeat(MAX_NAME_BYTES + 1);
    let begin_as =
        async |scope, key| journal.begin_call(scope, key, Digest::of(b""), start(), OnInterrupted::Report).await;
    assert!(matches!(begin_as(&long, "k").await, Err(JournalError::TooLong { what: "scope", .. })));
    assert!(matches!(begin_as("s", &long).await, Err(JournalError::TooLong { what: "idempotency key", .. })));
    let call = new(begin_as("s", "k").await.expect("journal"));
    let finished = journal.finish_call(call, vec![0; MAX_RECORD_BYTES + 1]).await;
    assert!(matches!(finished, Err(JournalError::TooLong { what: "record", .. })));
    assert!(matches!(begin_as("s", "k").await, Ok(Begin::Interrupted)));
}
