//! A hard link from the folder that is read to the one that is written (CVE-2026-58494).

use attack_kit::wasip2::filesystem::types::PathFlags;
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    fs::archive().link_at(PathFlags::empty(), "old.txt", &work, "mine").map_err(fs::name)?;
    fs::write(&work, "mine", "changed by a link")
}
