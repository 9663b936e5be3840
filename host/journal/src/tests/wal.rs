//! The log before the storage engine: what is followed, what is forgiven, what is refused.

use std::sync::Arc;

use bailiwick_domain::quota::StateQuota;
use bailiwick_domain::state::StateStore as _;

use super::{id, reopen, scratch};
use crate::simulation::{Disk, LOG_BYTES};
use crate::wal::{Found, HEAD, Wal};
use crate::{Journal, JournalError};

const SALT: [u8; 16] = [7; 16];

/// Where the first record begins, and where others may.
const ALIGN: usize = 64;

fn set(journal: &Journal, key: &str, value: &[u8]) {
    journal.set(&id("a/b"), key, value, StateQuota::MOST).expect("set");
}

fn get(journal: &Journal, key: &str) -> Option<Vec<u8>> {
    journal.get(&id("a/b"), key).expect("get")
}

/// A disk whose host lost power after it had set `0` to `count - 1`.
fn cut_after(count: usize) -> Disk {
    let disk = Disk::new();
    let journal = Journal::simulated(&disk).expect("opens");
    (0..count).for_each(|n| set(&journal, &n.to_string(), &[7; 100]));
    disk.after_power_cut(|| false)
}

/// The places of the records in a log that was read.
fn places(log: &[u8], count: usize) -> Vec<usize> {
    let mut at = ALIGN;
    let place = |_| {
        let length = u32::from_le_bytes(log[at..at + 4].try_into().expect("four bytes"));
        let next = (at + 32 + length as usize).next_multiple_of(ALIGN);
        std::mem::replace(&mut at, next)
    };
    (0..count).map(place).collect()
}

/// Changes behind room for a head.
fn record(changes: &[u8]) -> Vec<u8> {
    [[0; HEAD].as_slice(), changes].concat()
}

#[test]
fn what_stands_in_the_log_alone_is_there_after_a_power_cut() {
    let journal = Journal::simulated(&cut_after(20)).expect("opens");
    for n in 0..20 {
        assert_eq!(get(&journal, &n.to_string()), Some(vec![7; 100]), "{n}");
    }
    assert_eq!(get(&journal, "20"), None);
}

#[test]
fn a_last_record_that_is_not_whole_was_never_acknowledged() {
    for broken in [0, 8, 20, 40] {
        let disk = cut_after(5);
        disk.damage_log(|log| {
            let last = places(log, 5)[4];
            log[last + broken] ^= 0x10;
        });
        let journal = Journal::simulated(&disk).expect("it opens without it");
        assert_eq!(get(&journal, "3"), Some(vec![7; 100]), "byte {broken}");
        assert_eq!(get(&journal, "4"), None, "byte {broken}");
        set(&journal, "later", b"1");
        let journal = Journal::simulated(&disk.after_power_cut(|| false)).expect("opens");
        assert_eq!((get(&journal, "4"), get(&journal, "later")), (None, Some(b"1".to_vec())));
    }
}

#[test]
fn damage_before_the_end_is_named_and_nothing_is_lost_by_it() {
    for record in 0..4 {
        let disk = cut_after(5);
        let mut place = 0;
        disk.damage_log(|log| {
            place = places(log, 5)[record];
            log[place + 50] ^= 1;
        });
        let error = Journal::simulated(&disk).expect_err("four records are acknowledged");
        assert!(matches!(error, JournalError::LogDamaged { at, .. } if at == place as u64), "{error}");
        disk.damage_log(|log| log[place + 50] ^= 1);
        let journal = Journal::simulated(&disk).expect("put right, it opens");
        assert_eq!(get(&journal, "4"), Some(vec![7; 100]));
    }
}

#[test]
fn a_log_whose_beginning_is_gone_is_refused() {
    let disk = cut_after(5);
    disk.damage_log(|log| log[ALIGN..2 * ALIGN].fill(0));
    assert!(matches!(Journal::simulated(&disk), Err(JournalError::LogDamaged { at: 64, .. })));
}

#[test]
fn a_log_that_is_gone_or_another_file_is_refused() {
    let disk = cut_after(5);
    disk.damage_log(Vec::clear);
    assert!(matches!(Journal::simulated(&disk), Err(JournalError::LogMissing(_))));
    disk.damage_log(|log| log.extend(b"a text of somebody else's"));
    assert!(matches!(Journal::simulated(&disk), Err(JournalError::NotALog(_))));
}

