//! Values until the disk is full.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    let value = vec![b'x'; 1 << 20];
    for n in 0..4096 {
        bucket.set(&n.to_string(), &value).map_err(|error| format!("{} at {n}", name(error)))?;
    }
    Ok("4 GiB".to_owned())
}
