//! Sleeps of no time at all, without end: there is always a host call under way.

use attack_kit::Tried;
use attack_kit::wasip2::clocks::monotonic_clock::subscribe_duration;

pub fn attack(_: &str) -> Tried {
    for _ in 0..u64::MAX {
        subscribe_duration(0).block();
    }
    Ok("awake".to_owned())
}
