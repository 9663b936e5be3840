//! A folder removed, where it is only read.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::archive().remove_directory_at("empty").map_err(fs::name)?;
    Ok("removed".to_owned())
}
