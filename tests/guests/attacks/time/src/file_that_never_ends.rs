//! A pipe in the folder that nobody writes to: a host that opens it waits for ever.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::read(&fs::work(), "pipe")
}
