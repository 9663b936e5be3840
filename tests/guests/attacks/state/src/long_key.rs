//! A key larger than any key.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    bucket.set(&"k".repeat(1 << 20), b"x").map_err(name)?;
    Ok("stored".to_owned())
}
