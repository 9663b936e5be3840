//! Files opened and none closed.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(fs::open(&work, "note.txt")?);
    }
    Ok(format!("{} files", held.len()))
}
