//! A file removed, where it is only read.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::archive().unlink_file_at("old.txt").map_err(fs::name)?;
    Ok("removed".to_owned())
}
