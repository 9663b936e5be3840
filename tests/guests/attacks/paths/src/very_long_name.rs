//! A name of a hundred thousand bytes.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), &"n".repeat(100_000))
}
