//! `..` as it stands in a URL.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "%2e%2e/beside/secret.txt")
}
