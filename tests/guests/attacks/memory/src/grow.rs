//! Memory taken until there is none.

use attack_kit::Tried;
use std::hint::black_box;

pub fn attack(_: &str) -> Tried {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(black_box(vec![1; 1 << 20]));
        if held.len() == 4096 {
            return Ok("4 GiB".to_owned());
        }
    }
}
