//! A run that is followed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use bailiwick_agents::{Follow, Heard};
use bailiwick_domain::run::{Record, RunId};
use bailiwick_domain::trace::TraceContext;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;

use super::{DEFAULT_LIMIT, convert, read};
use crate::problem::Failure;
use crate::state::ApiState;

/// How long to listen before looking whether the host goes down.
const LISTEN: Duration = Duration::from_millis(500);

/// So often in a row without news, and something is sent to keep the connection up: 15 s.
const KEEP_ALIVE_AFTER: u32 = 30;

/// What is told of a run, and how far that is.
pub(super) struct Telling {
    state: ApiState,
    trace: TraceContext,
    id: RunId,
    /// The number of the last event that was told.
    after: u64,
    /// Events that were read and not told.
    events: VecDeque<(u64, Record)>,
    /// Whether there may be events that were not read.
    behind: bool,
    /// What happens to the run; nothing where it has left this process.
    live: Option<Follow>,
    /// Whether there is something to hear.
    listens: bool,
}

/// What comes next.
enum Next {
    /// An event is kept, or the run has left.
    Kept {
        left: bool,
    },
    Heard(Heard),
    /// Nobody will say anything more that is not kept.
    Mute,
    /// Some of that was missed.
    Missed,
    Silence,
}

impl Telling {
    /// Begins behind the event `after`, with `events` that were read.
    pub(super) fn new(
        state: ApiState,
        trace: TraceContext,
        id: RunId,
        after: u64,
        events: Vec<(u64, Record)>,
        live: Option<Follow>,
    ) -> Self {
        Self { state, trace, id, after, events: events.into(), behind: true, live, listens: true }
    }

    pub(super) fn into_response(self) -> Response {
        let stream = futures::stream::unfold(self, |mut telling| async move {
            let event = telling.next().await?;
            Some((Ok::<_, Infallible>(event), telling))
        });
        Sse::new(stream).into_response()
    }

    async fn next(&mut self) -> Option<Event> {
        let mut quiet = 0;
        // A host that goes down lets its listeners go.
        while self.state.ready().is_set() {
            if let Some((seq, record)) = self.events.pop_front() {
                self.after = seq;
                return Some(self.told(seq, &record));
            }
            if self.behind {
                if let Err(failure) = self.read().await {
                    return Some(self.broken_off(&failure));
                }
                continue;
            }
            // All was told of a run to which nothing more happens.
            let live = self.live.as_mut()?;
            match next(live, self.listens).await {
                Next::Kept { left } => {
                    self.behind = true;
                    if left {
                        self.live = None;
                    }
                }
                Next::Heard(heard) => {
                    let (name, news) = convert::news(&self.id, heard);
                    return Some(named(name, &news));
                }
                Next::Mute => self.listens = false,
                Next::Missed => {}
                Next::Silence => {
                    quiet += 1;
                    if quiet >= KEEP_ALIVE_AFTER {
                        return Some(Event::default().comment("nothing new"));
                    }
                }
            }
        }
        None
    }

    async fn read(&mut self) -> Result<(), Failure> {
        let read = read(&self.state, self.trace, self.id.clone(), self.after, DEFAULT_LIMIT.into());
        self.events = read.await?.into();
        self.behind = !self.events.is_empty();
        Ok(())
    }

    fn told(&mut self, seq: u64, record: &Record) -> Event {
        match convert::event(&self.id, seq, record) {
            Ok(event) => named(&event.kind, &event).id(seq.to_string()),
            Err(failure) => self.broken_off(&failure),
        }
    }

    /// The last event of a stream that can't go on.
    fn broken_off(&mut self, failure: &Failure) -> Event {
        self.events.clear();
        self.behind = false;
        self.live = None;
        named("problem", failure.document())
    }
}

async fn next(live: &mut Follow, listens: bool) -> Next {
    let Follow { durable, heard } = live;
    tokio::select! {
        biased;
        // What is not kept comes first: it belongs before the event that ends it.
        heard = heard.recv(), if listens => match heard {
            Ok(heard) => Next::Heard(heard),
            Err(RecvError::Lagged(_)) => Next::Missed,
            Err(RecvError::Closed) => Next::Mute,
        },
        changed = durable.changed() => Next::Kept { left: changed.is_err() },
        () = tokio::time::sleep(LISTEN) => Next::Silence,
    }
}

fn named(name: &str, data: &impl Serialize) -> Event {
    // Text and numbers can be written.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use tokio::sync::{broadcast, watch};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_heard_comes_before_what_is_kept_and_then_the_run_leaves() {
        let (kept, durable) = watch::channel(1);
        let (say, heard) = broadcast::channel(2);
        let mut live = Follow { durable, heard };
        assert!(matches!(next(&mut live, true).await, Next::Silence));
        kept.send_replace(2);
        say.send(Heard::Again { step: 0, message: "once more".to_owned() }).expect("somebody listens");
        assert!(matches!(next(&mut live, true).await, Next::Heard(Heard::Again { step: 0, .. })));
        assert!(matches!(next(&mut live, true).await, Next::Kept { left: false }));
        drop(say);
        assert!(matches!(next(&mut live, true).await, Next::Mute));
        assert!(matches!(next(&mut live, false).await, Next::Silence));
        drop(kept);
        assert!(matches!(next(&mut live, false).await, Next::Kept { left: true }));
    }

    #[tokio::test(start_paused = true)]
    async fn who_listens_too_slowly_misses_some_and_goes_on() {
        let (_kept, durable) = watch::channel(1);
        let (say, heard) = broadcast::channel(1);
        let mut live = Follow { durable, heard };
        for step in 0..3 {
            say.send(Heard::Again { step, message: String::new() }).expect("somebody listens");
        }
        assert!(matches!(next(&mut live, true).await, Next::Missed));
        assert!(matches!(next(&mut live, true).await, Next::Heard(Heard::Again { step: 2, .. })));
    }
}
