//! A file written by a handle that was opened to read it.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let file = fs::open(&fs::archive(), "old.txt")?;
    file.write(b"mine now", 0).map_err(fs::name)?;
    Ok("written".to_owned())
}
