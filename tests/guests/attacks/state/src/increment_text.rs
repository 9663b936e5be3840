//! A count of what is no number.

use attack_kit::Tried;

use crate::{atomics, name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    bucket.set("k", b"-1e9").map_err(name)?;
    let sum = atomics::increment(&bucket, "k", 1).map_err(name)?;
    Ok(sum.to_string())
}
