//! Buckets with names of eight megabytes: a refusal must not keep what was asked for.

use attack_kit::Tried;

use crate::store;

pub fn attack(_: &str) -> Tried {
    let long = "b".repeat(8 << 20);
    for _ in 0..32 {
        assert!(store::open(&long).is_err(), "it is no bucket of this skill");
    }
    Err("each was refused".to_owned())
}
