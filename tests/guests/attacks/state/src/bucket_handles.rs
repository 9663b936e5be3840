//! Buckets opened and none dropped.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(store::open("").map_err(name)?);
    }
    Ok(format!("{} buckets", held.len()))
}
