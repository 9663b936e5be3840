//! The logs of runs.

mod crash;
mod damage;
mod removal;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bailiwick_domain::digest::Digest;
use redb::ReadableTable;

use super::{reopen, scratch};
use crate::calls::MAX_NAME_BYTES;
use crate::runs::change::{self, Append};
use crate::runs::{
    MAX_APPEND_BYTES, MAX_APPEND_EVENTS, MAX_EVENT_BYTES, MAX_LIST_ROWS, MAX_READ_BYTES, MAX_RUN_EVENTS,
    MAX_SUMMARY_BYTES, MAX_TEAM_BYTES, segment,
};
use crate::tables::{
    Applied, CUT_EVENTS, ENDED_RUNS, OPEN_RUNS, REMOVED_RUNS, RUN_KEYS, RUN_SEGMENTS, RUNS, TEAM_USES, TEAMS, Tables,
};
use crate::{Created, Journal, JournalError, NewRun, RunKey, Summary};

pub(super) fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

pub(super) fn run_id(n: u64) -> String {
    format!("{n:032x}")
}

/// An open run with one event and no key.
pub(super) fn new_run(n: u64) -> NewRun {
    NewRun {
        id: run_id(n),
        key: None,
        team: (Digest::of(b"team"), b"the team".to_vec()),
        events: vec![b"created".to_vec()],
        summary: open("open"),
    }
}

fn with_key(n: u64, key: &str) -> NewRun {
    let key = RunKey { scope: "scope".to_owned(), key: key.to_owned(), request: Digest::of(b"request") };
    NewRun { key: Some(key), ..new_run(n) }
}

pub(super) fn open(text: &str) -> Summary {
    Summary { open: true, bytes: text.as_bytes().to_vec() }
}

fn ended(text: &str) -> Summary {
    Summary { open: false, bytes: text.as_bytes().to_vec() }
}

fn in_memory() -> Arc<Journal> {
    Journal::in_memory().expect("a journal in memory")
}

async fn create(journal: &Journal, run: NewRun) {
    assert_eq!(journal.create_run(run, start()).await.expect("it is created"), Created::New);
}

async fn append(journal: &Journal, n: u64, after: u64, events: &[&[u8]], summary: Summary) -> u64 {
    let events: Vec<_> = events.iter().map(|event| event.to_vec()).collect();
    journal.append_run(&run_id(n), after, events, summary, start()).await.expect("it is appended")
}

/// All events of a log that must be whole.
fn events(journal: &Journal, n: u64) -> Vec<Vec<u8>> {
    let log = journal.run_events(&run_id(n), 0, usize::MAX).expect("the log");
    assert_eq!(log.damage, None);
    assert_eq!(log.last, log.events.len() as u64);
    log.events.into_iter().map(|(_, event)| event).collect()
}

