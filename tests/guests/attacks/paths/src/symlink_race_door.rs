//! The other side of the race: a folder and a symlink take turns at one name.

use attack_kit::{Tried, fs};

/// Turns of one call.
const TURNS: u32 = 1500;

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    for _ in 0..TURNS {
        for (away, here) in [("door-folder", "door-link"), ("door-link", "door-folder")] {
            work.rename_at("door", &work, away).map_err(fs::name)?;
            work.rename_at(here, &work, "door").map_err(fs::name)?;
        }
    }
    Err("turned to the end".to_owned())
}
