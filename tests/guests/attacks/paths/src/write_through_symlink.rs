//! A file outside replaced through a symlink.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::write(&fs::work(), "file-link", "mine now")
}
