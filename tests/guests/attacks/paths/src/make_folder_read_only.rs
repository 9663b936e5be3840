//! A folder made, where nothing is written.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::archive().create_directory_at("new").map_err(fs::name)?;
    Ok("made".to_owned())
}
