//! What happened, for those who ask later: the audit chain.
//!
//! Every call, refusal, grant and approval leaves a record that is durable before
//! anybody is told of it. A record holds the digest of the one before, so that no
//! edit, removal or reordering goes unseen; checkpoints, signed with a key of
//! this host, make it visible when the end is cut off.

mod checkpoint;
mod export;
mod key;
mod package;
mod query;
pub(crate) mod record;
mod verify;

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::receipt::Receipt;
use bailiwick_journal::{Journal, JournalError, Link, Shelf, Undone};
use tokio::task::JoinHandle;

pub use self::checkpoint::{Checkpoint, CheckpointError};
pub use self::export::Export;
pub use self::key::{AuditKey, AuditKeyError, PublicKey};
pub use self::package::{PackageEvent, PackageStep};
pub use self::query::{AuditPage, AuditQuery};
pub use self::record::moment;
pub use self::verify::{Verified, VerifyError, verify};
use crate::grants::GrantEntry;
use crate::policy::{Basis, Refusal};
use crate::skill::Skill;
pub use bailiwick_journal::Entry;

/// Permits that are remembered as written; there is one for each skill and grant in use.
const MAX_KNOWN: usize = 4096;

/// Writes the chain and reads it.
pub struct Audit {
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    key: AuditKey,
    /// Permits that the chain holds already, as far as this process knows.
    permits: Mutex<HashSet<Digest>>,
    /// The place of the last checkpoint.
    checkpoint: Mutex<Option<Link>>,
}

impl Audit {
    /// The chain of `journal`, with the key in the file at `key`, which is made where there is none.
    ///
    /// # Errors
    ///
    /// When the key can't be used, or when the chain lacks what its last checkpoint says it had.
    pub fn open(journal: Arc<Journal>, key: &Path, clock: Arc<dyn Clock>) -> Result<Self, AuditKeyError> {
        let key = AuditKey::open(key)?;
        let audit = Self { journal, clock, key, permits: Mutex::default(), checkpoint: Mutex::default() };
        if let Err(error) = audit.check_last_checkpoint() {
            // The host goes on, because a host that can't start can't be asked either.
            tracing::error!("the audit chain is not as it was left: {error}");
        }
        Ok(audit)
    }

    /// The key that signs checkpoints.
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// Records how a call ended, and its permit where the chain doesn't have it yet.
    pub async fn call(&self, receipt: &Receipt, basis: &Basis, approval: Option<&str>) -> Result<(), JournalError> {
        let now = self.clock.now();
        let body = record::call(now, receipt, &basis.id, approval);
        if self.knows(&basis.id) {
            return self.journal.append(body).await.map(drop);
        }
        let (id, permit) = (basis.id, record::permit(now, basis));
        let written = self.journal.update(move |batch| {
            if batch.get(Shelf::Permits, &id.hex())?.is_none() {
                batch.put(Shelf::Permits, id.hex(), Vec::new());
                batch.append(permit);
            }
            batch.append(body);
            Ok::<_, Undone>(Ok::<(), std::convert::Infallible>(()))
        });
        match written.await? {
            Ok(()) => self.remember(id),
            Err(never) => match never {},
        }
        Ok(())
    }

    /// Records that policy refused a call.
    pub async fn refusal(
        &self,
        invocation: &Invocation,
        skill: &Skill,
        tool: &str,
        arguments: Digest,
        refusal: &Refusal,
    ) -> Result<(), JournalError> {
        let body = record::refusal(self.clock.now(), invocation, skill, tool, arguments, refusal);
        self.journal.append(body).await.map(drop)
    }

    /// Records what calls are about to be observed, and within which bounds.
    pub(crate) async fn observation_begun(
        &self,
        about: &record::Observed,
        within: &GrantEntry,
    ) -> Result<(), JournalError> {
        let body = record::observation_begun(self.clock.now(), about, &within.told());
        self.journal.append(body).await.map(drop)
    }

    /// Records how an observation ended and what its calls did, on a task of its own, so
    /// that it is written also where nobody waits for it. `None` where no task can run.
    pub(crate) fn observation_ended(
        self: &Arc<Self>,
        about: &record::Observed,
        outcome: &str,
        calls: &[record::ObservedCallRecord],
    ) -> Option<JoinHandle<Result<(), JournalError>>> {
        let body = record::observation_ended(self.clock.now(), about, outcome, calls);
        let journal = Arc::clone(&self.journal);
        let write = async move {
            let written = journal.append(body).await.map(drop);
            if let Err(error) = &written {
                tracing::error!(%error, "the end of an observation can't be recorded");
            }
            written
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            return Some(runtime.spawn(write));
        }
        // The runtime is gone, and with it the host.
        tracing::error!("an observation was cancelled after the runtime had ended, and its end is not recorded");
        None
    }

    /// Records a call whose caller went away, on a task of its own.
    pub(crate) fn cancelled(self: &Arc<Self>, receipt: Receipt, basis: Arc<Basis>, approval: Option<String>) {
        let audit = Arc::clone(self);
        let write = async move {
            if let Err(error) = audit.call(&receipt, &basis, approval.as_deref()).await {
                tracing::error!(%error, receipt = receipt.id, "a cancelled call can't be recorded");
            }
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(write);
        } else {
            // The runtime is gone, and with it the host.
            tracing::error!("a call was cancelled after the runtime had ended, and is not recorded");
        }
    }

    /// Up to `limit` records behind the place `after`.
    pub fn chain(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.journal.chain(after, limit)
    }

    fn knows(&self, permit: &Digest) -> bool {
        self.permits.lock().unwrap_or_else(PoisonError::into_inner).contains(permit)
    }

    fn remember(&self, permit: Digest) {
        let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
        if permits.len() >= MAX_KNOWN {
            permits.clear();
        }
        permits.insert(permit);
    }
}
