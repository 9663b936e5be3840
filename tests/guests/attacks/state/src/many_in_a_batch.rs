//! More keys in one batch than the host takes.

use attack_kit::Tried;

use crate::{batch, name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    let entries: Vec<_> = (0..5000).map(|n| (n.to_string(), Vec::new())).collect();
    batch::set_many(&bucket, &entries).map_err(name)?;
    Ok("stored".to_owned())
}
