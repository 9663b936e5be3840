//! Lists of one folder begun and none ended.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(work.read_directory().map_err(fs::name)?);
    }
    Ok(format!("{} lists", held.len()))
}
