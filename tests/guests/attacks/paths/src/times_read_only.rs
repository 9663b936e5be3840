//! The times of a file, where it is only read.

use attack_kit::wasip2::filesystem::types::NewTimestamp;
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let file = fs::open(&fs::archive(), "old.txt")?;
    file.set_times(NewTimestamp::Now, NewTimestamp::Now).map_err(fs::name)?;
    Ok("touched".to_owned())
}
