//! A file written by a stream of a handle that was opened to read it.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let file = fs::open(&fs::archive(), "old.txt")?;
    let stream = file.write_via_stream(0).map_err(fs::name)?;
    stream.blocking_write_and_flush(b"mine now").map_err(attack_kit::name)?;
    Ok("written".to_owned())
}
