//! `..` behind a folder that is there.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "sub/../../beside/secret.txt")
}
