//! A file moved out of the root.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    work.rename_at("note.txt", &work, "../beside/note.txt").map_err(fs::name)?;
    Ok("moved".to_owned())
}
