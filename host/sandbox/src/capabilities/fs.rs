//! Folders: preopens of the granted ones, and nothing else.
//!
//! Paths are resolved below a preopen by cap-std, one component at a time by
//! the kernel, so that neither `..` nor a symlink leads out of it.

use bailiwick_domain::authority::{Access, FsMount};
use bailiwick_domain::sandbox::InvokeError;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// Opens the granted folders for one call.
pub(crate) fn prepare(builder: &mut WasiCtxBuilder, mounts: &[FsMount]) -> Result<(), InvokeError> {
    for mount in mounts {
        open(builder, mount).map_err(|reason| InvokeError::Mount { root: mount.root.to_string(), reason })?;
    }
    Ok(())
}

fn open(builder: &mut WasiCtxBuilder, mount: &FsMount) -> Result<(), String> {
    // The grant names a folder, not whatever a symlink put in its place leads to.
    let real = mount.host.canonicalize().map_err(|error| error.kind().to_string())?;
    if real != mount.host {
        return Err("a symlink now stands in its path; grant the folder anew".to_owned());
    }
    let perms = match mount.access {
        Access::Read => FsPerms::ReadOnly,
        Access::ReadWrite => FsPerms::ReadWrite,
    };
    let opened = builder.preopened_dir(&mount.host, mount.root.as_str(), perms);
    opened.map(drop).map_err(|_| "it is not a folder that this host may open".to_owned())
}
