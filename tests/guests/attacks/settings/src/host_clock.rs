//! How long the host has been up, by a clock that should begin with the call.

use attack_kit::Tried;
use attack_kit::wasip2::clocks::monotonic_clock;

pub fn attack(_: &str) -> Tried {
    let seconds = monotonic_clock::now() / 1_000_000_000;
    if seconds == 0 { Err("it began with the call".to_owned()) } else { Ok(format!("{seconds} s")) }
}
