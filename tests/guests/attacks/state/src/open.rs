//! The bucket, where no state is granted.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    store::open("").map_err(name)?;
    Ok("open".to_owned())
}
