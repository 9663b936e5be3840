//! A sleep of centuries.

use attack_kit::Tried;
use attack_kit::wasip2::clocks::monotonic_clock::subscribe_duration;

pub fn attack(_: &str) -> Tried {
    subscribe_duration(u64::MAX).block();
    Ok("awake".to_owned())
}
