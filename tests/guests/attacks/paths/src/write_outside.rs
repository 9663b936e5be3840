//! A file outside replaced.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::write(&fs::work(), "../beside/secret.txt", "mine now")
}