#[test]
fn rounds_follow_on_each_other() {
    let disk = Disk::new();
    let journal = Journal::simulated(&disk).expect("opens");
    let value = vec![1; 1000];
    // Three rounds and a part of a fourth.
    let writes = 3 * LOG_BYTES / value.len();
    let mut rounds = std::collections::BTreeSet::new();
    for n in 0..writes {
        set(&journal, &(n % 7).to_string(), &[&n.to_le_bytes()[..], &value].concat());
        // The number of the record with which the log begins.
        rounds.insert(disk.log()[ALIGN + 8..ALIGN + 16].to_vec());
        if n % 11 == 0 {
            let left = Journal::simulated(&disk.after_power_cut(|| false)).expect("opens");
            assert_eq!(get(&left, &(n % 7).to_string()).map(|it| it[..8].to_vec()), Some(n.to_le_bytes().to_vec()));
        }
    }
    assert_eq!(rounds.len(), 4, "the log began again three times");
}

/// A guest that knows the form of the log, and the number that comes next, writes a record of
/// its own into a value. Nothing of it is followed, and nothing of it keeps the journal shut.
#[test]
fn records_that_a_guest_wrote_are_none() {
    let forged = |sequence: u64| {
        let backend = Shared(Arc::new(redb::backends::InMemoryBackend::new()));
        let mut wal = Wal::begin(Box::new(backend.clone()), sequence - 1, LOG_BYTES, [0; 16]).expect("begins");
        wal.append(&mut record(b"what the guest would like")).expect("appends");
        let mut record = vec![0; ALIGN];
        redb::StorageBackend::read(&backend, ALIGN as u64, &mut record).expect("reads");
        record
    };
    for number in [2, 3, 4, u64::MAX] {
        let disk = Disk::new();
        let journal = Journal::simulated(&disk).expect("opens");
        // At any alignment, through more than one round.
        for n in 0..40_usize {
            let value = [vec![1; n % ALIGN], forged(number).repeat(10)].concat();
            set(&journal, "k", &value);
        }
        let journal = Journal::simulated(&disk.after_power_cut(|| false)).expect("it opens");
        assert_eq!(get(&journal, "k").map(|value| value.len()), Some(39 + 640));
        let again = Journal::simulated(&disk.after_power_cut(|| true)).expect("it opens with what is left there");
        assert!(get(&again, "k").is_some());
    }
}

/// The host stops while it follows the log, at any operation, and again.
#[test]
fn a_stop_while_the_log_is_followed_loses_nothing() {
    for operations in 0_u64.. {
        let disk = cut_after(20);
        disk.fail_after(operations);
        let opened = Journal::simulated(&disk);
        let is_whole = opened.is_ok();
        drop(opened);
        let mut random = operations.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let left = disk.after_power_cut(|| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random & 1 == 0
        });
        let journal = Journal::simulated(&left).expect("it opens after any stop");
        assert!((0..20).all(|n| get(&journal, &n.to_string()).is_some()), "after {operations} operations");
        if is_whole && operations > 60 {
            break;
        }
    }
}

/// The host stops while the journal is closed, at any operation.
#[test]
fn a_stop_while_it_is_closed_loses_nothing() {
    for operations in 0..40 {
        let disk = Disk::new();
        let journal = Journal::simulated(&disk).expect("opens");
        (0..20).for_each(|n| set(&journal, &n.to_string(), b"v"));
        disk.fail_after(operations);
        drop(journal);
        for keep in [false, true] {
            let journal = Journal::simulated(&disk.after_power_cut(|| keep)).expect("it opens");
            assert!((0..20).all(|n| get(&journal, &n.to_string()).is_some()), "after {operations} operations");
        }
    }
}

/// Length without contents, as some file systems leave it.
#[test]
fn a_log_that_has_only_its_length_is_begun_anew() {
    let disk = Disk::new();
    drop(Journal::simulated(&disk).expect("opens"));
    disk.damage_log(|log| *log = vec![0; LOG_BYTES / 4]);
    let journal = Journal::simulated(&disk).expect("it was closed");
    set(&journal, "k", b"v");
    let journal = Journal::simulated(&disk.after_power_cut(|| false)).expect("it opens after a power cut");
    assert_eq!(get(&journal, "k"), Some(b"v".to_vec()));
}

#[test]
fn a_closed_journal_needs_no_log() {
    let disk = Disk::new();
    let journal = Journal::simulated(&disk).expect("opens");
    set(&journal, "k", b"v");
    let log = disk.log();
    drop(journal);
    // One of before is back, as from a backup, and damaged.
    disk.damage_log(|now| {
        *now = log;
        now[ALIGN + 40] ^= 1;
    });
    let journal = Journal::simulated(&disk).expect("it opens");
    assert_eq!(get(&journal, "k"), Some(b"v".to_vec()));
}

