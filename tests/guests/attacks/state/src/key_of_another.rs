//! Keys that would be those of another skill if a separator were all that parts them.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    let bucket = store::open("").map_err(name)?;
    for key in ["secret", "/secret", "tests/other/secret", "../other/secret", "\0secret", "tests/other\0secret", ""] {
        if let Some(value) = bucket.get(key).map_err(name)? {
            return Ok(String::from_utf8_lossy(&value).into_owned());
        }
    }
    Err("none of them is there".to_owned())
}
