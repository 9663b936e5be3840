//! Cheap host calls without end.

use attack_kit::Tried;
use attack_kit::wasip2::clocks::wall_clock;

pub fn attack(_: &str) -> Tried {
    let mut sum = 0_u64;
    for _ in 0..u64::MAX {
        sum = sum.wrapping_add(wall_clock::now().seconds);
    }
    Ok(sum.to_string())
}
