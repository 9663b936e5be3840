//! The same of the other source.

use attack_kit::Tried;
use attack_kit::wasip2::random::insecure::get_insecure_random_bytes;

pub fn attack(_: &str) -> Tried {
    Ok(format!("{} bytes", get_insecure_random_bytes(1 << 30).len()))
}
