//! The root itself moved below itself.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let work = fs::work();
    work.rename_at(".", &work, "sub/root").map_err(fs::name)?;
    Ok("moved".to_owned())
}