/// The log can't grow, and the engine goes on without it.
#[test]
fn a_log_that_can_not_be_written_is_done_without() {
    let disk = Disk::new();
    let journal = Journal::simulated(&disk).expect("opens");
    set(&journal, "before", b"1");
    disk.fail_log(true);
    set(&journal, "without", b"2");
    set(&journal, "still", b"3");
    disk.fail_log(false);
    let journal = Journal::simulated(&disk.after_power_cut(|| false)).expect("it opens");
    assert!(["before", "without", "still"].iter().all(|key| get(&journal, key).is_some()));
}

#[test]
fn many_small_changes_end_a_round_too() {
    let backend = Shared(Arc::new(redb::backends::InMemoryBackend::new()));
    let mut wal = Wal::begin(Box::new(backend), 0, 4 << 20, SALT).expect("begins");
    while wal.has_room(1) {
        wal.append(&mut record(b"1")).expect("appends");
    }
    assert_eq!(wal.sequence(), 8192);
}

#[test]
fn a_change_larger_than_the_log_is_durable_too() {
    let disk = Disk::new();
    let journal = Journal::simulated(&disk).expect("opens");
    set(&journal, "before", b"1");
    let run = crate::tests::runs::new_run(1);
    let large = crate::NewRun { events: vec![vec![b'x'; 3 << 20]; 2], ..run };
    let created = crate::blocking::block_on(journal.create_run(large, crate::tests::runs::start()));
    assert_eq!(created.expect("is kept"), crate::Created::New);
    set(&journal, "after", b"2");
    let journal = Journal::simulated(&disk.after_power_cut(|| false)).expect("opens");
    assert_eq!(get(&journal, "before").zip(get(&journal, "after")), Some((b"1".to_vec(), b"2".to_vec())));
    assert_eq!(journal.open_runs().expect("runs").len(), 1);
}

#[test]
fn closing_leaves_nothing_in_the_log() {
    let (folder, journal) = scratch();
    let log = folder.path().join("journal.wal");
    set(&journal, "k", b"v");
    assert!(log.metadata().expect("a log").len() > 0);
    drop(journal);
    assert_eq!(log.metadata().expect("a log").len(), 0);
    std::fs::remove_file(&log).expect("nobody needs it");
    let journal = Journal::open(&folder.path().join("journal.redb")).expect("opens");
    assert_eq!(get(&journal, "k"), Some(b"v".to_vec()));
    let journal = reopen(&folder, journal);
    assert_eq!(get(&journal, "k"), Some(b"v".to_vec()));
}

#[test]
fn a_log_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, _journal) = scratch();
    let mode = folder.path().join("journal.wal").metadata().expect("a log").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Any bytes at all are read without a panic, and give what was written or nothing.
#[test]
fn any_bytes_are_read() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let backend = redb::backends::InMemoryBackend::new();
        let shared = Shared(Arc::new(backend));
        let mut wal = Wal::begin(Box::new(shared.clone()), 0, LOG_BYTES, SALT).expect("begins");
        for n in 0..5_u8 {
            wal.append(&mut record(&[n; 70])).expect("appends");
        }
        let at = random % 704;
        redb::StorageBackend::write(&shared, at, &random.to_le_bytes()[..=(random >> 40) as usize % 8])
            .expect("writes");
        match Wal::read(&shared, random >> 62, &SALT).expect("reads") {
            Found::Records(records) => {
                let first = usize::try_from(random >> 62).expect("small");
                let written = (first..5).map(|n| vec![u8::try_from(n).expect("small"); 70]);
                assert!(written.zip(&records).all(|(written, found)| written == *found), "a record that nobody wrote");
                // Only the last one may be missing, or what was changed lies between them.
                assert!(records.len() + 1 >= 5 - first, "{} records behind {first}", records.len());
            }
            Found::Nothing => panic!("there was something"),
            Found::NotALog | Found::Damaged { .. } => {}
        }
    }
}

/// Memory that outlives the log on it.
#[derive(Clone, Debug)]
struct Shared(Arc<redb::backends::InMemoryBackend>);

impl redb::StorageBackend for Shared {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        if offset + data.len() as u64 > self.0.len()? {
            self.0.set_len(offset + data.len() as u64)?;
        }
        self.0.write(offset, data)
    }
}
