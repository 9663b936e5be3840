//! `..` behind a folder that is not there, which a lexical check would cut.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "nothing/../../beside/secret.txt")
}
