//! The seed of the host's own tables: that of a call is its own.

use attack_kit::Tried;
use attack_kit::wasip2::random::insecure_seed::insecure_seed;

pub fn attack(_: &str) -> Tried {
    Err(format!("{:?}", insecure_seed()))
}
