//! A read of more bytes than there are in the world: the host takes memory for no more than it gives.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let file = fs::open(&fs::work(), "note.txt")?;
    let (bytes, _) = file.read(u64::MAX, 0).map_err(fs::name)?;
    Err(format!("{} bytes", bytes.len()))
}
