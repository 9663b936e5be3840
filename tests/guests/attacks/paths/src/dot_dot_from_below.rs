//! `..` from a folder below the root that was opened by itself: it leads to the root and no higher.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let below = fs::folder(&fs::work(), "sub")?;
    fs::read(&below, "../note.txt")
}
