//! Folders of the host that may be granted.

use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_domain::authority::{Access, FsMount};

use super::error::MountError;

/// The same mount with the folder's own path: absolute, without symlinks.
pub(super) fn canonical(mount: FsMount) -> Result<FsMount, MountError> {
    let FsMount { root, host: path, access } = mount;
    match fs::canonicalize(&path) {
        Ok(host) if host.is_dir() => Ok(FsMount { root, host, access }),
        Ok(_) => Err(MountError::NotAFolder { root, path }),
        Err(error) => Err(MountError::Missing { root, path, error }),
    }
}

/// What no grant may reach.
pub(super) struct Guarded<'a> {
    /// The folder of the journal, which nobody may see.
    pub(super) home: &'a Path,
    /// Folders of the host that nobody may write to.
    pub(super) unwritable: &'a [PathBuf],
}

/// Whether `mounts`, whose paths are canonical, may stand in one grant.
pub(super) fn check(mounts: &[FsMount], guarded: &Guarded<'_>) -> Result<(), MountError> {
    for (index, mount) in mounts.iter().enumerate() {
        guarded.check(mount)?;
        mounts[..index].iter().try_for_each(|other| check_pair(other, mount))?;
    }
    Ok(())
}

/// The same for mounts of a grant that was given before: each folder must still
/// be where it was, because a symlink in its place would lead a guest elsewhere.
pub(super) fn check_stored(mounts: &[FsMount], guarded: &Guarded<'_>) -> Result<(), MountError> {
    for mount in mounts {
        let now = canonical(mount.clone())?.host;
        if now != mount.host {
            return Err(MountError::Moved { root: mount.root.clone(), path: mount.host.clone(), now });
        }
    }
    check(mounts, guarded)
}

impl Guarded<'_> {
    /// The paths of the guarded folders are found anew each time: they may be
    /// made after the host has started.
    fn check(&self, mount: &FsMount) -> Result<(), MountError> {
        let path = || mount.host.clone();
        if fs::canonicalize(self.home).is_ok_and(|home| home.starts_with(&mount.host)) {
            return Err(MountError::HoldsGrants { path: path() });
        }
        let overlaps = |folder: &PathBuf| {
            fs::canonicalize(folder)
                .is_ok_and(|folder| folder.starts_with(&mount.host) || mount.host.starts_with(folder))
        };
        match self.unwritable.iter().find(|folder| mount.access == Access::ReadWrite && overlaps(folder)) {
            Some(folder) => Err(MountError::Unwritable { path: path(), folder: folder.clone() }),
            None => Ok(()),
        }
    }
}

fn check_pair(first: &FsMount, second: &FsMount) -> Result<(), MountError> {
    if first.root.contains(&second.root) || second.root.contains(&first.root) {
        return Err(MountError::GuestOverlap { first: first.root.clone(), second: second.root.clone() });
    }
    let (read, written) = match (first.access, second.access) {
        (Access::Read, Access::ReadWrite) => (&first.host, &second.host),
        (Access::ReadWrite, Access::Read) => (&second.host, &first.host),
        (Access::Read, Access::Read) | (Access::ReadWrite, Access::ReadWrite) => return Ok(()),
    };
    if read.starts_with(written) || written.starts_with(read) {
        return Err(MountError::HostOverlap { read: read.clone(), written: written.clone() });
    }
    Ok(())
}
