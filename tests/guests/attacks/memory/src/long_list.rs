//! A list of ten million handles handed to the host, which keeps something for each.

use attack_kit::Tried;
use attack_kit::wasip2::clocks::monotonic_clock::subscribe_duration;
use attack_kit::wasip2::io::poll::poll;

pub fn attack(_: &str) -> Tried {
    let timer = subscribe_duration(0);
    let ready = poll(&vec![&timer; 10_000_000]);
    Ok(format!("{} are ready", ready.len()))
}
