//! A symlink made, where nothing is written.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::archive().symlink_at("old.txt", "new").map_err(fs::name)?;
    Ok("made".to_owned())
}
