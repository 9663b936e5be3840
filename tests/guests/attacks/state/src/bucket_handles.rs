//! Buckets opened and none dropped.

use crate::{name, store};
use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(store::open("").map_err(name)?);
    }
    Ok(format!("{} buckets", held.len()))
}
