//! A wait for none of no events.

use attack_kit::Tried;
use attack_kit::wasip2::io::poll::poll;

pub fn attack(_: &str) -> Tried {
    Ok(format!("{} are ready", poll(&[]).len()))
}
