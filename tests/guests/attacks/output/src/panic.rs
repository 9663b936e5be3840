//! A panic with a message larger than any log.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    panic!("{}", "x".repeat(1 << 20))
}
