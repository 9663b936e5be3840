//! Checking an export, with nothing but the export and a public key.

use std::collections::BTreeMap;
use std::io::BufRead;

use bailiwick_domain::digest::Digest;
use bailiwick_journal::audit::ORIGIN;
use serde::Deserialize;

use super::checkpoint::Checkpoint;
use super::export::{Line, checkpoint_line, record_line};
use super::key::PublicKey;

/// Bytes of a line: more than any record has.
const MAX_LINE: u64 = 1 << 20;

/// What an export that holds together says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records in it.
    pub records: u64,
    /// Checkpoints in it, the one at its end included.
    pub checkpoints: u64,
    /// The digest of the last record.
    pub hash: Digest,
    /// When the end was signed.
    pub at: String,
    /// The key that signed.
    pub key: String,
    /// Records by kind.
    pub kinds: BTreeMap<String, u64>,
}

/// What is wrong with an export, and where.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It can't be read.
    #[error("can't read the export: {0}")]
    Read(#[from] std::io::Error),
    /// A line is not one of an export.
    #[error("line {line}: not a line of an export ({problem}): it was edited, or cut short")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A record is not the one that was hashed.
    #[error("line {line}: record {seq} has been edited: its text has the hash {found}, and the line says {said}")]
    Edited {
        /// Counted from 1.
        line: u64,
        /// Its place in the chain.
        seq: u64,
        /// The hash of what is there.
        found: Digest,
        /// The hash in the line.
        said: Digest,
    },
    /// The places don't follow each other.
    #[error(
        "line {line}: record {found} stands where record {expected} belongs: records were removed, added or reordered"
    )]
    OutOfOrder {
        /// Counted from 1.
        line: u64,
        /// The place that the record says it has.
        found: u64,
        /// The place that comes next.
        expected: u64,
    },
    /// A record doesn't name the one before it.
    #[error("line {line}: record {seq} doesn't follow the one before it: that one was exchanged")]
    Unlinked {
        /// Counted from 1.
        line: u64,
        /// The place of the record.
        seq: u64,
    },
    /// A checkpoint doesn't fit the records before it.
    #[error(
        "line {line}: a checkpoint of record {seq} doesn't fit the records before it: the chain was written anew, or cut and continued"
    )]
    Unfit {
        /// Counted from 1.
        line: u64,
        /// The place that it is of.
        seq: u64,
    },
    /// A signature is not right.
    #[error("line {line}: the checkpoint of record {seq} was not signed by {key}")]
    Forged {
        /// Counted from 1.
        line: u64,
        /// The place that it is of.
        seq: u64,
        /// The key that should have signed.
        key: String,
    },
    /// There is no end.
    #[error("the export ends after record {seq} without the signed end that each export has: its tail was cut off")]
    NoEnd {
        /// The last place that is there.
        seq: u64,
    },
    /// Something comes after the end.
    #[error("line {line}: something stands behind the signed end of the export")]
    AfterEnd {
        /// Counted from 1.
        line: u64,
    },
}

#[derive(Deserialize)]
struct Known {
    seq: u64,
    prev: Digest,
    kind: String,
}

struct Check {
    key: Option<PublicKey>,
    line: u64,
    seq: u64,
    hash: Digest,
    checkpoints: u64,
    kinds: BTreeMap<String, u64>,
    end: Option<Checkpoint>,
}

/// Checks every line of `export`: that no record was edited, removed, added or
/// reordered, and that its end is there.
///
/// Without a `key` the signatures are checked with the key that the export itself
/// names first, which shows that the end was not cut, but not whose export it is.
///
/// # Errors
///
/// The first thing that is wrong, with its line.
pub fn verify(mut export: impl BufRead, key: Option<PublicKey>) -> Result<Verified, VerifyError> {
    let mut check = Check { key, line: 0, seq: 0, hash: ORIGIN, checkpoints: 0, kinds: BTreeMap::new(), end: None };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = std::io::Read::take(&mut export, MAX_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        check.line += 1;
        check.line(&line)?;
    }
    let Some(end) = check.end else { return Err(VerifyError::NoEnd { seq: check.seq }) };
    Ok(Verified {
        records: check.seq,
        checkpoints: check.checkpoints,
        hash: check.hash,
        at: end.at,
        key: end.key,
        kinds: check.kinds,
    })
}

impl Check {
    fn line(&mut self, bytes: &[u8]) -> Result<(), VerifyError> {
        if self.end.is_some() {
            return Err(VerifyError::AfterEnd { line: self.line });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| self.malformed(&error))?;
        let line: Line<'_> = serde_json::from_str(text).map_err(|error| self.malformed(&error))?;
        match line {
            Line { hash: Some(hash), record: Some(record), checkpoint: None } => {
                if record_line(&hash, record.get()) != text {
                    return Err(self.malformed(&"not written as exports are"));
                }
                self.record(hash, record.get())
            }
            Line { hash: None, record: None, checkpoint: Some(checkpoint) } => {
                if checkpoint_line(&checkpoint) != text {
                    return Err(self.malformed(&"not written as exports are"));
                }
                self.checkpoint(checkpoint)
            }
            _ => Err(self.malformed(&"neither a record with its hash nor a checkpoint")),
        }
    }

    fn record(&mut self, said: Digest, record: &str) -> Result<(), VerifyError> {
        let line = self.line;
        let known: Known = serde_json::from_str(record).map_err(|error| self.malformed(&error))?;
        let found = Digest::of(record.as_bytes());
        if found != said {
            return Err(VerifyError::Edited { line, seq: known.seq, found, said });
        }
        if known.seq != self.seq + 1 {
            return Err(VerifyError::OutOfOrder { line, found: known.seq, expected: self.seq + 1 });
        }
        if known.prev != self.hash {
            return Err(VerifyError::Unlinked { line, seq: known.seq });
        }
        (self.seq, self.hash) = (known.seq, found);
        *self.kinds.entry(known.kind).or_default() += 1;
        Ok(())
    }

    fn checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), VerifyError> {
        let line = self.line;
        let Checkpoint { seq, hash, .. } = checkpoint;
        if (seq, hash) != (self.seq, self.hash) {
            return Err(VerifyError::Unfit { line, seq });
        }
        let key = match self.key {
            Some(key) => key,
            None => checkpoint.key.parse().map_err(|error| self.malformed(&error))?,
        };
        if checkpoint.key != key.to_string() || !checkpoint.is_signed_by(&key) {
            return Err(VerifyError::Forged { line, seq, key: key.to_string() });
        }
        self.key = Some(key);
        self.checkpoints += 1;
        if checkpoint.end {
            self.end = Some(checkpoint);
        }
        Ok(())
    }

    fn malformed(&self, problem: &dyn std::fmt::Display) -> VerifyError {
        VerifyError::Malformed { line: self.line, problem: problem.to_string() }
    }
}
