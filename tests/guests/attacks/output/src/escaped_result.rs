//! An answer that is within the limit, and six times as long as JSON.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    Ok("\u{1}".repeat(500_000))
}
