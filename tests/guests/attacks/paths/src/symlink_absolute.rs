//! A symlink with the path of a folder of the host.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "absolute-link/secret.txt")
}
