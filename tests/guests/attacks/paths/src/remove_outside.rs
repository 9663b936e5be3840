//! A file outside removed.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::work().unlink_file_at("../beside/secret.txt").map_err(fs::name)?;
    Ok("removed".to_owned())
}
