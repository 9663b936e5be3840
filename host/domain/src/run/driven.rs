//! Tasks that a workflow drives: what its component asked for before, and what came of it.
//!
//! The component is no part of the fold. It runs, asks, and is told; where it has to run
//! anew, it asks the same again and is told the same, out of the results that are kept.
//! What it asks for then is found by its content, because what was asked for side by side
//! may come in another order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::action::{Action, StepResult};
use super::event::Event;
use super::next::{short_with, used_up};
use super::state::{Run, Step, StepState};
use super::task::{Task, TaskOutcome};
use super::team::Member;

/// The code of a workflow's own failure.
pub const WORKFLOW_FAILED: &str = "WORKFLOW_FAILED";

/// The code of a call that was cut off and not made again.
const INTERRUPTED: &str = "INTERRUPTED";

/// The code of a step that never took place, however often it was tried.
const MAX_RETRIES: &str = "MAX_RETRIES";

/// What a workflow asks for, held against what it asked for before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It asked for it before, by this step.
    Step(u32),
    /// It never did.
    New,
    /// It asks for something else than before, where it asked for this step.
    Diverged(u32),
}

impl Run {
    /// What a task's workflow asks for, held against what it asked for before. `taken` are
    /// the steps that it has asked for since it began to run.
    pub fn recorded(&self, task: u32, action: &Action, taken: &BTreeSet<u32>) -> Recorded {
        let results = self.tasks.get(task as usize).map(|task| &task.results);
        // What is to be asked anew has ended, and its result is forgotten.
        let is_known = |number: &u32, step: &Step| {
            step.state != StepState::Ended || results.is_some_and(|results| results.contains_key(number))
        };
        let asked = (0_u32..).zip(&self.steps).filter(|(number, step)| {
            step.task == task && !step.action.is_drive() && !taken.contains(number) && is_known(number, step)
        });
        let mut untaken = None;
        for (number, step) in asked {
            if step.action == *action {
                return Recorded::Step(number);
            }
            untaken = untaken.or(Some(number));
        }
        let may_differ = self.tasks.get(task as usize).is_none_or(|task| task.anew);
        match untaken {
            Some(number) if !may_differ => Recorded::Diverged(number),
            _ => Recorded::New,
        }
    }

    /// The event by which a workflow's wish begins; the end of the run, where its budget is
    /// used up.
    pub fn begin_asked(&self, task: u32, action: Action) -> Event {
        let begins = |step: usize| Event::StepStarted {
            step: u32::try_from(step).unwrap_or(u32::MAX),
            task,
            attempt: 1,
            action,
        };
        match short_with(self, self.under_way.len() as u64) {
            Some(what) => used_up(self, what),
            None => begins(self.steps.len()),
        }
    }

    /// What came of a step that a task's workflow asked for.
    pub fn came(&self, step: u32) -> Option<&StepResult> {
        let task = self.steps.get(step as usize)?.task;
        self.tasks.get(task as usize)?.results.get(&step)
    }

    /// Workflows that run, or would if something did not keep them waiting, by step.
    pub fn drivers(&self) -> impl Iterator<Item = u32> + '_ {
        let drives = |step: &u32| self.steps.get(*step as usize).is_some_and(|step| step.action.is_drive());
        self.under_way().filter(drives)
    }
}

impl Task {
    /// Has a workflow that ended begin anew. What it was told stays, and so does that nobody
    /// knows what came of a call; what failed without having taken effect is asked again.
    pub(super) fn drive_anew(&mut self, steps: &[Step]) {
        let Some(driver) = self.driver else { return };
        self.anew = true;
        if self.results.remove(&driver).is_some() {
            self.driver = None;
        }
        self.results.retain(|number, result| {
            let StepResult::Failed { code, .. } = result else { return true };
            let may_repeat = steps.get(*number as usize).is_some_and(|step| step.action.is_repeatable());
            code == INTERRUPTED || !(may_repeat || code == MAX_RETRIES)
        });
    }
}

impl StepResult {
    /// What a person said to a workflow's question.
    pub fn of_verdict(approved: bool, reason: Option<&str>) -> Self {
        let verdict = json!({ "approved": approved, "reason": reason });
        Self::Output { json: verdict.to_string(), failed: false }
    }

    /// The person's word, and why, where this is what one said.
    pub fn verdict(&self) -> Option<(bool, Option<String>)> {
        let Self::Output { json, .. } = self else { return None };
        let verdict: Value = serde_json::from_str(json).ok()?;
        Some((verdict.get("approved")?.as_bool()?, verdict.get("reason")?.as_str().map(str::to_owned)))
    }

    pub(super) fn of_cut_off() -> Self {
        let message = "the host stopped while this call was under way; nobody knows whether it took effect, and it was \
                       not made again";
        Self::Failed { code: INTERRUPTED.to_owned(), message: message.to_owned(), retriable: false }
    }
}

/// The step by which a task's workflow runs: the first skill of its member, with the input
/// as it was given.
pub(super) fn driver(task: &Task, member: &Member) -> Option<Action> {
    let skill = member.skills.first()?;
    Some(Action::Drive {
        skill: skill.id.clone(),
        digest: skill.digest,
        tool: skill.tools.first()?.name.clone(),
        arguments: serde_json::from_str(&task.opening.input).ok()?,
    })
}

/// How a task ends whose workflow ended so.
pub(super) fn outcome(result: &StepResult) -> TaskOutcome {
    match result {
        StepResult::Output { json, failed: false } => TaskOutcome::Done { output: json.clone() },
        StepResult::Output { json, failed: true } => {
            TaskOutcome::Failed { code: WORKFLOW_FAILED.to_owned(), message: json.clone() }
        }
        StepResult::Failed { code, message, .. } => {
            TaskOutcome::Failed { code: code.clone(), message: message.clone() }
        }
        StepResult::Answer { answer } => TaskOutcome::Done { output: answer.text.clone() },
    }
}
