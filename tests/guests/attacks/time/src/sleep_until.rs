//! A sleep to the end of the clock.

use attack_kit::Tried;
use attack_kit::wasip2::clocks::monotonic_clock::subscribe_instant;

pub fn attack(_: &str) -> Tried {
    subscribe_instant(u64::MAX).block();
    Ok("awake".to_owned())
}
