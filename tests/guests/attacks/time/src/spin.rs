//! A computation without end.

use attack_kit::Tried;
use std::hint::black_box;

pub fn attack(_: &str) -> Tried {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
        if turns == u64::MAX {
            return Ok("every number".to_owned());
        }
    }
}
