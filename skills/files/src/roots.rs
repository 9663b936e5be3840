//! The folders that were granted: WASI's preopens.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, DirectoryEntryStream, ErrorCode, OpenFlags, PathFlags};

use crate::exports::bailiwick::files::tools::{Access, Root};
use crate::path::{below, normalise};

/// A granted folder with the handle that opens what it holds.
pub struct Mount {
    pub root: Root,
    handle: Descriptor,
}

/// Answers the granted folders, sorted by path.
pub fn mounts() -> Vec<Mount> {
    let mount = |(handle, name): (Descriptor, String)| Mount {
        root: Root {
            access: access(&handle),
            // A name that cannot be an absolute path is shown as it is; no
            // path can be below it.
            path: normalise("/", &name).unwrap_or(name),
        },
        handle,
    };
    let mut mounts: Vec<Mount> = get_directories().into_iter().map(mount).collect();
    mounts.sort_by(|a, b| a.root.path.cmp(&b.root.path));
    mounts
}

/// Answers what is granted, without the handles.
pub fn granted() -> Vec<Root> {
    mounts().into_iter().map(|mount| mount.root).collect()
}

/// Begins to read the names in a folder. Std does this too, but stops at the
/// first name that is not UTF-8 and hides all names after it.
pub fn read_folder(mounts: &[Mount], path: &str) -> Result<DirectoryEntryStream, ErrorCode> {
    let innermost = mounts
        .iter()
        .filter_map(|mount| Some((mount, below(path, &mount.root.path)?)))
        .min_by_key(|(_, rest)| rest.len());
    match innermost {
        None => Err(ErrorCode::NoEntry),
        Some((mount, "")) => mount.handle.read_directory(),
        Some((mount, rest)) => mount
            .handle
            .open_at(PathFlags::SYMLINK_FOLLOW, rest, OpenFlags::DIRECTORY, DescriptorFlags::READ)?
            .read_directory(),
    }
}

/// What the host says about a folder. This only serves answers and messages:
/// the host decides every call on its own.
fn access(handle: &Descriptor) -> Access {
    match handle.get_flags() {
        Ok(flags) if flags.contains(DescriptorFlags::MUTATE_DIRECTORY) => Access::ReadWrite,
        _ => Access::Read,
    }
}
