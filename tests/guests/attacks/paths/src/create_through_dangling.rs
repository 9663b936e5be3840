//! A file made where a symlink leads to nothing, outside.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::write(&fs::work(), "dangling", "planted")
}
