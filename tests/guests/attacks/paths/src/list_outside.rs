//! The names in a folder outside.

use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let folder = fs::folder(&fs::work(), "folder-link")?;
    let names = folder.read_directory().map_err(fs::name)?;
    let first = names.read_directory_entry().map_err(fs::name)?;
    Ok(first.map_or("empty".to_owned(), |entry| entry.name))
}
