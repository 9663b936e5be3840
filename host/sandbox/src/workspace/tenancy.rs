//! The time in which a call has a workspace that others have after it.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::ceiling::Share;
use super::measure::measure_all;

/// A part of a call's turn. The turn is over when nobody has a part of it any more.
pub(crate) type Lease = Arc<OwnedMutexGuard<()>>;

/// What a call has of a shared workspace.
pub(super) struct Tenancy {
    pub(super) files: PathBuf,
    /// Bytes that may lie there.
    pub(super) quota: u64,
    pub(super) share: Arc<Share>,
    pub(super) lease: Lease,
}

impl Tenancy {
    /// The same turn, for a command: it is not over before the command is, and what that has
    /// written is known only when it is measured.
    pub(super) fn lease(&self) -> Lease {
        self.share.doubt();
        Arc::clone(&self.lease)
    }

    /// Whether it takes the disk to end it.
    pub(super) fn blocks(&self) -> bool {
        self.share.is_unsure()
    }

    /// Ends it: what counted as written may have replaced something, or be gone again.
    pub(super) fn end(self) {
        if self.blocks() {
            self.share.found(measure_all(&self.files).on_disk, self.quota);
        }
        drop(self.lease);
    }
}
