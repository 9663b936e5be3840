//! A path through a file.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "note.txt/../../beside/secret.txt")
}
