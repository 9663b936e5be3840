//! The path of the file on the host.

use attack_kit::{Tried, fs};

pub fn attack(target: &str) -> Tried {
    fs::read(&fs::work(), target)
}