async fn write<T: Send + 'static>(
    journal: &Journal,
    work: impl FnOnce(&mut Tables<'_>) -> Applied<T> + Send + 'static,
) -> T {
    let written = journal.writer.submit(0, move |tables: &mut Tables<'_>| work(tables));
    written.await.expect("commit")
}

/// What must hold among the tables of runs after any operation.
fn check_tables(journal: &Journal) {
    let read = journal.store.read().expect("read");
    let runs = read.open_table(RUNS).expect("table");
    let runs: BTreeSet<String> = runs.iter().expect("rows").map(|row| text(row.expect("row").0.value())).collect();
    let open_runs = read.open_table(OPEN_RUNS).expect("table");
    let ended_runs = read.open_table(ENDED_RUNS).expect("table");
    let mut listed: Vec<String> =
        open_runs.iter().expect("rows").map(|row| text(row.expect("row").0.value())).collect();
    listed.extend(ended_runs.iter().expect("rows").map(|row| text(row.expect("row").0.value().1)));
    listed.sort();
    assert_eq!(listed, Vec::from_iter(runs.clone()), "each run is on one list");
    let removed = read.open_table(REMOVED_RUNS).expect("table");
    let events = read.open_table(RUN_SEGMENTS).expect("table");
    for row in events.iter().expect("rows") {
        let id = text(row.expect("row").0.value().0);
        assert!(runs.contains(&id) || removed.get(id.as_str()).expect("read").is_some(), "events of {id}");
    }
    let keys = read.open_table(RUN_KEYS).expect("table");
    assert!(keys.iter().expect("rows").all(|row| runs.contains(row.expect("row").1.value().1)), "keys of runs");
    let cuts = read.open_table(CUT_EVENTS).expect("table");
    assert!(cuts.iter().expect("rows").all(|row| runs.contains(row.expect("row").0.value().0)), "cuts of runs");
    let uses = read.open_table(TEAM_USES).expect("table");
    let uses: Vec<u64> = uses.iter().expect("rows").map(|row| row.expect("row").1.value()).collect();
    assert_eq!(uses.iter().sum::<u64>(), runs.len() as u64, "each run has a team");
    let teams = read.open_table(TEAMS).expect("table").iter().expect("rows").count();
    assert_eq!(teams, uses.len());
}

fn text(id: &str) -> String {
    id.to_owned()
}

fn too_long(result: &Result<impl std::fmt::Debug, JournalError>, expected: &str) {
    assert!(matches!(result, Err(JournalError::TooLong { what, .. }) if *what == expected), "{expected}: {result:?}");
}

fn too_many(result: &Result<impl std::fmt::Debug, JournalError>, expected: &str) {
    assert!(matches!(result, Err(JournalError::TooMany { what, .. }) if *what == expected), "{expected}: {result:?}");
}

#[tokio::test]
async fn a_log_grows_and_survives() {
    let (folder, journal) = scratch();
    create(&journal, new_run(1)).await;
    create(&journal, new_run(2)).await;
    assert_eq!(append(&journal, 1, 1, &[b"a", b""], open("going on")).await, 3);
    assert_eq!(append(&journal, 1, 3, &[b"end"], ended("done")).await, 4);
    let journal = reopen(&folder, journal);
    assert_eq!(events(&journal, 1), [b"created".as_slice(), b"a", b"", b"end"]);
    assert_eq!(events(&journal, 2), [b"created"]);
    assert_eq!(journal.open_runs().expect("runs"), [run_id(2)]);
    assert_eq!(journal.run_summary(&run_id(1)).expect("read"), Some(b"done".to_vec()));
    assert_eq!(journal.run_summary(&run_id(3)).expect("read"), None);
    assert_eq!(journal.team(&Digest::of(b"team")).expect("read"), Some(b"the team".to_vec()));
    assert_eq!(journal.team(&Digest::of(b"other")).expect("read"), None);
    check_tables(&journal);
}

#[tokio::test]
async fn a_log_is_read_in_pages() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    append(&journal, 1, 1, &[b"b", b"c", b"d"], open("")).await;
    let page = |after, limit| {
        let log = journal.run_events(&run_id(1), after, limit).expect("a page");
        assert_eq!((log.damage, log.last), (None, 4));
        log.events.into_iter().map(|(number, _)| number).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 2), [1, 2]);
    assert_eq!(page(2, 2), [3, 4]);
    assert_eq!(page(3, 10), [4]);
    assert!(page(4, 10).is_empty());
    assert!(page(9, 10).is_empty(), "behind the end there is nothing");
    assert!(page(u64::MAX, 10).is_empty());
    assert!(page(0, 0).is_empty());
}

#[tokio::test]
async fn a_read_of_many_bytes_ends_early() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    let large = vec![7; MAX_EVENT_BYTES];
    for after in 1..=5 {
        append(&journal, 1, after, &[&large], open("")).await;
    }
    let log = journal.run_events(&run_id(1), 0, usize::MAX).expect("a page");
    let most = 1 + MAX_READ_BYTES / MAX_EVENT_BYTES;
    assert_eq!((log.events.len(), log.last, log.damage), (most, 6, None));
    let rest = journal.run_events(&run_id(1), most as u64, usize::MAX).expect("the rest");
    assert_eq!((rest.events.len(), rest.damage), (6 - most, None));
}

