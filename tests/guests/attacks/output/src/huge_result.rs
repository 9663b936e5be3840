//! An answer larger than allowed.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    Ok("x".repeat(2_000_000))
}
