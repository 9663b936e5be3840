//! A symlink to a folder outside.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "folder-link/secret.txt")
}
