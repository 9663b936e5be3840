//! A symlink made outside of the root.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::work().symlink_at("secret.txt", "../beside/again").map_err(fs::name)?;
    Ok("made a symlink outside".to_owned())
}
