//! The chain as JSON lines, for whoever checks it elsewhere.
//!
//! A line is `{"hash":"sha256:…","record":{…}}`, where the hash is that of the
//! text of `record`, or `{"checkpoint":{…}}`. The last line is a checkpoint with
//! `"end":true`, made when the export was.

use bailiwick_domain::digest::Digest;
use bailiwick_journal::{Entry, Link};
use serde_json::value::RawValue;

use super::Audit;
use super::checkpoint::{Checkpoint, CheckpointError};

/// Records that are read at once.
const PAGE: usize = 1000;

/// The lines of an export, in pieces of some hundred kilobytes.
pub struct Export<'a> {
    audit: &'a Audit,
    checkpoints: std::iter::Peekable<std::vec::IntoIter<Checkpoint>>,
    /// The last record that is told.
    end: Link,
    told: u64,
    ended: bool,
}

impl Audit {
    /// The chain as it is now.
    pub fn export(&self) -> Result<Export<'_>, CheckpointError> {
        let end = self.journal.head()?;
        let checkpoints = self.checkpoints()?.into_iter().peekable();
        Ok(Export { audit: self, checkpoints, end, told: 0, ended: false })
    }
}

impl Iterator for Export<'_> {
    type Item = Result<String, CheckpointError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let mut lines = String::new();
        if self.told < self.end.seq {
            let left = usize::try_from(self.end.seq - self.told).unwrap_or(PAGE).min(PAGE);
            match self.audit.chain(self.told, left) {
                Ok(entries) if entries.is_empty() => self.told = self.end.seq,
                Ok(entries) => entries.iter().for_each(|entry| self.tell(entry, &mut lines)),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error.into()));
                }
            }
        }
        if self.told >= self.end.seq {
            self.ended = true;
            let end = Checkpoint::sign(&self.audit.key, self.end, self.audit.clock.now(), true);
            lines.push_str(&checkpoint_line(&end));
        }
        Some(Ok(lines))
    }
}

impl Export<'_> {
    fn tell(&mut self, entry: &Entry, lines: &mut String) {
        lines.push_str(&record_line(&entry.link.hash, &entry.record));
        self.told = entry.link.seq;
        while let Some(checkpoint) = self.checkpoints.next_if(|checkpoint| checkpoint.seq <= entry.link.seq) {
            lines.push_str(&checkpoint_line(&checkpoint));
        }
    }
}

/// The only way to write a record's line.
pub(super) fn record_line(hash: &Digest, record: &str) -> String {
    format!("{{\"hash\":\"{hash}\",\"record\":{record}}}\n")
}

/// The only way to write a checkpoint's line.
pub(super) fn checkpoint_line(checkpoint: &Checkpoint) -> String {
    let text = serde_json::to_string(checkpoint).unwrap_or_default();
    format!("{{\"checkpoint\":{text}}}\n")
}

/// A line that was read.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    #[serde(default)]
    pub(super) hash: Option<Digest>,
    #[serde(default, borrow)]
    pub(super) record: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) checkpoint: Option<Checkpoint>,
}
