//! The times of a file outside.

use attack_kit::wasip2::filesystem::types::{NewTimestamp, PathFlags};
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let (path, now) = ("file-link", NewTimestamp::Now);
    fs::work().set_times_at(PathFlags::SYMLINK_FOLLOW, path, now, now).map_err(fs::name)?;
    Ok("touched".to_owned())
}
