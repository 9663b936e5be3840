//! What needs no waiting for: the first steps of a run that finds a free place, and models
//! that answer at once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bailiwick_domain::run::Event;
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_journal::Summary;
use bailiwick_journal::runs::{MAX_APPEND_BYTES, MAX_APPEND_EVENTS};
use futures::FutureExt as _;

use super::{Actor, Place};
use crate::runtime::keep;
use crate::runtime::step::{Done, died};
use crate::runtime::summary::RunSummary;

/// What becomes durable together with the run itself.
pub(in crate::runtime) struct First {
    /// The events, as they are kept.
    pub(in crate::runtime) events: Vec<Vec<u8>>,
    /// The run behind them.
    pub(in crate::runtime) summary: Summary,
}

impl Actor {
    /// What follows before a run is kept for the first time, behind an event of `size` bytes:
    /// where it finds a free place, its first steps. Nothing of it is told, and nothing begins,
    /// before [`Actor::is_kept`].
    pub(in crate::runtime) fn first(&mut self, size: usize) -> First {
        let seat = match &mut self.place {
            Place::Waiting(ticket) => ticket.seat().now_or_never(),
            Place::None | Place::Has(_) => None,
        };
        let Some(seat) = seat else { return First { events: Vec::new(), summary: keep::summary(&self.run) } };
        // So the run is kept where its first steps are more than fits.
        let taken_up = RunSummary::of(&self.run);
        self.seated(seat);
        self.follow_up();
        // With the event that takes it up, they are one append.
        let bytes = self.pending.iter().fold(size, |bytes, event| bytes.saturating_add(event.bytes.len()));
        let fits = self.pending.len() < MAX_APPEND_EVENTS && bytes <= MAX_APPEND_BYTES;
        if self.pending.is_empty() || !fits {
            return First { events: Vec::new(), summary: keep::row(&taken_up) };
        }
        let events = self.pending.iter_mut().map(|event| std::mem::take(&mut event.bytes)).collect();
        First { events, summary: keep::summary(&self.run) }
    }

    /// The run is durable, with so many of the first events.
    pub(in crate::runtime) fn is_kept(&mut self, first: usize) {
        let rest = self.pending.split_off(first);
        let kept = std::mem::replace(&mut self.pending, rest);
        self.durable.send_modify(|last| *last = last.saturating_add(first as u64));
        self.publish(kept);
    }
}

/// What comes of a step without waiting; none where it has to be waited for. Whoever asks a
/// model that answers at once needs no task of its own for it.
pub(super) fn result(work: &mut BoxFuture<'static, Done>, step: u32) -> Option<Event> {
    match catch_unwind(AssertUnwindSafe(|| work.now_or_never())) {
        Ok(done) => done.map(Done::event),
        Err(_) => Some(died(step)),
    }
}
