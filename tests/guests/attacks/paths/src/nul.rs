//! A NUL, behind which a library of C sees nothing.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "file-link\0.txt")
}
