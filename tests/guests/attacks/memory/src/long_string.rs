//! A name of twenty-four megabytes handed to the host, which has to copy it.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), &"n".repeat(24 << 20))
}
