//! A symlink with a slash behind it, which some resolve without a look (GHSA-vqjp-4c8c-hfgg).

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let beside = fs::folder(&fs::work(), "folder-link/")?;
    fs::read(&beside, "secret.txt")
}
