//! The hash of what the host knows of a file outside, which tells a change of it.

use attack_kit::wasip2::filesystem::types::PathFlags;
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let hash = fs::work().metadata_hash_at(PathFlags::SYMLINK_FOLLOW, "../beside/secret.txt").map_err(fs::name)?;
    Ok(format!("{}", hash.lower))
}
