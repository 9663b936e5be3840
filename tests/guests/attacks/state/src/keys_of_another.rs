//! All keys there are, and those of all others behind them.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    let page = bucket.list_keys(None).map_err(name)?;
    if page.keys.is_empty() { Err("no keys".to_owned()) } else { Ok(page.keys.join(" ")) }
}
