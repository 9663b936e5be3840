//! Between runs and the journal: what is written, and what is made of it when read.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::run::{Event, Record, Run, RunId, Team};
use bailiwick_journal::{JournalError, Summary};
use serde::Serialize;

use super::error::ControlError;
use super::summary::{RunFilter, RunSummary};
use super::{Inner, RuntimeParts};
use crate::bus::{self, Told};
use crate::spans::Trail;

/// Events that are read at once.
const PAGE: usize = 1024;

/// Bytes that are there for a text before it is written: most events, and the rows of most runs
/// in lists, have fewer.
const ROOM: usize = 512;

/// A record as it is written.
pub(super) fn bytes(record: &Record) -> Vec<u8> {
    json(record)
}

/// What is kept, as JSON.
pub(super) fn json(kept: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ROOM);
    match serde_json::to_writer(&mut bytes, kept) {
        Ok(()) => bytes,
        // Text, numbers and JSON can be written.
        Err(_) => Vec::new(),
    }
}

/// The row of a run in lists.
pub(super) fn summary(run: &Run) -> Summary {
    row(&RunSummary::of(run))
}

/// The row that shows this.
pub(super) fn row(summary: &RunSummary) -> Summary {
    Summary { open: !summary.status.is_over(), bytes: summary.bytes() }
}

/// Milliseconds since 1970, never before the run's last event: a clock may be set back.
pub(super) fn moment(parts: &RuntimeParts, run: &Run) -> u64 {
    millis(parts.clock.now()).max(run.updated_at)
}

/// Milliseconds since 1970; a clock before it reads as its start.
pub(super) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Keeps one event of a run that has no actor, and answers what there is to tell of it.
pub(super) async fn alone(inner: &Inner, run: &mut Run, event: Event) -> Result<Vec<Told>, ControlError> {
    let (parts, kind) = (&inner.parts, event.kind());
    let trail = inner.trail(run);
    let record = Record { at: moment(parts, run), event };
    let (after, status) = (run.last, run.status);
    run.apply(&record).map_err(|_| ControlError::Illegal { event: kind, status })?;
    let id = run.spec.id.as_str();
    parts.journal.append_run(id, after, vec![bytes(&record)], summary(run), parts.clock.now()).await?;
    let spans = trail.map(|mut trail| trail.heed(run, &record)).unwrap_or_default();
    for span in spans {
        parts.tracer.record(span);
    }
    Ok(bus::told(run, &record))
}

impl Inner {
    /// A run as its durable events make it.
    pub(super) fn load(&self, id: &RunId) -> Result<Run, ControlError> {
        let mut run: Option<Run> = None;
        let mut after = 0;
        loop {
            let log = self.parts.journal.run_events(id.as_str(), after, PAGE)?;
            for (number, bytes) in &log.events {
                let record = read(*number, bytes)?;
                let damaged = |_| ControlError::Damaged { at: *number };
                match &mut run {
                    None => run = Some(self.begin(id, &record)?),
                    Some(run) => run.apply(&record).map_err(damaged)?,
                }
                after = *number;
            }
            if let Some(damage) = log.damage {
                return Err(ControlError::Damaged { at: damage.at });
            }
            if log.events.is_empty() || after >= log.last {
                return run.ok_or_else(|| ControlError::Unknown(id.clone()));
            }
        }
    }

    /// What is open in the trace of a run; nothing where nobody wants spans, or its events
    /// can't be read.
    pub(super) fn trail(&self, run: &Run) -> Option<Trail> {
        if !self.parts.tracer.is_on() {
            return None;
        }
        if run.last == 1 {
            return Trail::begin(run);
        }
        let mut folded: Option<(Run, Trail)> = None;
        let mut after = 0;
        while after < run.last {
            let events = self.events(&run.spec.id, after, PAGE).ok()?;
            after = events.last()?.0;
            for (_, record) in events.iter().filter(|(number, _)| *number <= run.last) {
                if let Some((state, trail)) = &mut folded {
                    state.apply(record).ok()?;
                    // An earlier process, or actor, has told of these.
                    drop(trail.heed(state, record));
                } else {
                    let state = Run::begin(record, Arc::clone(&run.team)).ok()?;
                    let trail = Trail::begin(&state)?;
                    folded = Some((state, trail));
                }
            }
        }
        folded.map(|(_, trail)| trail)
    }

    pub(super) fn events(&self, id: &RunId, after: u64, limit: usize) -> Result<Vec<(u64, Record)>, ControlError> {
        let log = self.parts.journal.run_events(id.as_str(), after, limit)?;
        if log.last == 0 {
            return Err(ControlError::Unknown(id.clone()));
        }
        match log.damage {
            Some(damage) if log.events.is_empty() => return Err(ControlError::Damaged { at: damage.at }),
            _ => {}
        }
        log.events.iter().map(|(number, bytes)| Ok((*number, read(*number, bytes)?))).collect()
    }

    pub(super) fn list(
        &self,
        filter: &RunFilter,
        before: Option<&RunId>,
        limit: usize,
    ) -> Result<Vec<RunSummary>, ControlError> {
        let mut found = Vec::new();
        let mut last: Option<String> = before.map(|id| id.as_str().to_owned());
        // The journal looks at so many rows at once and no more.
        while found.len() < limit {
            let mut seen: Option<String> = None;
            let rows = self.parts.journal.runs(last.as_deref(), limit - found.len(), &mut |id, bytes| {
                seen = Some(id.to_owned());
                RunSummary::read(bytes).is_some_and(|summary| filter.takes(&summary))
            })?;
            found.extend(rows.iter().filter_map(|(_, bytes)| RunSummary::read(bytes)));
            match seen {
                Some(seen) => last = Some(seen),
                None => break,
            }
        }
        Ok(found)
    }

    fn begin(&self, id: &RunId, first: &Record) -> Result<Run, ControlError> {
        let damaged = || ControlError::Damaged { at: 1 };
        let Event::Queued { spec } = &first.event else { return Err(damaged()) };
        if spec.id != *id {
            return Err(damaged());
        }
        let team = self.team(&spec.team)?.ok_or_else(damaged)?;
        Run::begin(first, team).map_err(|_| damaged())
    }

    fn team(&self, digest: &Digest) -> Result<Option<Arc<Team>>, JournalError> {
        let Some(bytes) = self.parts.journal.team(digest)? else { return Ok(None) };
        // What is not as it was written is no team.
        let whole = Digest::of(&bytes) == *digest;
        Ok(serde_json::from_slice(&bytes).ok().filter(|_| whole).map(Arc::new))
    }
}

fn read(number: u64, bytes: &[u8]) -> Result<Record, ControlError> {
    serde_json::from_slice(bytes).map_err(|_| ControlError::Damaged { at: number })
}
