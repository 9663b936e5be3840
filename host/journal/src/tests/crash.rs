//! A disk that fails after any number of operations, then loses power.
//!
//! Whatever was acknowledged must be there when the journal opens again, and
//! whatever was not must be there whole or not at all.

use std::time::SystemTime;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::quota::StateQuota;
use bailiwick_domain::state::{Numbers, StateStore};

use super::id;
use crate::simulation::Disk;
use crate::{Begin, Call, Journal, OnInterrupted};

/// Steps of the story, each acknowledged before the next.
const STEPS: usize = 12;

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    steps: usize,
    begun: usize,
    finished: usize,
}

#[test]
fn what_was_acknowledged_survives_a_disk_that_fails_anywhere() {
    for seed in 1..=4 {
        let mut operations = 0;
        while fail_after(operations, seed, tell, check).steps < STEPS {
            operations += 1;
        }
        assert!(operations > STEPS as u64, "the disk failed at {operations} places");
    }
}

/// Tells a story over a disk that fails after `operations`, cuts the power and
/// checks what was told. Answers with that.
pub(super) fn fail_after<T: Default>(
    operations: u64,
    seed: u64,
    tell: impl FnOnce(&Journal) -> T,
    check: impl FnOnce(&Journal, &T),
) -> T {
    let disk = Disk::default();
    // The journal is made first, because there is nothing to lose before.
    drop(Journal::on(&disk).expect("opens"));
    disk.fail_after(operations);
    let told = match Journal::on(&disk) {
        Ok(journal) => tell(&journal),
        Err(_) => T::default(),
    };
    let mut random = (seed * 0x1_0000 + operations).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let left = disk.after_power_cut(|| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random & 1 == 0
    });
    let journal = Journal::on(&left).expect("it opens after any crash");
    check(&journal, &told);
    told
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

fn begin(journal: &Journal, step: usize) -> Option<Begin> {
    let now = SystemTime::UNIX_EPOCH;
    let key = step.to_string();
    runtime().block_on(journal.begin_call("s", &key, Digest::of(b""), now, OnInterrupted::Report)).ok()
}

fn tell(journal: &Journal) -> Acknowledged {
    let mut told = Acknowledged::default();
    while told.steps < STEPS && tell_step(journal, &mut told).is_some() {
        told.steps += 1;
    }
    told
}

fn tell_step(journal: &Journal, told: &mut Acknowledged) -> Option<()> {
    let call: Call = match begin(journal, told.steps)? {
        Begin::New(call) => call,
        other => panic!("step {} is new, found {other:?}", told.steps),
    };
    told.begun += 1;
    let value = vec![u8::try_from(told.steps).expect("small"); 700 * told.steps];
    journal.set(&id("a/b"), &format!("{:02}", told.steps), &value, StateQuota::MOST).ok()?;
    journal.increment(&id("a/b"), "sum", 1, Numbers::Unsigned, StateQuota::MOST).ok()?;
    runtime().block_on(journal.finish_call(call, b"record".to_vec())).ok()?;
    told.finished += 1;
    Some(())
}

fn check(journal: &Journal, told: &Acknowledged) {
    for step in 0..told.finished {
        let found = begin(journal, step);
        assert!(matches!(&found, Some(Begin::Done(record)) if record == b"record"), "step {step}: {found:?}");
        let value = journal.get(&id("a/b"), &format!("{step:02}")).expect("reads").expect("is there");
        assert_eq!(value, vec![u8::try_from(step).expect("small"); 700 * step]);
    }
    for step in told.finished..told.begun {
        let found = begin(journal, step);
        assert!(matches!(found, Some(Begin::Interrupted | Begin::Done(_))), "step {step}: {found:?}");
    }
    let sum = journal.increment(&id("a/b"), "sum", 0, Numbers::Unsigned, StateQuota::MOST);
    let sum = u64::try_from(sum.expect("the journal takes writes again")).expect("a count");
    let steps = told.steps as u64;
    assert!(sum == steps || sum == steps + 1, "counted {sum} in {steps} steps");
}