#[tokio::test]
async fn events_of_one_append_are_read_from_any_of_them_on() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    // Segments of many events, of one, and of one that is larger than a segment.
    let half = vec![7; segment::MAX_BYTES / 2];
    let large = vec![8; segment::MAX_BYTES * 2];
    let all: Vec<&[u8]> = vec![b"b", &half, b"c", &half, &half, b"", &large, b"d", b"e"];
    append(&journal, 1, 1, &all, open("")).await;
    append(&journal, 1, 10, &[b"f", b"g"], open("")).await;
    let read = journal.store.read().expect("read").open_table(RUN_SEGMENTS).expect("table");
    let rows: Vec<u64> = read.iter().expect("rows").map(|row| row.expect("row").0.value().1).collect();
    assert_eq!(rows, [1, 2, 5, 6, 8, 9, 11], "the numbers that the segments begin with");
    let whole = events(&journal, 1);
    assert_eq!(whole[1..10], all);
    for after in 0..=12 {
        let log = journal.run_events(&run_id(1), after, usize::MAX).expect("the log");
        assert_eq!((log.damage, log.last), (None, 12), "after {after}");
        let numbers: Vec<u64> = log.events.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (after + 1..=12).collect::<Vec<_>>());
        assert!(log.events.iter().all(|(number, event)| whole[usize::try_from(*number).expect("small") - 1] == *event));
        let one = journal.run_events(&run_id(1), after, 1).expect("an event");
        assert_eq!(one.events.first(), log.events.first());
        assert_eq!(one.events.len(), usize::from(after < 12));
    }
}

#[tokio::test]
async fn who_appends_elsewhere_than_at_the_end_is_refused() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    for wrong in [0, 2, u64::MAX] {
        let refused = journal.append_run(&run_id(1), wrong, vec![b"x".to_vec()], ended("x"), start()).await;
        assert!(
            matches!(&refused, Err(JournalError::RunMoved { after, last: 1, .. }) if *after == wrong),
            "{refused:?}"
        );
    }
    let id = run_id(1);
    let one = journal.append_run(&id, 1, vec![b"one".to_vec()], open("one"), start());
    let two = journal.append_run(&id, 1, vec![b"two".to_vec()], open("two"), start());
    let (one, two) = tokio::join!(one, two);
    assert_eq!(one.expect("the first"), 2);
    assert!(matches!(two, Err(JournalError::RunMoved { after: 1, last: 2, .. })));
    assert_eq!(events(&journal, 1), [b"created".as_slice(), b"one"]);
    assert_eq!(journal.run_summary(&run_id(1)).expect("read"), Some(b"one".to_vec()));
}

#[tokio::test]
async fn a_run_may_end_and_open_again() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    append(&journal, 1, 1, &[b"end"], ended("")).await;
    append(&journal, 1, 2, &[b"late"], ended("")).await;
    check_tables(&journal);
    assert!(journal.open_runs().expect("runs").is_empty());
    append(&journal, 1, 3, &[], open("a summary alone")).await;
    check_tables(&journal);
    assert_eq!(journal.open_runs().expect("runs"), [run_id(1)]);
    assert_eq!(events(&journal, 1).len(), 3);
    assert_eq!(journal.run_summary(&run_id(1)).expect("read"), Some(b"a summary alone".to_vec()));
}

#[tokio::test]
async fn a_key_makes_one_run() {
    let (folder, journal) = scratch();
    let (one, two) =
        tokio::join!(journal.create_run(with_key(1, "k"), start()), journal.create_run(with_key(2, "k"), start()));
    assert_eq!(one.expect("the first"), Created::New);
    assert_eq!(two.expect("the second"), Created::Existing(run_id(1)));
    let journal = reopen(&folder, journal);
    let again = journal.create_run(with_key(3, "k"), start() + Duration::from_hours(10_000)).await;
    assert_eq!(again.expect("kept as long as its run"), Created::Existing(run_id(1)));
    let mut other = with_key(4, "k");
    other.key.as_mut().expect("a key").request = Digest::of(b"another request");
    assert_eq!(journal.create_run(other.clone(), start()).await.expect("an answer"), Created::Mismatch);
    other.key.as_mut().expect("a key").scope = "elsewhere".to_owned();
    assert_eq!(journal.create_run(other, start()).await.expect("an answer"), Created::New);
    create(&journal, with_key(5, "another")).await;
    assert_eq!(journal.open_runs().expect("runs"), [run_id(1), run_id(4), run_id(5)]);
    check_tables(&journal);
}

