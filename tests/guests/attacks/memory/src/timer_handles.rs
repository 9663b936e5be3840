//! Timers made and none dropped.

use attack_kit::Tried;
use attack_kit::wasip2::clocks::monotonic_clock::subscribe_duration;

pub fn attack(_: &str) -> Tried {
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(subscribe_duration(u64::MAX));
    }
    Ok(format!("{} timers", held.len()))
}
