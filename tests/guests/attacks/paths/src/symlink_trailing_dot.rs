//! A symlink with a dot behind it.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let beside = fs::folder(&fs::work(), "folder-link/.")?;
    fs::read(&beside, "secret.txt")
}
