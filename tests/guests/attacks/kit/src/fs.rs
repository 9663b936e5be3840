//! Files by `wasi:filesystem`, without the checks of a standard library.

use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use crate::Tried;

/// Bytes that are read of a file: more than any file of the tests has.
const ALL: u64 = 64 * 1024;

/// The folder that is mounted as `root`.
pub fn mounted(root: &str) -> Descriptor {
    let found = preopens::get_directories().into_iter().find(|(_, path)| path == root);
    found.unwrap_or_else(|| panic!("{root} is not mounted")).0
}

/// The folder that may be written.
pub fn work() -> Descriptor {
    mounted("/work")
}

/// The folder that may be read.
pub fn archive() -> Descriptor {
    mounted("/archive")
}

/// The name of an error.
pub fn name(error: ErrorCode) -> String {
    error.name().to_owned()
}

/// Opens a file to read it, through symlinks.
pub fn open(root: &Descriptor, path: &str) -> Result<Descriptor, String> {
    root.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ).map_err(name)
}

/// Opens a folder, through symlinks.
pub fn folder(root: &Descriptor, path: &str) -> Result<Descriptor, String> {
    root.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::DIRECTORY, DescriptorFlags::READ).map_err(name)
}

/// What an open file says.
pub fn content(file: &Descriptor) -> Tried {
    let (bytes, _) = file.read(ALL, 0).map_err(name)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a file says.
pub fn read(root: &Descriptor, path: &str) -> Tried {
    content(&open(root, path)?)
}

/// Makes a file with this content, or replaces one.
pub fn write(root: &Descriptor, path: &str, text: &str) -> Tried {
    let open = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = root.open_at(PathFlags::SYMLINK_FOLLOW, path, open, flags).map_err(name)?;
    file.write(text.as_bytes(), 0).map_err(name)?;
    Ok(format!("wrote {path}"))
}
