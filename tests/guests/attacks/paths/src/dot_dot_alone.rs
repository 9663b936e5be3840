//! The folder above the root.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let above = fs::folder(&fs::work(), "..")?;
    fs::read(&above, "beside/secret.txt")
}
