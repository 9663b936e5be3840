//! A function that calls itself without end.

use attack_kit::Tried;
use std::hint::black_box;

pub fn attack(_: &str) -> Tried {
    Ok(down(u64::MAX).to_string())
}

fn down(depth: u64) -> u64 {
    let frame = black_box([depth; 8]);
    if depth == 0 { 0 } else { down(depth - 1).wrapping_add(frame[(depth % 8) as usize]) }
}
