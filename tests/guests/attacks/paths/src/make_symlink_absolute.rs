//! A symlink that the guest makes, to a path of the host.

use attack_kit::{Tried, fs};

pub fn attack(target: &str) -> Tried {
    fs::work().symlink_at(target, "exit").map_err(fs::name)?;
    fs::read(&fs::work(), "exit")
}
