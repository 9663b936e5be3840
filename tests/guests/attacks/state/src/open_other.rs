//! The bucket of another skill, by its name.

use attack_kit::Tried;

use crate::{name, store};

pub fn attack(_: &str) -> Tried {
    for other in ["tests/other", "other", "../other", "tests/other\0", "*"] {
        match store::open(other) {
            Ok(_) => return Ok(format!("opened {other}")),
            Err(refused) => assert_eq!(name(refused), "NoSuchStore"),
        }
    }
    Err("each was refused".to_owned())
}
