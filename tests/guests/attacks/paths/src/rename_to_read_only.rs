//! A file moved into the folder that is only read, over another one.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::work().rename_at("note.txt", &fs::archive(), "old.txt").map_err(fs::name)?;
    Ok("moved".to_owned())
}
