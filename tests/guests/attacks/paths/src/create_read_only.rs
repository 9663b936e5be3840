//! A file made by opening it to read, where nothing is written.

use attack_kit::wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let (open, flags) = (OpenFlags::CREATE, DescriptorFlags::READ);
    fs::archive().open_at(PathFlags::empty(), "new.txt", open, flags).map_err(fs::name)?;
    Ok("made".to_owned())
}
