//! Folders, where none is granted.

use attack_kit::Tried;
use attack_kit::wasip2::filesystem::preopens::get_directories;

pub fn attack(_: &str) -> Tried {
    let found: Vec<_> = get_directories().into_iter().map(|(_, path)| path).collect();
    if found.is_empty() { Err("nothing".to_owned()) } else { Ok(found.join(" ")) }
}
