//! An open file as the root of a path.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let file = fs::open(&fs::work(), "note.txt")?;
    fs::read(&file, "../beside/secret.txt")
}
