//! Names of receipts.

use std::time::SystemTime;

use bailiwick_domain::digest::hex;

use crate::random;

/// A new id: 32 hex digits, the first 16 of which are microseconds since 1970,
/// so that ids sort by time, and the rest random, so that no two are the same.
pub(super) fn new(now: SystemTime) -> Result<String, getrandom::Error> {
    random::name_in_time(now).map(|name| hex(&name))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn ids_sort_by_time_and_are_unique() {
        let at = |micros| new(UNIX_EPOCH + Duration::from_micros(micros)).expect("randomness");
        assert!(at(1_800_000_000_000_000) < at(1_800_000_000_000_001));
        assert_ne!(at(7), at(7));
        assert_eq!(at(7).len(), 32);
    }
}
