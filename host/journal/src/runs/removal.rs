//! How runs that ended long ago are removed, in transactions of bounded size.
//!
//! A run is first taken out of every table by which it is found, and noted as
//! removed; then its events go, some in each transaction. So nobody sees half a
//! run, and a removal that was cut off goes on with the next one.

use std::time::SystemTime;

use redb::ReadableTable;

use super::change;
use crate::Journal;
use crate::calls::millis;
use crate::error::JournalError;
use crate::tables::{Applied, Tables};

/// Segments of events, and runs besides, that one transaction removes: few enough that the
/// appends which wait behind it don't notice.
const STEP: usize = 256;

/// What a step counts for in the writer's batch: a changed key of each row.
const STEP_BYTES: usize = STEP << 6;

/// What one transaction did.
struct Step {
    /// Runs that were taken away.
    runs: usize,
    /// Whether there may be more to do.
    more: bool,
}

impl Journal {
    /// Removes runs that have ended and whose last event is older than `before`, the
    /// oldest first, at most `limit` of them: with their events, their keys and the
    /// teams that no other run has. Answers with their number.
    pub async fn remove_runs(&self, before: SystemTime, limit: usize) -> Result<usize, JournalError> {
        let before = millis(before);
        let mut removed: usize = 0;
        loop {
            let room = limit.saturating_sub(removed);
            let work = move |tables: &mut Tables<'_>| step(tables, before, room);
            let step = self.writer.submit(STEP_BYTES, work).await?;
            removed += step.runs;
            if !step.more {
                return Ok(removed);
            }
        }
    }
}

fn step(tables: &mut Tables<'_>, before: u64, room: usize) -> Applied<Step> {
    let (mut runs, mut left) = (0, STEP);
    while left > 0 {
        if let Some(id) = half_removed(tables)? {
            let segments = remove_segments(tables, &id, left)?;
            if segments < left {
                tables.removed_runs.remove(id.as_str())?;
            }
            left = left.saturating_sub(segments.max(1));
        } else if runs < room
            && let Some((ended, id)) = oldest(tables, before)?
        {
            take_away(tables, ended, &id)?;
            runs += 1;
            left -= 1;
        } else {
            return Ok(Step { runs, more: false });
        }
    }
    Ok(Step { runs, more: true })
}

/// A run that was taken away and whose events may still be there.
fn half_removed(tables: &mut Tables<'_>) -> Applied<Option<String>> {
    let first = tables.removed_runs.read()?.first()?;
    Ok(first.map(|(id, _)| id.value().to_owned()))
}

/// The run that ended first, if that was before `before`.
fn oldest(tables: &mut Tables<'_>, before: u64) -> Applied<Option<(u64, String)>> {
    let first = tables.ended_runs.read()?.first()?.map(|(row, _)| {
        let (ended, id) = row.value();
        (ended, id.to_owned())
    });
    Ok(first.filter(|(ended, _)| *ended < before))
}

/// Takes a run out of the tables by which it is found.
fn take_away(tables: &mut Tables<'_>, ended: u64, id: &str) -> Applied<()> {
    tables.ended_runs.remove((ended, id))?;
    let Some(head) = change::head(tables, id)? else {
        return Ok(());
    };
    tables.runs.remove(id)?;
    if let Some((scope, key)) = &head.key {
        tables.run_keys.remove((scope.as_str(), key.as_str()))?;
    }
    release_team(tables, &head.team)?;
    remove_cuts(tables, id)?;
    tables.removed_runs.insert(id, ())?;
    Ok(())
}

fn release_team(tables: &mut Tables<'_>, digest: &[u8; 32]) -> Applied<()> {
    let uses = tables.team_uses.get(digest)?.map_or(0, |uses| uses.value());
    if uses > 1 {
        tables.team_uses.insert(digest, uses - 1)?;
    } else {
        tables.team_uses.remove(digest)?;
        tables.teams.remove(digest)?;
    }
    Ok(())
}

/// Removes what was cut of a run, which is little by its limit.
fn remove_cuts(tables: &mut Tables<'_>, id: &str) -> Applied<()> {
    let mut numbers = Vec::new();
    for row in tables.cut_events.read()?.range((id, 0)..=(id, u64::MAX))? {
        let (key, _) = row?;
        numbers.push(key.value().1);
    }
    for number in numbers {
        tables.cut_events.remove((id, number))?;
    }
    Ok(())
}

/// Removes up to `most` segments of a run and answers with their number.
fn remove_segments(tables: &mut Tables<'_>, id: &str, most: usize) -> Applied<usize> {
    let mut firsts = Vec::new();
    for row in tables.run_segments.read()?.range((id, 0)..=(id, u64::MAX))?.take(most) {
        let (key, _) = row?;
        firsts.push(key.value().1);
    }
    for first in &firsts {
        tables.run_segments.remove((id, *first))?;
    }
    Ok(firsts.len())
}
