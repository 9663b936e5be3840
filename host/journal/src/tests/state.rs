use std::thread;

use bailiwick_domain::quota::StateQuota;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::state::{Numbers, StateError, StateStore};

use super::{id, reopen, scratch};
use crate::Journal;
use crate::state::{MAX_KEY_BYTES, MAX_VALUE_BYTES, put};
use crate::tables::{STATE_SIZE, Tables};

const MOST: StateQuota = StateQuota::MOST;

fn set(journal: &Journal, skill: &SkillId, key: &str, value: &[u8]) -> Result<(), StateError> {
    journal.set(skill, key, value, MOST)
}

fn increment(journal: &Journal, skill: &SkillId, key: &str, delta: u64) -> Result<i128, StateError> {
    journal.increment(skill, key, delta.into(), Numbers::Unsigned, MOST)
}

#[test]
fn values_survive_and_skills_are_apart() {
    let (folder, journal) = scratch();
    let (one, other) = (id("a/one"), id("a/one-more"));
    set(&journal, &one, "key", b"1").expect("set");
    set(&journal, &other, "key", b"2").expect("set");
    set(&journal, &one, "", b"empty keys are keys").expect("set");
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
    set(&journal, &id("a/a"), "z", b"").expect("set");
    set(&journal, &id("a/c"), "a", b"").expect("set");
    for key in ["c", "a", "b", ""] {
        set(&journal, &skill, key, b"").expect("set");
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
    assert_eq!(set(&journal, &skill, &key, &vec![0; MAX_VALUE_BYTES]), Ok(()));
    let quota = |result: Result<(), StateError>| assert!(matches!(result, Err(StateError::Quota(_))), "{result:?}");
    quota(set(&journal, &skill, &format!("{key}k"), b""));
    quota(set(&journal, &skill, "k", &vec![0; MAX_VALUE_BYTES + 1]));
    quota(increment(&journal, &skill, &format!("{key}k"), 1).map(drop));
    quota(journal.get(&skill, &format!("{key}k")).map(drop));
    quota(journal.delete(&skill, &format!("{key}k")));
}

#[tokio::test]
async fn a_namespace_holds_so_many_keys() {
    let (_folder, journal) = scratch();
    let fill = |tables: &mut Tables<'_>| {
        for n in 0..MOST.max_keys {
            put(tables, "a/b", &n.to_string(), b"", MOST)?.expect("within the quota");
        }
        Ok(())
    };
    journal.writer.submit(0, fill).await.expect("commit");
    let skill = id("a/b");
    assert!(matches!(set(&journal, &skill, "new", b""), Err(StateError::Quota(_))));
    assert!(matches!(increment(&journal, &skill, "new", 1), Err(StateError::Quota(_))));
    assert_eq!(set(&journal, &skill, "7", b"an old key may change"), Ok(()));
    assert_eq!(set(&journal, &id("a/c"), "new", b""), Ok(()), "another skill has room");
    journal.delete(&skill, "8").expect("delete");
    assert_eq!(set(&journal, &skill, "new", b""), Ok(()));
}

#[tokio::test]
async fn a_namespace_holds_so_many_bytes() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    let piece = MAX_VALUE_BYTES - 2;
    let pieces = MOST.max_bytes / (MAX_VALUE_BYTES as u64);
    let fill = move |tables: &mut Tables<'_>| {
        for n in 0..pieces {
            put(tables, "a/b", &format!("{n:02}"), &vec![1; piece], MOST)?.expect("within the quota");
        }
        Ok(())
    };
    journal.writer.submit(0, fill).await.expect("commit");
    assert!(matches!(set(&journal, &skill, "x", b""), Err(StateError::Quota(_))), "one byte too many");
    assert_eq!(set(&journal, &skill, "00", &vec![2; piece]), Ok(()), "as large as before");
    set(&journal, &skill, "00", b"").expect("smaller");
    assert!(matches!(set(&journal, &skill, "x", &vec![3; piece]), Err(StateError::Quota(_))), "the key counts too");
    assert_eq!(set(&journal, &skill, "x", &vec![3; piece - 1]), Ok(()), "the room is exact");
    assert!(matches!(set(&journal, &skill, "00", b"1"), Err(StateError::Quota(_))));
}

