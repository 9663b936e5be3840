//! What was told becomes durable, and then known.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_journal::runs::{MAX_APPEND_BYTES, MAX_APPEND_EVENTS};
use bailiwick_journal::{JournalError, Summary};
use tokio::time::sleep;

use super::{Actor, Pending};
use crate::runtime::keep;

/// How long the actor waits before it tries again to write what the journal did not
/// take. Nothing goes on meanwhile.
const REWRITE_AFTER: Duration = Duration::from_secs(1);

impl Actor {
    /// Makes durable what was told. False when the host stops before the journal takes it:
    /// then it was never told to anybody.
    pub(super) async fn commit(&mut self) -> bool {
        let mut events = std::mem::take(&mut self.pending);
        if events.is_empty() {
            return true;
        }
        let whole = keep::summary(&self.run);
        let id = self.run.spec.id.as_str();
        while !events.is_empty() {
            let rest = events.split_off(fitting(&events));
            let after = *self.durable.borrow();
            let open = whole.open || !rest.is_empty();
            let bytes: Arc<[Vec<u8>]> = events.iter_mut().map(|event| std::mem::take(&mut event.bytes)).collect();
            loop {
                let (parts, summary) = (&self.inner.parts, Summary { open, bytes: whole.bytes.clone() });
                match parts.journal.append_run(id, after, Arc::clone(&bytes), summary, parts.clock.now()).await {
                    Ok(last) => {
                        self.durable.send_replace(last);
                        break;
                    }
                    // Another try would end alike.
                    Err(
                        error @ (JournalError::RunMoved { .. }
                        | JournalError::NoRun(_)
                        | JournalError::TooLong { .. }
                        | JournalError::TooMany { .. }),
                    ) => {
                        tracing::error!(run = id, %error, "the journal refuses events of a run; nothing of it goes on");
                        return false;
                    }
                    Err(error) => {
                        tracing::error!(run = id, %error, "events of a run can't be kept; nothing of it goes on");
                    }
                }
                tokio::select! {
                    () = self.inner.stopping.cancelled() => return false,
                    () = sleep(REWRITE_AFTER) => {}
                }
            }
            self.publish(std::mem::replace(&mut events, rest));
        }
        for (answer, status) in self.answers.drain(..) {
            // Whoever went away needs no answer.
            drop(answer.send(Ok(status)));
        }
        true
    }

    /// Tells of what is durable now.
    pub(super) fn publish(&self, events: Vec<Pending>) {
        for Pending { told, spans, .. } in events {
            for told in told {
                self.inner.bus.publish(told);
            }
            for span in spans {
                self.inner.parts.tracer.record(span);
            }
        }
    }
}

/// How many of these events one append takes; one at least.
fn fitting(events: &[Pending]) -> usize {
    let mut bytes = 0;
    let fits = |event: &&Pending| {
        bytes += event.bytes.len();
        bytes <= MAX_APPEND_BYTES
    };
    events.iter().take(MAX_APPEND_EVENTS).take_while(fits).count().max(1)
}
