//! Cursors that this bucket did not give.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    for cursor in [0, 1, 1 << 31, u64::MAX] {
        match bucket.list_keys(Some(cursor)) {
            Ok(page) => return Ok(page.keys.join(" ")),
            Err(refused) => assert_eq!(name(refused), "Other"),
        }
    }
    Err("each was refused".to_owned())
}
