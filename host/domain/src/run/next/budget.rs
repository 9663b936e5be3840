//! Whether a step can begin with what is left of the budget.

use super::super::MAX_UNDER_WAY;
use super::super::event::Event;
use super::super::state::Run;

impl Run {
    /// The event by which a step begins, where enough is left for it, and the end of the run
    /// where nothing is. `None` while what is under way may take the rest, or is as much as may
    /// be: then the step waits for that.
    pub fn to_begin(&self, begins: Event) -> Option<Event> {
        match short_with(self, self.under_way.len() as u64) {
            None if self.is_crowded_with(0) => None,
            None => Some(begins),
            Some(_) if self.is_moving() => None,
            Some(what) => Some(used_up(self, what)),
        }
    }

    /// Whether no step can begin before something ends that is under way.
    pub fn is_held(&self) -> bool {
        let under_way = self.under_way.len() as u64;
        self.is_moving() && (self.is_crowded_with(0) || short_with(self, under_way).is_some())
    }

    /// Whether as many steps are under way as may be at once, with so many more. A workflow is
    /// one of them at most, so that the others end by themselves and make room.
    pub(in crate::run) fn is_crowded_with(&self, more: u64) -> bool {
        self.under_way.len() as u64 + more >= MAX_UNDER_WAY
    }

    /// Whether something is under way that ends by itself. A workflow does not: it waits for
    /// what it asked for.
    pub(in crate::run) fn is_moving(&self) -> bool {
        self.under_way().any(|step| self.steps.get(step as usize).is_some_and(|step| !step.action.is_drive()))
    }
}

/// What of the budget is used up, where so many steps are under way, which are not counted
/// yet and will be.
pub(in crate::run) fn short_with(run: &Run, under_way: u64) -> Option<&'static str> {
    let mut spent = run.spend;
    spent.steps = spent.steps.saturating_add(under_way);
    run.spec.budget.exhausted(&spent)
}

/// The end of a run whose budget is used up.
pub(in crate::run) fn used_up(run: &Run, what: &str) -> Event {
    let message = format!("the run's budget of {what} is used up");
    Event::Failed { code: "BUDGET_EXHAUSTED".to_owned(), message, partial: run.partial() }
}
