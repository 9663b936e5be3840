//! A read and a write at the end of all offsets.

use attack_kit::wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use attack_kit::{Tried, fs};

pub fn attack(_: &str) -> Tried {
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = fs::work().open_at(PathFlags::empty(), "note.txt", OpenFlags::empty(), flags).map_err(fs::name)?;
    let read = file.read(u64::MAX, u64::MAX).map_or_else(fs::name, |(bytes, _)| format!("{} bytes", bytes.len()));
    let written = file.write(b"x", u64::MAX).map_or_else(fs::name, |count| format!("{count} written"));
    let sized = file.set_size(u64::MAX).map_or_else(fs::name, |()| "sized".to_owned());
    Err(format!("{read}, {written}, {sized}"))
}
