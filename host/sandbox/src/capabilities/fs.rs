//! Folders: preopens of the granted ones, and nothing else.
//!
//! Paths are resolved below a preopen by cap-std, one component at a time by
//! the kernel, so that neither `..` nor a symlink leads out of it. What a guest
//! adds below a writable root is counted by [`view`] before it happens.

mod root;
mod stream;
mod view;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bailiwick_domain::authority::{Access, FsMount, GuestPath};
use bailiwick_domain::observation::{Observation, Written};
use bailiwick_domain::permit::Terms;
use bailiwick_domain::quota::Quota;
use bailiwick_domain::sandbox::InvokeError;
use bailiwick_domain::usage::Usage;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

pub(crate) use self::root::{Addition, QuotaReached, Root};
pub(crate) use self::view::{View, link};
use crate::workspace::Workspace;

/// Characters of a path in a record: the part that tells the most, cut where a
/// guest makes it too long.
const MAX_SHOWN: usize = 256;

/// The roots of one call, and which of them each open descriptor lies below.
pub(crate) struct Files {
    roots: Vec<Arc<Root>>,
    held: HashMap<u32, Held>,
}

/// An open file or folder.
#[derive(Clone)]
struct Held {
    root: Arc<Root>,
    /// As the guest sees it.
    path: String,
    /// The file is known to be as long as this, for which writes count already.
    end: u64,
}

impl Files {
    /// Adds what was written to `usage`.
    pub(crate) fn account(&self, usage: &mut Usage) {
        let used = self.roots.iter().map(|root| root.used());
        (usage.fs_written_bytes, usage.fs_made_files) =
            used.fold((0, 0), |(bytes, files), used| (bytes + used.0, files + used.1));
    }

    /// The root of the call's workspace, if it has one.
    pub(crate) fn workspace(&self) -> Option<Arc<Root>> {
        self.roots.iter().find(|root| root.path == GuestPath::workspace()).cloned()
    }

    /// Tells `observation` what was written below each root.
    pub(crate) fn tell(&self, observation: &Observation) {
        for root in &self.roots {
            let (bytes, files) = root.used();
            observation.wrote(&root.path, Written { bytes, files });
        }
    }
}

/// Opens the granted folders for one call.
pub(crate) fn prepare(
    builder: &mut WasiCtxBuilder,
    terms: &Terms,
    workspace: Option<&Workspace>,
) -> Result<Files, InvokeError> {
    let mut roots = Vec::new();
    for mount in &terms.fs {
        let opened = canonical(mount).and_then(|()| open(builder, &mount.host, &mount.root, mount.access));
        opened.map_err(|reason| InvokeError::Mount { root: mount.root.to_string(), reason })?;
        roots.push(Arc::new(Root::new(&mount.root, mount.access, mount.quota)));
    }
    if let (Some(workspace), Some(quota)) = (workspace, terms.workspace) {
        let root = open_workspace(builder, workspace, quota)?;
        roots.push(Arc::new(root.holding(workspace.held()).within(workspace.share())));
    }
    Ok(Files { roots, held: HashMap::new() })
}

fn open_workspace(builder: &mut WasiCtxBuilder, workspace: &Workspace, quota: Quota) -> Result<Root, InvokeError> {
    let root = GuestPath::workspace();
    open(builder, workspace.folder(), &root, Access::ReadWrite)
        .map_err(|reason| InvokeError::Mount { root: root.to_string(), reason })?;
    Ok(Root::new(&root, Access::ReadWrite, quota))
}

/// The grant names a folder, not whatever a symlink put in its place leads to.
fn canonical(mount: &FsMount) -> Result<(), String> {
    let real = mount.host.canonicalize().map_err(|error| error.kind().to_string())?;
    if real == mount.host { Ok(()) } else { Err("a symlink now stands in its path; grant the folder anew".to_owned()) }
}

fn open(builder: &mut WasiCtxBuilder, host: &Path, root: &GuestPath, access: Access) -> Result<(), String> {
    let perms = match access {
        Access::Read => FsPerms::ReadOnly,
        Access::ReadWrite => FsPerms::ReadWrite,
    };
    let opened = builder.preopened_dir(host, root.as_str(), perms);
    opened.map(drop).map_err(|_| "it is not a folder that this host may open".to_owned())
}

/// A guest's path below one that it holds.
fn join(folder: &str, path: &str) -> String {
    // What a guest names is kept while it is held, and must not fill the host's memory.
    shown(&format!("{folder}/{path}"))
}

/// A path for records, cut and without control characters.
fn shown(path: &str) -> String {
    let mut chars = path.chars();
    let mut text: String = chars.by_ref().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_bounded_and_plain() {
        assert_eq!(join("/work", "../x\n"), "/work/../x\\n");
        assert!(join("/work", &"a".repeat(1 << 20)).len() < MAX_SHOWN + 10);
    }
}
