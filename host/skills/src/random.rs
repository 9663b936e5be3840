//! Random bytes for names, many of them to one call of the system.
//!
//! Names of traces and receipts must not collide and need not be secret. Keys
//! are made from the system's bytes directly, so that no copy of them is kept.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes that a thread keeps ready: some forty names.
const READY: usize = 1024;

struct Pool {
    bytes: [u8; READY],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; READY], used: READY }) };
}

/// As many random bytes as are asked for, at most 1024, each given out once.
///
/// # Errors
///
/// When the system has none.
pub fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    const { assert!(N <= READY, "more than is kept ready") };
    POOL.with_borrow_mut(|pool| {
        if READY - pool.used < N {
            getrandom::fill(&mut pool.bytes)?;
            pool.used = 0;
        }
        let mut taken = [0; N];
        taken.copy_from_slice(&pool.bytes[pool.used..pool.used + N]);
        pool.used += N;
        Ok(taken)
    })
}

/// A name that sorts by time and that nothing else has: microseconds since 1970 in the
/// first 8 bytes, random ones behind.
///
/// # Errors
///
/// When the system has no randomness.
pub fn name_in_time(now: SystemTime) -> Result<[u8; 16], getrandom::Error> {
    let micros = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let mut name = [0; 16];
    name[..8].copy_from_slice(&u64::try_from(micros).unwrap_or(u64::MAX).to_be_bytes());
    name[8..].copy_from_slice(&bytes::<8>()?);
    Ok(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_twice() {
        let drawn: BTreeSet<[u8; 24]> = (0..1000).map(|_| bytes().expect("randomness")).collect();
        assert_eq!(drawn.len(), 1000);
    }
}
