//! The times of a file by its path, where it is only read.

use attack_kit::wasip2::filesystem::types::{NewTimestamp, PathFlags};
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let now = NewTimestamp::Now;
    fs::archive().set_times_at(PathFlags::empty(), "old.txt", now, now).map_err(fs::name)?;
    Ok("touched".to_owned())
}
