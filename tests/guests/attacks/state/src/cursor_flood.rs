//! Cursors without end, of each of which the host has to know where it stands.

use crate::{name, store};
use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    for n in 0..1000 {
        bucket.set(&format!("{n:04}{}", "k".repeat(1000)), b"").map_err(name)?;
    }
    for _ in 0..100_000 {
        bucket.list_keys(None).map_err(name)?;
    }
    Ok("a hundred thousand cursors".to_owned())
}
