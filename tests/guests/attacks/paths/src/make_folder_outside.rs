//! A folder made outside.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::work().create_directory_at("../beside/new").map_err(fs::name)?;
    Ok("made".to_owned())
}
