//! A symlink to the folder above.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "up/beside/secret.txt")
}
