//! A file outside moved into the root.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    work.rename_at("../beside/secret.txt", &work, "mine").map_err(fs::name)?;
    fs::read(&work, "mine")
}
