//! A count past the last number.

use attack_kit::Tried;

use crate::{atomics, name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    atomics::increment(&bucket, "k", u64::MAX).map_err(name)?;
    let sum = atomics::increment(&bucket, "k", 1).map_err(name)?;
    Ok(sum.to_string())
}
