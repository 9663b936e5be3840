//! A server that says one word and then nothing.

use attack_kit::Tried;
use attack_kit::http::{Attempt, nanoseconds};
use std::time::Duration;

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt::get(target);
    let patience = nanoseconds(Duration::from_millis(100));
    attempt.options.set_between_bytes_timeout(Some(patience)).expect("it can be set");
    attempt.tried()
}
