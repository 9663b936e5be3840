//! A hundred symlinks, each to the next one, and the last one to a file outside.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "chain-0")
}
