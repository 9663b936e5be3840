//! The root itself removed.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::work().remove_directory_at(".").map_err(fs::name)?;
    Ok("removed".to_owned())
}
