//! What begins again by itself: steps and tasks that failed in a way that may pass, each at
//! its time.

use bailiwick_domain::run::{Event, StepState, backoff};
use tokio::time::Instant;

use super::Actor;
use super::time::TimeLeft;

impl Actor {
    /// Where a step failed in a way that may pass, it has its time to begin again.
    pub(super) fn retry_later(&mut self, number: u32) {
        let Some(step) = self.run.steps.get(number as usize) else { return };
        if step.state == StepState::Backoff {
            let wait = backoff(&self.run.spec.id, number, step.failures);
            self.retries.insert(number, Instant::now() + wait);
        }
    }

    /// Where a task waits for its next try, that has its time to begin.
    pub(super) fn try_later(&mut self, number: u32) {
        let Some(task) = self.run.tasks.get(number as usize) else { return };
        let wait = backoff(&self.run.spec.id, number, task.tries.retries);
        self.rests.insert(number, Instant::now() + wait);
    }

    /// When something has to happen by itself.
    pub(super) fn alarm(&self) -> Option<Instant> {
        let end = match self.time {
            TimeLeft::Until(end) => Some(end),
            TimeLeft::All | TimeLeft::Held(_) => None,
        };
        let retries = self.retries.values().chain(self.rests.values());
        // While what is under way may take all that is left, its end is what they wait for.
        let retry = retries.copied().min().filter(|_| self.may_start() && !self.run.is_held());
        end.into_iter().chain(retry).min()
    }

    pub(super) fn ring(&mut self) {
        let now = Instant::now();
        if matches!(self.time, TimeLeft::Until(end) if end <= now) {
            let limit = self.run.spec.budget.wall();
            let message = format!("the run took longer than it may: {} s", limit.as_secs_f64());
            self.tell_or_fail(Event::Failed { code: "TIMEOUT".to_owned(), message, partial: self.run.partial() });
            return;
        }
        let due: Vec<u32> = self.retries.iter().filter(|(_, at)| **at <= now).map(|(step, _)| *step).collect();
        for number in due {
            if !self.may_start() {
                return;
            }
            let Some(step) = self.run.steps.get(number as usize) else {
                self.retries.remove(&number);
                continue;
            };
            let again = Event::StepStarted {
                step: number,
                task: step.task,
                attempt: step.attempt + 1,
                action: step.action.clone(),
            };
            let Some(event) = self.run.to_begin(again) else { return };
            self.retries.remove(&number);
            if !self.tell_or_fail(event) {
                return;
            }
        }
        self.begin_tries(now);
    }

    /// Begins the tries whose time has come.
    fn begin_tries(&mut self, now: Instant) {
        let due: Vec<u32> = self.rests.iter().filter(|(_, at)| **at <= now).map(|(task, _)| *task).collect();
        for number in due {
            if !self.may_start() {
                return;
            }
            let rests = self.run.resting().any(|task| task == number);
            let Some(event) = self.run.begin_try(number) else { return };
            self.rests.remove(&number);
            if rests && !self.tell_or_fail(event) {
                return;
            }
        }
    }
}
