//! A file moved out of the folder that is only read.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::archive().rename_at("old.txt", &fs::work(), "mine").map_err(fs::name)?;
    Ok("moved".to_owned())
}
