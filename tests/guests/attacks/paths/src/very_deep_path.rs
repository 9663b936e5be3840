//! A path of fifty thousand parts.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), &"sub/../".repeat(50_000))
}
