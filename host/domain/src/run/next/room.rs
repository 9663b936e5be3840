//! Whether a run has room for what should begin.

use super::super::event::Event;
use super::super::state::Run;
use super::super::{MAX_INPUTS, MAX_TASKS};
use super::Plan;

/// What a run has as much of as one may have.
#[derive(Clone, Copy)]
pub(super) enum Full {
    /// Tasks.
    Tasks,
    /// Bytes of what they are asked.
    Inputs,
}

impl Plan<'_> {
    /// Whether something more can be asked this, which counts from now on.
    ///
    /// The fold takes more: a log of before this limit stays readable.
    pub(super) fn takes(&mut self, input: &str) -> bool {
        let inputs = self.inputs.saturating_add(input.len());
        if self.run.inputs.saturating_add(inputs) > MAX_INPUTS {
            self.full = Some(Full::Inputs);
            return false;
        }
        self.inputs = inputs;
        true
    }
}

impl Full {
    /// The end of a run that has no room for what should begin.
    pub(super) fn ends(self, run: &Run) -> Event {
        let (code, message) = match self {
            Self::Tasks => {
                ("MAX_TASKS", format!("the run has {MAX_TASKS} tasks, as many as one may have, and is not done"))
            }
            Self::Inputs => (
                "MAX_INPUTS",
                format!("all that the run's tasks are asked would have more than {MAX_INPUTS} bytes together"),
            ),
        };
        Event::Failed { code: code.to_owned(), message, partial: run.partial() }
    }
}
