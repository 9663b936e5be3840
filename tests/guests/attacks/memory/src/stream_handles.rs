//! Streams of one file made and none dropped.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let file = fs::open(&fs::work(), "note.txt")?;
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(file.read_via_stream(0).map_err(fs::name)?);
    }
    Ok(format!("{} streams", held.len()))
}
