use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bailiwick_domain::state::StateStore as _;
use redb::{Database, TableDefinition};

use super::runs::{new_run, run_id, start};
use super::{id, scratch};
use crate::tables::{META, STATE};
use crate::{Created, Journal, JournalError, Shelf};

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
    transaction.open_table(META).expect("table").insert("version", 5).expect("insert");
    transaction.commit().expect("commit");
    drop(database);
    let error = Journal::open(&path).expect_err("newer");
    assert!(matches!(&error, JournalError::NewerVersion { found: 5, known: 4, .. }), "{error}");
}

#[tokio::test]
async fn a_journal_of_an_older_version_gets_the_tables_that_it_lacks() {
    for version in [1_u64, 2, 3] {
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
