//! The bucket, where no state is granted.

use crate::{name, store};
use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    store::open("").map_err(name)?;
    Ok("open".to_owned())
}
