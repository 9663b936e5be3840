//! A symlink to itself.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "loop")
}
