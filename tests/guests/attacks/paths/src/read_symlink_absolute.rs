//! What a symlink says that leads to a path of the host: that path is not for guests.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    fs::work().readlink_at("absolute-link").map_err(fs::name)
}
