//! `..` from the root.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "../beside/secret.txt")
}
