//! The audit chain, and documents that change with it.

use std::sync::Arc;

use bailiwick_domain::digest::Digest;

use super::{reopen, scratch};
use crate::audit::{MAX_BODY_BYTES, ORIGIN};
use crate::{Journal, JournalError, Link, Shelf, Undone};

async fn append(journal: &Journal, name: &str) -> Link {
    journal.append(format!("{{\"name\":\"{name}\"}}")).await.expect("it is appended")
}

#[tokio::test]
async fn each_record_holds_the_digest_of_the_one_before() {
    let (folder, journal) = scratch();
    assert_eq!(journal.head().expect("a head"), Link { seq: 0, hash: ORIGIN });
    let first = append(&journal, "a").await;
    let second = append(&journal, "b").await;
    assert_eq!((first.seq, second.seq), (1, 2));
    let journal = reopen(&folder, journal);
    let chain = journal.chain(0, 10).expect("the chain");
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[0].record, format!("{{\"seq\":1,\"prev\":\"{ORIGIN}\",\"name\":\"a\"}}"));
    assert_eq!(chain[1].record, format!("{{\"seq\":2,\"prev\":\"{}\",\"name\":\"b\"}}", first.hash));
    assert_eq!(chain[1].link.hash, Digest::of(chain[1].record.as_bytes()));
    assert_eq!(journal.head().expect("a head"), second);
    assert_eq!(journal.chain(1, 10).expect("the rest").len(), 1);
    assert_eq!(journal.record(2).expect("a record").map(|entry| entry.link), Some(second));
    assert!(journal.record(3).expect("no record").is_none());
}

#[tokio::test]
async fn many_writers_make_one_chain() {
    let (_folder, journal) = scratch();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move { append(&journal, &n.to_string()).await });
    }
    tasks.join_all().await;
    let chain = journal.chain(0, 1000).expect("the chain");
    assert_eq!(chain.len(), 200);
    let mut prev = ORIGIN;
    for (entry, seq) in chain.iter().zip(1..) {
        assert_eq!(entry.link.seq, seq);
        assert!(entry.record.contains(&prev.to_string()));
        prev = entry.link.hash;
    }
    assert!(journal.commits() < 200, "they share commits: {}", journal.commits());
}

#[tokio::test]
async fn a_batch_is_done_whole_or_not_at_all() {
    let (_folder, journal) = scratch();
    let done = journal.update(|batch| {
        batch.put(Shelf::Grants, "a", b"1".to_vec());
        batch.put(Shelf::Approvals, "a", b"2".to_vec());
        batch.append("{\"kind\":\"x\"}".to_owned());
        Ok::<_, Undone>(Ok::<_, ()>(7))
    });
    assert_eq!(done.await.expect("the journal writes"), Ok(7));
    let refused = journal.update(|batch| {
        assert_eq!(batch.get(Shelf::Grants, "a")?, Some(b"1".to_vec()));
        batch.remove(Shelf::Grants, "a");
        batch.append("{\"kind\":\"y\"}".to_owned());
        Ok::<_, Undone>(Err::<(), _>("no"))
    });
    assert_eq!(refused.await.expect("the journal answers"), Err("no"));
    let too_long = journal.update(|batch| {
        batch.remove(Shelf::Grants, "a");
        batch.append(format!("{{\"x\":\"{}\"}}", "x".repeat(MAX_BODY_BYTES)));
        Ok::<_, Undone>(Ok::<_, ()>(()))
    });
    assert!(matches!(too_long.await, Err(JournalError::TooLong { .. })));
    assert_eq!(journal.documents(Shelf::Grants).expect("documents"), [("a".to_owned(), b"1".to_vec())]);
    assert_eq!(journal.documents(Shelf::Approvals).expect("documents").len(), 1);
    assert_eq!(journal.head().expect("a head").seq, 1);
}
