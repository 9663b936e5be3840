//! How far a call has come, by `bailiwick:skill/progress`.
//!
//! Every skill may tell it. Whoever follows the call gets it; nothing is kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::secret::SecretSet;
use bailiwick_domain::services::{Report, Services};
use wasmtime::component::{HasData, Linker};

use super::generated::bailiwick::skill::progress;
use crate::guest::Guest;
use crate::meter::{Counted, Counters};

/// Reports that follow one another faster than people see are dropped.
const PACE: Duration = Duration::from_millis(50);

/// Bytes of a message that are passed on: a line.
const MAX_MESSAGE: usize = 200;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    progress::add_to_linker::<_, HasProgress>(linker, Guest::progress_view)
}

struct HasProgress;

impl HasData for HasProgress {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) last: &'a mut Option<Instant>,
    pub(crate) services: &'a Arc<dyn Services>,
    pub(crate) secrets: &'a SecretSet,
    pub(crate) counters: &'a Counters,
    pub(crate) clock: &'a Arc<dyn Clock>,
}

impl progress::Host for View<'_> {
    /// The interface has no error, so that a flood ends at the limit of host calls.
    async fn report(&mut self, done: u64, total: Option<u64>, message: String) -> wasmtime::Result<()> {
        self.counters.take(Counted::HostCalls, 1)?;
        let now = self.clock.instant();
        let is_end = total.is_some_and(|total| done >= total);
        let soon = self.last.is_some_and(|last| now.saturating_duration_since(last) < PACE);
        if soon && !is_end {
            return Ok(());
        }
        *self.last = Some(now);
        self.services.report(Report::Progress { done, total, message: line(message, self.secrets) });
        Ok(())
    }
}

/// One line that no terminal obeys, without secrets.
fn line(mut message: String, secrets: &SecretSet) -> String {
    secrets.redactor().clean(&mut message);
    message.truncate(message.floor_char_boundary(MAX_MESSAGE));
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