#[test]
fn the_size_of_a_namespace_is_exact() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    set(&journal, &skill, "key", b"12345").expect("set");
    set(&journal, &skill, "key", b"1").expect("set");
    set(&journal, &skill, "second", b"").expect("set");
    increment(&journal, &skill, "n", 12).expect("increment");
    journal.delete(&skill, "second").expect("delete");
    let size = || {
        let table = journal.store.read().expect("read").open_table(STATE_SIZE).expect("table");
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
                    increment(&journal, &skill, "n", 2).expect("increment");
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
    set(&journal, &skill, "n", u64::MAX.to_string().as_bytes()).expect("set");
    assert!(matches!(increment(&journal, &skill, "n", 1), Err(StateError::Invalid(_))));
    assert_eq!(increment(&journal, &skill, "n", 0), Ok(i128::from(u64::MAX)));
    for text in ["", "+1", "-1", "1.5", "99999999999999999999", "é"] {
        set(&journal, &skill, "text", text.as_bytes()).expect("set");
        assert!(matches!(increment(&journal, &skill, "text", 1), Err(StateError::Invalid(_))), "{text}");
        assert_eq!(journal.get(&skill, "text"), Ok(Some(text.as_bytes().to_vec())));
    }
}

#[test]
fn signed_numbers_go_below_zero_and_have_their_own_ends() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    let add = |delta: i128| journal.increment(&skill, "n", delta, Numbers::Signed, MOST);
    assert_eq!(add(-3), Ok(-3));
    assert_eq!(journal.get(&skill, "n"), Ok(Some(b"-3".to_vec())));
    assert!(matches!(increment(&journal, &skill, "n", 5), Err(StateError::Invalid(_))), "-3 is no unsigned number");
    assert_eq!(add(3 + i128::from(i64::MAX)), Ok(i64::MAX.into()));
    assert!(matches!(add(1), Err(StateError::Invalid(_))));
}

#[test]
fn a_grants_quota_holds_and_one_that_was_cut_lets_state_shrink() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    let quota = StateQuota { max_bytes: 10, max_keys: 2 };
    let put = |key: &str, value: &[u8]| journal.set(&skill, key, value, quota);
    assert_eq!(put("a", b"1234"), Ok(()));
    assert_eq!(put("b", b"1234"), Ok(()));
    assert!(matches!(put("c", b""), Err(StateError::Quota(_))), "a third key");
    assert!(matches!(put("a", b"12345"), Err(StateError::Quota(_))), "an eleventh byte");
    let counted = journal.increment(&skill, "c", 1, Numbers::Unsigned, quota);
    assert!(matches!(counted, Err(StateError::Quota(_))));
    let swapped = journal.compare_and_swap(&skill, "a", Some(b"1234"), b"12345", quota);
    assert!(matches!(swapped, Err(StateError::Quota(_))));
    assert_eq!(journal.get(&skill, "a"), Ok(Some(b"1234".to_vec())));
    let less = StateQuota { max_bytes: 5, max_keys: 1 };
    assert_eq!(journal.set(&skill, "a", b"123", less), Ok(()), "smaller than before, if still too much");
    assert!(matches!(journal.set(&skill, "a", b"1234", less), Err(StateError::Quota(_))));
}

#[test]
fn a_swap_needs_exactly_what_is_there() {
    let (folder, journal) = scratch();
    let skill = id("a/b");
    let swap = |expected: Option<&[u8]>, value: &[u8]| journal.compare_and_swap(&skill, "k", expected, value, MOST);
    assert_eq!(swap(Some(b""), b"1"), Ok(false), "an absent key is not an empty value");
    assert_eq!(swap(None, b"1"), Ok(true));
    assert_eq!(swap(None, b"2"), Ok(false));
    assert_eq!(swap(Some(b"2"), b"3"), Ok(false));
    assert_eq!(swap(Some(b"1"), b"2"), Ok(true));
    assert!(matches!(swap(Some(b"2"), &vec![0; MAX_VALUE_BYTES + 1]), Err(StateError::Quota(_))));
    let journal = reopen(&folder, journal);
    assert_eq!(journal.get(&skill, "k"), Ok(Some(b"2".to_vec())));
}

#[test]
fn no_increment_by_swaps_is_lost() {
    let (_folder, journal) = scratch();
    let skill = id("a/b");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    loop {
                        let old = journal.get(&skill, "n").expect("get");
                        let text = old.as_deref().map_or("0", |bytes| std::str::from_utf8(bytes).expect("digits"));
                        let new = (text.parse::<u64>().expect("a number") + 1).to_string();
                        if journal.compare_and_swap(&skill, "n", old.as_deref(), new.as_bytes(), MOST).expect("swap") {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(journal.get(&skill, "n"), Ok(Some(b"80".to_vec())));
}

#[tokio::test(flavor = "current_thread")]
async fn a_caller_on_a_runtime_waits_and_does_not_panic() {
    let (_folder, journal) = scratch();
    // More operations than a task's budget, after which tokio's own futures
    // would answer `pending` until the task yields.
    for n in 0..300 {
        set(&journal, &id("a/b"), &n.to_string(), b"").expect("set");
    }
    assert_eq!(journal.keys(&id("a/b"), None, 1000).expect("keys").len(), 300);
}
