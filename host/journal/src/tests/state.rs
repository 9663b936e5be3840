use std::thread;

use bailiwick_domain::state::{StateError, StateStore};

use super::{id, reopen, scratch};
use crate::state::{MAX_KEY_BYTES, MAX_NAMESPACE_BYTES, MAX_NAMESPACE_KEYS, MAX_VALUE_BYTES, put};
use crate::tables::{STATE_SIZE, Tables};
use redb::ReadableDatabase;

#[test]
fn values_survive_and_skills_are_apart() {
    let (folder, journal) = scratch();
    let (one, other) = (id("a/one"), id("a/one-more"));
    journal.set(&one, "key", b"1").expect("set");
    journal.set(&other, "key", b"2").expect("set");
    journal.set(&one, "", b"empty keys are keys").expect("set");
    journal.delete(&other, "absent").expect("no error");
    let journal = reopen(&folder, journal);
    assert_eq!(journal.get(&one, "key"), Ok(Some(b"1".to_vec())));
    assert_eq!(journal.get(&other, "key"), Ok(Some(b"2".to_vec())));
    assert_eq!(journal.get(&other, ""), Ok(None));
    journal.delete(&one, "key").expect("delete");
    assert_eq!(journal.get(&one, "key"), Ok(None));
    assert_eq!(journal.get(&other, "key"), Ok(Some(b"2".to_vec())));
}

#[test]
fn keys_come_in_order_and_in_pages() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    journal.set(&id("a/a"), "z", b"").expect("set");
    journal.set(&id("a/c"), "a", b"").expect("set");
    for key in ["c", "a", "b", ""] {
        journal.set(&skill, key, b"").expect("set");
    }
    let keys = |after, limit| journal.keys(&skill, after, limit).expect("keys");
    assert_eq!(keys(None, 10), ["", "a", "b", "c"]);
    assert_eq!(keys(None, 2), ["", "a"]);
    assert_eq!(keys(Some("a"), 2), ["b", "c"]);
    assert_eq!(keys(Some("aa"), 1), ["b"]);
    assert!(keys(Some("c"), 10).is_empty());
    assert!(keys(None, 0).is_empty());
}

#[test]
fn long_keys_and_values_are_refused() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    let key = "k".repeat(MAX_KEY_BYTES);
    assert_eq!(journal.set(&skill, &key, &vec![0; MAX_VALUE_BYTES]), Ok(()));
    let quota = |result: Result<(), StateError>| assert!(matches!(result, Err(StateError::Quota(_))), "{result:?}");
    quota(journal.set(&skill, &format!("{key}k"), b""));
    quota(journal.set(&skill, "k", &vec![0; MAX_VALUE_BYTES + 1]));
    quota(journal.increment(&skill, &format!("{key}k"), 1).map(drop));
    quota(journal.get(&skill, &format!("{key}k")).map(drop));
    quota(journal.delete(&skill, &format!("{key}k")));
}

#[tokio::test]
async fn a_namespace_holds_so_many_keys() {
    let (_folder, journal) = scratch();
    let fill = |tables: &mut Tables<'_>| {
        for n in 0..MAX_NAMESPACE_KEYS {
            put(tables, "a/b", &n.to_string(), b"")?.expect("within the quota");
        }
        Ok(())
    };
    journal.writer.submit(0, fill).await.expect("commit");
    let skill = id("a/b");
    assert!(matches!(journal.set(&skill, "new", b""), Err(StateError::Quota(_))));
    assert!(matches!(journal.increment(&skill, "new", 1), Err(StateError::Quota(_))));
    assert_eq!(journal.set(&skill, "7", b"an old key may change"), Ok(()));
    assert_eq!(journal.set(&id("a/c"), "new", b""), Ok(()), "another skill has room");
    journal.delete(&skill, "8").expect("delete");
    assert_eq!(journal.set(&skill, "new", b""), Ok(()));
}

#[tokio::test]
async fn a_namespace_holds_so_many_bytes() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    let piece = MAX_VALUE_BYTES - 2;
    let pieces = MAX_NAMESPACE_BYTES / (MAX_VALUE_BYTES as u64);
    let fill = move |tables: &mut Tables<'_>| {
        for n in 0..pieces {
            put(tables, "a/b", &format!("{n:02}"), &vec![1; piece])?.expect("within the quota");
        }
        Ok(())
    };
    journal.writer.submit(0, fill).await.expect("commit");
    assert!(matches!(journal.set(&skill, "x", b""), Err(StateError::Quota(_))), "one byte too many");
    assert_eq!(journal.set(&skill, "00", &vec![2; piece]), Ok(()), "as large as before");
    journal.set(&skill, "00", b"").expect("smaller");
    assert!(matches!(journal.set(&skill, "x", &vec![3; piece]), Err(StateError::Quota(_))), "the key counts too");
    assert_eq!(journal.set(&skill, "x", &vec![3; piece - 1]), Ok(()), "the room is exact");
    assert!(matches!(journal.set(&skill, "00", b"1"), Err(StateError::Quota(_))));
}

#[test]
fn the_size_of_a_namespace_is_exact() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    journal.set(&skill, "key", b"12345").expect("set");
    journal.set(&skill, "key", b"1").expect("set");
    journal.set(&skill, "second", b"").expect("set");
    journal.increment(&skill, "n", 12).expect("increment");
    journal.delete(&skill, "second").expect("delete");
    let size = || {
        let table = journal.database.begin_read().expect("read").open_table(STATE_SIZE).expect("table");
        table.get("a/b").expect("read").map(|size| size.value())
    };
    assert_eq!(size(), Some((2, 4 + 3)));
    journal.delete(&skill, "key").expect("delete");
    journal.delete(&skill, "n").expect("delete");
    assert_eq!(size(), None);
}

#[test]
fn counting_is_one_step_for_64_threads() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..5 {
                    journal.increment(&skill, "n", 2).expect("increment");
                }
            });
        }
    });
    assert_eq!(journal.get(&skill, "n"), Ok(Some(b"640".to_vec())));
}

#[test]
fn counting_past_the_end_or_from_text_is_an_error() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    journal.set(&skill, "n", u64::MAX.to_string().as_bytes()).expect("set");
    assert!(matches!(journal.increment(&skill, "n", 1), Err(StateError::Invalid(_))));
    assert_eq!(journal.increment(&skill, "n", 0), Ok(u64::MAX));
    for text in ["", "+1", "-1", "1.5", "99999999999999999999", "é"] {
        journal.set(&skill, "text", text.as_bytes()).expect("set");
        assert!(matches!(journal.increment(&skill, "text", 1), Err(StateError::Invalid(_))), "{text}");
        assert_eq!(journal.get(&skill, "text"), Ok(Some(text.as_bytes().to_vec())));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_caller_on_a_runtime_waits_and_does_not_panic() {
    let (_folder, journal) = scratch();
    // More operations than a task's budget, after which tokio's own futures
    // would answer `pending` until the task yields.
    for n in 0..300 {
        journal.set(&id("a/b"), &n.to_string(), b"").expect("set");
    }
    assert_eq!(journal.keys(&id("a/b"), None, 1000).expect("keys").len(), 300);
}