#[tokio::test]
async fn an_id_is_of_one_run_and_well_formed() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    let again = journal.create_run(with_key(1, "k"), start()).await;
    assert!(matches!(again, Err(JournalError::RunExists(id)) if id == run_id(1)));
    for wrong in ["", "1", &"A".repeat(32), &"g".repeat(32), &"0".repeat(33)] {
        let run = NewRun { id: wrong.to_owned(), ..new_run(1) };
        assert!(matches!(journal.create_run(run, start()).await, Err(JournalError::RunId)), "{wrong}");
        assert!(matches!(journal.run_events(wrong, 0, 1), Err(JournalError::RunId)));
    }
    let absent = journal.append_run(&run_id(2), 0, vec![], open(""), start()).await;
    assert!(matches!(absent, Err(JournalError::NoRun(id)) if id == run_id(2)));
    assert!(matches!(journal.run_events(&run_id(2), 0, 1), Err(JournalError::NoRun(_))));
    check_tables(&journal);
}

#[tokio::test]
async fn runs_are_listed_from_the_newest_in_pages() {
    let journal = in_memory();
    for (n, kind) in (1..).zip(["odd", "even", "odd", "even", "odd"]) {
        create(&journal, NewRun { summary: open(kind), ..new_run(n) }).await;
    }
    let list = |before: Option<u64>, limit, kind: &str| {
        let before = before.map(run_id);
        let mut accept = |_: &str, summary: &[u8]| kind.is_empty() || summary == kind.as_bytes();
        let runs = journal.runs(before.as_deref(), limit, &mut accept).expect("a page");
        runs.into_iter().map(|(id, _)| u64::from_str_radix(&id, 16).expect("an id")).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 10, ""), [5, 4, 3, 2, 1]);
    assert_eq!(list(None, 2, ""), [5, 4]);
    assert_eq!(list(Some(4), 2, ""), [3, 2]);
    assert_eq!(list(Some(4), 10, "odd"), [3, 1]);
    assert_eq!(list(None, 1, "even"), [4]);
    assert!(list(Some(1), 10, "").is_empty());
    assert!(list(None, 0, "").is_empty());
    let all = journal.runs(None, 1, &mut |_, _| true).expect("a page");
    assert_eq!(all, [(run_id(5), b"odd".to_vec())]);
}

#[tokio::test]
async fn a_list_looks_at_so_many_rows_and_can_go_on() {
    let journal = in_memory();
    let count = MAX_LIST_ROWS as u64 + 5;
    let create = move |tables: &mut Tables<'_>| {
        for n in 1..=count {
            change::create(tables, &new_run(n), 0, u64::MAX)?.expect("it is created");
        }
        Ok(())
    };
    write(&journal, create).await;
    let (mut seen, mut last) = (0, None);
    let mut look = |before: Option<String>| {
        let mut accept = |id: &str, _: &[u8]| {
            seen += 1;
            last = Some(id.to_owned());
            id == run_id(1)
        };
        let runs = journal.runs(before.as_deref(), 10, &mut accept).expect("a page");
        (runs.len(), seen, last.clone())
    };
    let (found, seen, last) = look(None);
    assert_eq!((found, seen, last.clone()), (0, MAX_LIST_ROWS, Some(run_id(6))));
    let (found, seen, last) = look(last);
    assert_eq!((found, seen, last), (1, MAX_LIST_ROWS + 5, Some(run_id(1))));
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_changes_nothing() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    let append = async |events, summary| journal.append_run(&run_id(1), 1, events, summary, start()).await;
    too_long(&append(vec![b"x".to_vec(), vec![0; MAX_EVENT_BYTES + 1]], open("")).await, "event");
    too_many(&append(vec![vec![]; MAX_APPEND_EVENTS + 1], open("")).await, "events in one append");
    let pieces = MAX_APPEND_BYTES / MAX_EVENT_BYTES;
    let mut large = vec![vec![0; MAX_EVENT_BYTES]; pieces];
    large.push(vec![0]);
    too_long(&append(large, open("")).await, "append");
    too_long(&append(vec![], open(&"x".repeat(MAX_SUMMARY_BYTES + 1))).await, "summary");
    assert_eq!(events(&journal, 1), [b"created"]);
    assert_eq!(append(vec![vec![]; MAX_APPEND_EVENTS], open("most")).await.expect("the most"), 257);
}

