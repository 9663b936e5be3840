//! Host calls without end that go to the disk.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    for _ in 0..u64::MAX {
        fs::read(&work, "note.txt")?;
    }
    Ok("read".to_owned())
}
