//! The size of a file outside.

use attack_kit::wasip2::filesystem::types::PathFlags;
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let stat = fs::work().stat_at(PathFlags::SYMLINK_FOLLOW, "file-link").map_err(fs::name)?;
    Ok(stat.size.to_string())
}
