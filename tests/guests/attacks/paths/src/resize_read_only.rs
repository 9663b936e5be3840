//! A file cut by its handle, where it is only read.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let file = fs::open(&fs::archive(), "old.txt")?;
    file.set_size(0).map_err(fs::name)?;
    Ok("cut".to_owned())
}
