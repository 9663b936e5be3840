//! A hard link to a file outside, through a symlink.

use attack_kit::wasip2::filesystem::types::PathFlags;
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    work.link_at(PathFlags::empty(), "folder-link/secret.txt", &work, "mine").map_err(fs::name)?;
    fs::read(&work, "mine")
}
