//! A magic link: the root of the host by way of its own process.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "magic/etc/passwd")
}
