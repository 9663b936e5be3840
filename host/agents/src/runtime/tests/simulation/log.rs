//! The durable events of a run.

use std::sync::Arc;

use bailiwick_domain::run::{Record, Run, RunId, Team};

use crate::runtime::{ControlError, Runtime};

/// The durable events of a run.
#[derive(Default)]
pub(super) struct Log {
    pub(super) raw: Vec<Vec<u8>>,
    pub(super) records: Vec<Record>,
}

impl Log {
    pub(super) fn read(host: &Runtime, id: &RunId) -> Result<Self, ControlError> {
        let (mut raw, mut records, mut after) = (Vec::new(), Vec::new(), 0);
        loop {
            let log = host.inner.parts.journal.run_events(id.as_str(), after, usize::MAX)?;
            if let Some(damage) = log.damage {
                return Err(ControlError::Damaged { at: damage.at });
            }
            for (number, bytes) in log.events {
                let record = serde_json::from_slice(&bytes).map_err(|_| ControlError::Damaged { at: number })?;
                records.push(record);
                raw.push(bytes);
                after = number;
            }
            if after >= log.last {
                return Ok(Self { raw, records });
            }
        }
    }

    /// The run as it was before its last event, by which it ended.
    pub(super) fn before_the_end(&self, team: Arc<Team>) -> Option<Run> {
        let (_, before) = self.records.split_last()?;
        fold(before, team)
    }

    /// Whether these words are in one of the events.
    pub(super) fn mentions(&self, words: &str) -> bool {
        self.raw.iter().any(|bytes| bytes.windows(words.len()).any(|part| part == words.as_bytes()))
    }
}

/// The run that these events make; none where they can't follow on each other.
pub(super) fn fold(records: &[Record], team: Arc<Team>) -> Option<Run> {
    let (first, rest) = records.split_first()?;
    let mut run = Run::begin(first, team).ok()?;
    for record in rest {
        run.apply(record).ok()?;
    }
    Some(run)
}
