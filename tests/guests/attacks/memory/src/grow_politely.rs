//! Memory asked for without a failure when there is none, and no end of asking.

use attack_kit::Tried;
use std::arch::wasm32::{memory_grow, memory_size};

pub fn attack(_: &str) -> Tried {
    let mut refusals = 0;
    while refusals < 100_000 {
        if memory_grow::<0>(16) == usize::MAX {
            refusals += 1;
        }
    }
    Err(format!("{} MiB", (memory_size::<0>() << 16) >> 20))
}
