//! A folder outside removed, by a path through a symlink.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::work().remove_directory_at("folder-link/empty").map_err(fs::name)?;
    Ok("removed".to_owned())
}
