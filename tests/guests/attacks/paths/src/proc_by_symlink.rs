//! A symlink to /proc, which lies in the folder.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "proc/self/environ")
}
