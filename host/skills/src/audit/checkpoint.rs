//! Signed places of the chain.

use std::sync::PoisonError;
use std::time::SystemTime;

use bailiwick_domain::digest::Digest;
use bailiwick_journal::{JournalError, Link, Shelf, Undone};
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, Signature};
use super::record::moment;
use super::{Audit, AuditKey};

/// What is signed begins with this, so that no other text can be taken for it.
const DOMAIN: &str = "bailiwick audit checkpoint 1";

/// A statement of a host that its chain had reached a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The place.
    pub seq: u64,
    /// The digest of the record there.
    pub hash: Digest,
    /// When it was signed: RFC 3339 in UTC.
    pub at: String,
    /// Whether an export ends here.
    pub end: bool,
    /// The public key of the host.
    pub key: String,
    /// The signature in base64.
    pub signature: String,
}

/// The chain lacks what a checkpoint says it had.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The chain can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The checkpoint can't be read.
    #[error("the checkpoint at record {0} can't be read")]
    Unreadable(String),
    /// The signature is not that of the host's key.
    #[error("the checkpoint at record {0} was not signed by this host's key")]
    Forged(u64),
    /// The chain ends before the checkpoint.
    #[error("a checkpoint says that the chain had {seq} records, and it has {found}: its end was cut off")]
    Cut {
        /// Records then.
        seq: u64,
        /// Records now.
        found: u64,
    },
    /// Another record stands where the checkpoint was made.
    #[error("record {0} is not the one that a checkpoint was made of: the chain was written anew")]
    Rewritten(u64),
}

impl Checkpoint {
    pub(super) fn sign(key: &AuditKey, link: Link, at: SystemTime, end: bool) -> Self {
        let unsigned = Self {
            seq: link.seq,
            hash: link.hash,
            at: moment(at),
            end,
            key: key.public().to_string(),
            signature: String::new(),
        };
        let signature = key.sign(&unsigned.statement()).to_string();
        Self { signature, ..unsigned }
    }

    /// Whether `key` signed exactly this.
    pub(super) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signature = self.signature.parse::<Signature>();
        signature.is_ok_and(|signature| key.verifies(&self.statement(), &signature))
    }

    fn statement(&self) -> String {
        format!("{DOMAIN}\n{}\n{}\n{}\n{}", self.seq, self.hash, self.at, self.end)
    }
}

impl Audit {
    /// Signs the place that the chain has reached, keeps the statement, and tells the
    /// log, from which it should leave the machine. Nothing is done where the last
    /// checkpoint is of the same place.
    pub async fn checkpoint(&self) -> Result<Option<Checkpoint>, JournalError> {
        let head = self.journal.head()?;
        let last = *self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        if head.seq == 0 || last == Some(head) {
            return Ok(None);
        }
        let checkpoint = Checkpoint::sign(&self.key, head, self.clock.now(), false);
        let document = serde_json::to_vec(&checkpoint).unwrap_or_default();
        let key = format!("{:020}", head.seq);
        let kept = self.journal.update(move |batch| {
            batch.put(Shelf::Checkpoints, key, document);
            Ok::<_, Undone>(Ok::<(), std::convert::Infallible>(()))
        });
        match kept.await? {
            Ok(()) => *self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner) = Some(head),
            Err(never) => match never {},
        }
        tracing::info!(
            seq = checkpoint.seq,
            hash = %checkpoint.hash,
            at = checkpoint.at,
            signature = checkpoint.signature,
            "audit checkpoint"
        );
        Ok(Some(checkpoint))
    }

    /// Every checkpoint that is kept, in the order of the chain.
    pub(super) fn checkpoints(&self) -> Result<Vec<Checkpoint>, CheckpointError> {
        let read = |(key, document): (String, Vec<u8>)| {
            serde_json::from_slice(&document).map_err(|_| CheckpointError::Unreadable(key))
        };
        self.journal.documents(Shelf::Checkpoints)?.into_iter().map(read).collect()
    }

    /// Holds the chain against the last checkpoint that was made of it.
    pub(super) fn check_last_checkpoint(&self) -> Result<(), CheckpointError> {
        let Some(last) = self.checkpoints()?.pop() else { return Ok(()) };
        if !last.is_signed_by(&self.key.public()) {
            return Err(CheckpointError::Forged(last.seq));
        }
        match self.journal.record(last.seq)? {
            None => Err(CheckpointError::Cut { seq: last.seq, found: self.journal.head()?.seq }),
            Some(entry) if Digest::of(entry.record.as_bytes()) != last.hash => {
                Err(CheckpointError::Rewritten(last.seq))
            }
            Some(entry) => {
                *self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry.link);
                Ok(())
            }
        }
    }
}
