//! A failure larger than allowed.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    Err("x".repeat(2_000_000))
}
