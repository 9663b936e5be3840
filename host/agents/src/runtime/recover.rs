//! Runs that a stop of the host cut off.

use std::sync::Arc;

use bailiwick_domain::run::{Event, Run, RunId, Status};

use super::error::ControlError;
use super::{Inner, Live};

/// What became of the runs that were open when the host stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Those that go on by themselves, or wait for what they waited for.
    pub resumed: usize,
    /// Those that were cut off in a call that can't simply be made again: a person
    /// decides.
    pub interrupted: usize,
    /// Those whose record is damaged. Nothing of them runs.
    pub damaged: Vec<RunId>,
}

impl Inner {
    pub(super) async fn recover(self: &Arc<Self>) -> Result<Recovered, ControlError> {
        // Looked at first: a run that begins meanwhile is open before it has any.
        let left = self.parts.skills.runs().await;
        let inner = Arc::clone(self);
        let open = tokio::task::spawn_blocking(move || inner.parts.journal.open_runs());
        let open = open.await.map_err(|_| ControlError::Stopping)??;
        let ended: Vec<RunId> = left.into_iter().filter(|run| !open.iter().any(|id| id == run.as_str())).collect();
        for run in ended {
            self.parts.skills.end_run(run).await;
        }
        let mut recovered = Recovered::default();
        for id in open {
            let Ok(id) = id.parse::<RunId>() else { continue };
            match self.open_again(&id).await {
                Ok(Status::Interrupted) => recovered.interrupted += 1,
                Ok(_) => recovered.resumed += 1,
                Err(ControlError::Damaged { at }) => {
                    tracing::error!(run = %id, at, "the record of a run is damaged; nothing of it runs");
                    recovered.damaged.push(id);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(recovered)
    }

    /// Has one run go on, and answers where it stands.
    async fn open_again(self: &Arc<Self>, id: &RunId) -> Result<Status, ControlError> {
        self.cut_torn(id).await?;
        let run = self.load(id)?;
        let status = run.status;
        if status.is_over() {
            return Ok(status);
        }
        let interrupted = !run.unrepeatable().is_empty();
        drop(self.take_up(run)?);
        Ok(if interrupted { Status::Interrupted } else { status })
    }

    /// Gives a run that an earlier process left open its actor again.
    pub(super) fn take_up(self: &Arc<Self>, run: Run) -> Result<Live, ControlError> {
        let unrepeatable = run.unrepeatable();
        let event = match run.status {
            Status::Interrupted => None,
            _ if unrepeatable.is_empty() => Some(Event::Recovered {}),
            _ => Some(Event::Interrupted { steps: unrepeatable }),
        };
        self.start(run, event.into_iter().collect(), None)
    }

    /// Cuts the last event of a run where it was not written whole. What comes before it
    /// is believed, and nothing is guessed.
    async fn cut_torn(&self, id: &RunId) -> Result<(), ControlError> {
        let mut after = 0;
        loop {
            let log = self.parts.journal.run_events(id.as_str(), after, usize::MAX)?;
            if let Some(damage) = log.damage {
                if !damage.torn {
                    return Err(ControlError::Damaged { at: damage.at });
                }
                tracing::warn!(run = %id, at = damage.at, "the last event of a run is torn, and was cut");
                return Ok(self.parts.journal.cut_run(id.as_str(), damage.at).await?);
            }
            match log.events.last() {
                Some((number, _)) if *number < log.last => after = *number,
                _ => return Ok(()),
            }
        }
    }
}
