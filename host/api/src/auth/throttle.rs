//! Keeps count of bad keys by peer, so that one who tries many is told to wait.
//!
//! A good key is always let in. Were it otherwise, anybody behind the same
//! proxy could lock everybody out; and with 256 random bits in a key there is
//! nothing to win by guessing.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bad keys that a peer may show within [`WINDOW`] before it has to wait: more
/// than somebody mistypes, fewer than fill a log.
const MAX_FAILURES: u32 = 10;

/// How long failures are counted, from the first.
const WINDOW: Duration = Duration::from_mins(1);

/// Peers that are counted at the same time; 64 bytes each. Others go uncounted
/// until some of these are through with their window.
const MAX_PEERS: usize = 4096;

/// The count.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<IpAddr, Count>>);

struct Count {
    failures: u32,
    since: Instant,
}

impl Throttle {
    /// Notes a bad key; answers how long the peer has to wait, if it showed too many.
    pub(crate) fn failed(&self, peer: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let peer = network(peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_PEERS && !counts.contains_key(&peer) {
            counts.retain(|_, count| !count.is_over(now));
            if counts.len() >= MAX_PEERS {
                return None;
            }
        }
        let count = counts.entry(peer).or_insert(Count { failures: 0, since: now });
        if count.is_over(now) {
            *count = Count { failures: 0, since: now };
        }
        count.failures = count.failures.saturating_add(1);
        (count.failures > MAX_FAILURES).then(|| WINDOW.saturating_sub(now.duration_since(count.since)))
    }
}

impl Count {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= WINDOW
    }
}

/// What stands for a peer: its address, or of IPv6 the first half, because one
/// customer has all that share it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_failure_within_a_minute_has_to_wait() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let peer = |last| Some(IpAddr::from([192, 0, 2, last]));
        for _ in 0..MAX_FAILURES {
            assert_eq!(throttle.failed(peer(1), start), None);
        }
        let later = start + Duration::from_secs(20);
        assert_eq!(throttle.failed(peer(1), later), Some(Duration::from_secs(40)));
        assert_eq!(throttle.failed(peer(2), later), None, "another peer has its own count");
        assert_eq!(throttle.failed(peer(1), start + WINDOW), None, "the window is over");
    }

    #[test]
    fn half_of_an_ipv6_address_is_one_peer() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let address = |n: u16| Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, n)));
        let waits = (0..=MAX_FAILURES).map(|n| throttle.failed(address(u16::try_from(n).expect("small")), now));
        assert_eq!(waits.flatten().count(), 1);
    }

    #[test]
    fn the_table_is_bounded() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let address = |n: usize| Some(IpAddr::from(u32::try_from(n).expect("small").to_be_bytes()));
        for n in 0..2 * MAX_PEERS {
            throttle.failed(address(n), start);
        }
        let size = |throttle: &Throttle| throttle.0.lock().expect("unpoisoned").len();
        assert_eq!(size(&throttle), MAX_PEERS);
        throttle.failed(address(2 * MAX_PEERS), start + WINDOW);
        assert_eq!(size(&throttle), 1, "windows that are over make room");
    }
}