#[tokio::test]
async fn a_run_with_anything_too_large_is_not_created() {
    let journal = in_memory();
    let long = "x".repeat(MAX_NAME_BYTES + 1);
    let key = |scope: &str, key: &str| {
        let request = Digest::of(b"request");
        Some(RunKey { scope: scope.to_owned(), key: key.to_owned(), request })
    };
    let new = || with_key(1, "k");
    let create = async |run: NewRun| journal.create_run(run, start()).await;
    too_long(&create(NewRun { key: key("scope", &long), ..new() }).await, "idempotency key");
    too_long(&create(NewRun { key: key(&long, "k"), ..new() }).await, "scope");
    too_long(&create(NewRun { team: (Digest::of(b""), vec![0; MAX_TEAM_BYTES + 1]), ..new() }).await, "team");
    too_long(&create(NewRun { summary: open(&"x".repeat(MAX_SUMMARY_BYTES + 1)), ..new() }).await, "summary");
    too_long(&create(NewRun { events: vec![vec![0; MAX_EVENT_BYTES + 1]], ..new() }).await, "event");
    too_many(&create(NewRun { events: vec![vec![]; MAX_APPEND_EVENTS + 1], ..new() }).await, "events in one append");
    assert_eq!(journal.commits(), 0);
    assert_eq!(create(new()).await.expect("the key is free"), Created::New);
    check_tables(&journal);
}

#[tokio::test]
async fn a_run_has_so_many_events() {
    let journal = in_memory();
    create(&journal, new_run(1)).await;
    // A log this long takes too long to write, so the row says that it is.
    let lengthen = |tables: &mut Tables<'_>| {
        let mut head = change::head(tables, &run_id(1))?.expect("the run");
        head.last = MAX_RUN_EVENTS - 1;
        change::put(tables, &run_id(1), &head, b"")
    };
    write(&journal, lengthen).await;
    let append = async |events| journal.append_run(&run_id(1), MAX_RUN_EVENTS - 1, events, open(""), start()).await;
    too_many(&append(vec![vec![], vec![]]).await, "events in one run");
    assert_eq!(append(vec![vec![]]).await.expect("the last"), MAX_RUN_EVENTS);
}

#[tokio::test]
async fn so_many_runs_are_open_at_once() {
    let journal = in_memory();
    let create = async |run: NewRun| write(&journal, move |tables| change::create(tables, &run, 0, 2)).await;
    let append = async |n, after, summary| {
        let append = Append { id: run_id(n), after, events: Arc::from([vec![]]), summary, now: 0 };
        write(&journal, move |tables| change::append(tables, &append, 2)).await
    };
    create(with_key(1, "k")).await.expect("the first");
    create(new_run(2)).await.expect("the second");
    too_many(&create(new_run(3)).await, "open runs");
    assert_eq!(create(with_key(4, "k")).await.expect("no new run"), Created::Existing(run_id(1)));
    let closed = NewRun { summary: ended(""), ..new_run(5) };
    create(closed).await.expect("it is not open");
    too_many(&append(5, 1, open("")).await, "open runs");
    assert_eq!(append(1, 1, open("")).await.expect("it is open already"), 2);
    assert_eq!(append(1, 2, ended("")).await.expect("it ends"), 3);
    assert_eq!(append(5, 1, open("")).await.expect("there is room"), 2);
    assert_eq!(journal.open_runs().expect("runs"), [run_id(2), run_id(5)]);
    check_tables(&journal);
}
