//! A symlink that the guest makes, to a folder outside.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    work.symlink_at("../beside", "exit").map_err(fs::name)?;
    let got = fs::read(&work, "exit/secret.txt");
    work.unlink_file_at("exit").map_err(fs::name)?;
    got
}
