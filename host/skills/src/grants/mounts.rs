//! Folders of the host that may be granted.

use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_domain::authority::{Access, FsMount, GuestPath};
use bailiwick_domain::grant::Capabilities;

use super::error::MountError;

/// The folder of the workspaces of calls, in the folder of data.
pub const WORKSPACES: &str = "workspaces";

/// The same mount with the folder's own path: absolute, without symlinks.
pub(super) fn canonical(mount: FsMount) -> Result<FsMount, MountError> {
    let FsMount { root, host: path, access, quota } = mount;
    match fs::canonicalize(&path) {
        Ok(host) if host.is_dir() => Ok(FsMount { root, host, access, quota }),
        Ok(_) => Err(MountError::NotAFolder { root, path }),
        Err(error) => Err(MountError::Missing { root, path, error }),
    }
}

/// What no grant may reach.
pub(super) struct Guarded<'a> {
    /// The folder of the journal, which nobody may see.
    pub(super) home: &'a Path,
    /// Other folders and files of the host that nobody may see.
    pub(super) hidden: &'a [PathBuf],
    /// Folders and files of the host that nobody may write to.
    pub(super) unwritable: &'a [PathBuf],
}

/// Whether the folders of `given`, whose paths are canonical, may stand in one grant.
pub(super) fn check(given: &Capabilities, guarded: &Guarded<'_>) -> Result<(), MountError> {
    for mount in &given.fs {
        guarded.check(mount)?;
        if given.workspace.is_some() && mount.root.overlaps(&GuestPath::workspace()) {
            return Err(MountError::GuestOverlap { first: mount.root.clone(), second: GuestPath::workspace() });
        }
    }
    check_pairs(&given.fs)
}

/// Whether these folders, whose paths are canonical, may stand beside each other.
pub(super) fn check_pairs(mounts: &[FsMount]) -> Result<(), MountError> {
    let beside =
        |(index, mount): (usize, &FsMount)| mounts[..index].iter().try_for_each(|other| check_pair(other, mount));
    mounts.iter().enumerate().try_for_each(beside)
}

/// The same for mounts of a grant that was given before: each folder must still
/// be where it was, because a symlink in its place would lead a guest elsewhere.
pub(super) fn check_stored(given: &Capabilities, guarded: &Guarded<'_>) -> Result<(), MountError> {
    for mount in &given.fs {
        let now = canonical(mount.clone())?.host;
        if now != mount.host {
            return Err(MountError::Moved { root: mount.root.clone(), path: mount.host.clone(), now });
        }
    }
    check(given, guarded)
}

impl Guarded<'_> {
    /// The paths of the guarded folders are found anew each time: they may be
    /// made after the host has started.
    fn check(&self, mount: &FsMount) -> Result<(), MountError> {
        let path = || mount.host.clone();
        // Beside the journal: each call sees its own workspace and no other one's.
        if meet(&self.home.join(WORKSPACES), &mount.host) && !holds(&mount.host, self.home) {
            return Err(MountError::HoldsWorkspaces { path: path() });
        }
        if meet(self.home, &mount.host) {
            return Err(MountError::HoldsGrants { path: path() });
        }
        if let Some(place) = self.hidden.iter().find(|place| meet(place, &mount.host)) {
            return Err(MountError::Hidden { path: path(), place: place.clone() });
        }
        match self.unwritable.iter().find(|place| mount.access == Access::ReadWrite && meet(place, &mount.host)) {
            Some(place) => Err(MountError::Unwritable { path: path(), place: place.clone() }),
            None => Ok(()),
        }
    }
}

/// Whether one of the two is the other or lies in it. What is not there meets nothing.
fn meet(place: &Path, mount: &Path) -> bool {
    fs::canonicalize(place).is_ok_and(|place| place.starts_with(mount) || mount.starts_with(&place))
}

/// Whether `place` is the folder that is mounted or lies in it.
fn holds(mount: &Path, place: &Path) -> bool {
    fs::canonicalize(place).is_ok_and(|place| place.starts_with(mount))
}

fn check_pair(first: &FsMount, second: &FsMount) -> Result<(), MountError> {
    if first.root.overlaps(&second.root) {
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
