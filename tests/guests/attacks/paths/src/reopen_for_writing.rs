//! A folder that is read opened again, with the right to change it.

use attack_kit::wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let flags = DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY;
    let again = fs::archive().open_at(PathFlags::empty(), ".", OpenFlags::DIRECTORY, flags).map_err(fs::name)?;
    fs::write(&again, "new.txt", "planted")
}
