//! A file replaced, where it is only read.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::write(&fs::archive(), "old.txt", "mine now")
}
