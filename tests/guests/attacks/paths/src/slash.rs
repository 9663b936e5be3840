//! The root of the host.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let host = fs::folder(&fs::work(), "/")?;
    fs::read(&host, "etc/passwd")
}
