//! One call opens a path of which another one changes a folder into a symlink and back.

use attack_kit::{Tried, fs};

/// Tries of one call.
const TRIES: u32 = 3000;

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    for _ in 0..TRIES {
        if let Ok(text) = fs::read(&work, "door/secret.txt")
            && text != "a decoy"
        {
            return Ok(text);
        }
    }
    Err("never got through".to_owned())
}
