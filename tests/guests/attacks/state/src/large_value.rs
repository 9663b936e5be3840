//! A value larger than any value.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    bucket.set("k", &vec![0; 8 << 20]).map_err(name)?;
    Ok("stored".to_owned())
}
