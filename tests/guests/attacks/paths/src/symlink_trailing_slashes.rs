//! A symlink with many slashes and dots behind it, and not followed by its flag.

use attack_kit::wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let (flags, open) = (DescriptorFlags::READ, OpenFlags::DIRECTORY);
    let opened = fs::work().open_at(PathFlags::empty(), "folder-link//.///./", open, flags).map_err(fs::name)?;
    fs::read(&opened, "secret.txt")
}
