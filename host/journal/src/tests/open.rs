use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bailiwick_domain::state::StateStore as _;
use redb::{Database, ReadableTableMetadata as _, TableDefinition};

use super::runs::{new_run, open, run_id, start};
use super::{id, scratch};
use crate::runs::log::checksum;
use crate::runs::{change, segment};
use crate::tables::{Applied, META, RUN_EVENTS, RUN_SEGMENTS, STATE, Tables, VERSION};
use crate::{Created, Journal, JournalError, NewRun, Shelf};

#[test]
fn one_opener_at_a_time() {
    let (folder, journal) = scratch();
    let path = folder.path().join("journal.redb");
    assert!(matches!(Journal::open(&path), Err(JournalError::Locked(found)) if found == path));
    drop(journal);
    assert!(Journal::open(&path).is_ok());
}

#[test]
fn only_the_owner_may_read_it() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("new/data/journal.redb");
    let _journal = Journal::open(&path).expect("its folders are made");
    let mode = |path: &Path| path.metadata().expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().expect("a folder")), 0o700);
    assert_eq!(mode(&folder.path().join("new")), 0o700);
}

#[test]
fn a_newer_journal_is_refused() {
    let (folder, journal) = scratch();
    let path = folder.path().join("journal.redb");
    drop(journal);
    let database = Database::open(&path).expect("opens");
    let transaction = database.begin_write().expect("write");
    transaction.open_table(META).expect("table").insert("version", VERSION + 1).expect("insert");
    transaction.commit().expect("commit");
    drop(database);
    let error = Journal::open(&path).expect_err("newer");
    assert!(
        matches!(&error, JournalError::NewerVersion { found, known: VERSION, .. } if *found == VERSION + 1),
        "{error}"
    );
}

#[tokio::test]
async fn a_journal_of_an_older_version_gets_the_tables_that_it_lacks() {
    for version in 1..VERSION {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("journal.redb");
        let database = Database::create(&path).expect("makes");
        let transaction = database.begin_write().expect("write");
        transaction.open_table(META).expect("table").insert("version", version).expect("insert");
        transaction.open_table(STATE).expect("table").insert(("a/b", "k"), b"v".as_slice()).expect("insert");
        transaction.commit().expect("commit");
        drop(database);
        let journal = Journal::open(&path).expect("it is brought up");
        assert_eq!(journal.head().expect("a head").seq, 0);
        assert!(journal.documents(Shelf::Grants).expect("documents").is_empty());
        assert_eq!(journal.get(&id("a/b"), "k").expect("read"), Some(b"v".to_vec()));
        assert!(journal.open_runs().expect("runs").is_empty());
        assert_eq!(journal.create_run(new_run(1), start()).await.expect("runs are taken"), Created::New);
        drop(journal);
        let journal = Journal::open(&path).expect("it opens as one of this version");
        assert_eq!(journal.open_runs().expect("runs"), [run_id(1)], "from version {version}");
    }
}

/// Writes events of a run as versions before the fifth did.
fn write_as_before(tables: &mut Tables<'_>, n: u64, events: &[Vec<u8>]) -> Applied<()> {
    let id = run_id(n);
    let mut head = change::head(tables, &id)?.expect("the run");
    for event in events {
        head.last += 1;
        head.checksum = checksum(&head.checksum, &id, head.last, event);
        tables.run_events.insert((id.as_str(), head.last), (&head.checksum, event.as_slice()))?;
    }
    change::put(tables, &id, &head, b"")
}

#[tokio::test]
async fn the_events_of_an_older_version_are_kept_also_those_in_its_log() {
    let (folder, journal) = scratch();
    let large = vec![7; segment::MAX_BYTES];
    let kept: Vec<Vec<u8>> = vec![b"one".to_vec(), large, b"three".to_vec(), Vec::new()];
    let late: Vec<Vec<u8>> = vec![b"five".to_vec(), b"six".to_vec()];
    for n in [1, 2] {
        let run = NewRun { events: Vec::new(), ..new_run(n) };
        assert_eq!(journal.create_run(run, start()).await.expect("it is created"), Created::New);
        let events = kept.clone();
        let work = move |tables: &mut Tables<'_>| write_as_before(tables, n, &events);
        journal.writer.submit(0, work).await.expect("commit");
    }
    drop(journal);
    let path = folder.path().join("journal.redb");
    let journal = Journal::open(&path).expect("it opens");
    let events = late.clone();
    let work = move |tables: &mut Tables<'_>| write_as_before(tables, 1, &events);
    journal.writer.submit(0, work).await.expect("commit");
    // What a host that was killed leaves: the last events are in the log alone.
    let killed = tempfile::tempdir().expect("a folder for the test");
    for name in ["journal.redb", "journal.wal"] {
        std::fs::copy(folder.path().join(name), killed.path().join(name)).expect("a copy");
    }
    drop(journal);
    let path = killed.path().join("journal.redb");
    let database = Database::open(&path).expect("opens");
    let transaction = database.begin_write().expect("write");
    transaction.open_table(META).expect("table").insert("version", 4).expect("insert");
    transaction.delete_table(RUN_SEGMENTS).expect("that version had none");
    transaction.commit().expect("commit");
    drop(database);
    let check = |journal: &Journal| {
        let read = |n| {
            let log = journal.run_events(&run_id(n), 0, usize::MAX).expect("the log");
            assert_eq!(log.damage, None);
            log.events.into_iter().map(|(_, event)| event).collect::<Vec<_>>()
        };
        assert_eq!(read(1), [kept.clone(), late.clone()].concat());
        assert_eq!(read(2), kept);
        let old = journal.store.read().expect("read").open_table(RUN_EVENTS).expect("table");
        assert!(old.is_empty().expect("a length"));
    };
    let journal = Journal::open(&path).expect("it is brought up");
    check(&journal);
    assert_eq!(journal.append_run(&run_id(1), 6, vec![b"seven".to_vec()], open(""), start()).await.expect("more"), 7);
    drop(journal);
    let journal = Journal::open(&path).expect("it opens as one of this version");
    assert_eq!(journal.run_events(&run_id(1), 6, 9).expect("the log").events, [(7, b"seven".to_vec())]);
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let text = folder.path().join("text");
    std::fs::write(&text, "not a database").expect("write");
    assert!(matches!(Journal::open(&text), Err(JournalError::Open { .. })));
    assert_eq!(std::fs::read(&text).expect("read"), b"not a database");
    let other = folder.path().join("other.redb");
    let database = Database::create(&other).expect("create");
    let transaction = database.begin_write().expect("write");
    transaction.open_table(TableDefinition::<u64, u64>::new("mine")).expect("table");
    transaction.commit().expect("commit");
    drop(database);
    assert!(matches!(Journal::open(&other), Err(JournalError::NotAJournal(_))));
}
