//! Whether an event can follow, by the tasks and steps that there are.

use super::super::MAX_TASKS;
use super::super::action::{Action, StepResult};
use super::super::escalation::{Escalation, TryState};
use super::super::event::{Event, Role};
use super::super::task::Task;
use super::{HandoffState, Run, StepState};

impl Run {
    /// Whether the event fits to the tasks and steps that there are.
    pub(super) fn check(&self, event: &Event) -> Result<(), &'static str> {
        let require = |holds: bool, problem| if holds { Ok(()) } else { Err(problem) };
        match event {
            Event::TaskOpened { task, opening } => {
                let receives = opening.handoff.is_none_or(|it| self.handoff_is(it, &[HandoffState::Accepted(None)]));
                require(receives, "no such handoff was accepted")?;
                require(self.is_at_work(opening.subrun), "no such subrun is at work")?;
                require(*task as usize == self.tasks.len(), "tasks are counted one by one")?;
                require(self.tasks.len() < MAX_TASKS, "a run has no more tasks than this one")?;
                require(self.team.members.contains_key(&opening.agent), "the run has no such agent")
            }
            Event::StepStarted { step, task, attempt, action } => self.check_start(*step, *task, *attempt, action),
            Event::StepEnded { step, result, .. } => {
                require(self.under_way.contains(step), "the step is not under way")?;
                let action = self.steps.get(*step as usize).map(|step| &step.action);
                let is_model = matches!(action, Some(Action::Model {} | Action::Complete { .. }));
                let fits = match result {
                    StepResult::Answer { .. } => is_model,
                    StepResult::Output { .. } => !is_model,
                    StepResult::Failed { .. } => true,
                };
                require(fits, "models give answers, and skills give outputs")
            }
            Event::ApprovalRequested { step, .. } => {
                require(self.under_way.contains(step), "the step is not under way")
            }
            Event::ApprovalAnswered { step, .. } => {
                let awaits = self.is(*step, |state| matches!(state, StepState::Awaiting(_)));
                require(awaits && self.is_live(*step), "the step waits for nobody")
            }
            Event::CallAnswered { task, call, .. } => {
                let open = self.open_task(*task)?;
                require(open.open_call(call).is_some(), "no such call waits for an answer")
            }
            Event::TaskEnded { task, .. } => {
                let open = self.open_task(*task)?;
                require(!matches!(open.tries.state, TryState::Asks { .. }), "a person says whether it is tried again")?;
                require(open.asking.is_none() && !self.works(*task), "steps of the task are under way")
            }
            Event::TaskEscalated { task, to, .. } => self.check_escalated(*task, to),
            Event::TaskAnswered { task, .. } => {
                let open = self.open_task(*task)?;
                require(matches!(open.tries.state, TryState::Asks { .. }), "the task waits for nobody")
            }
            Event::AnswerRefused { task, .. } => {
                let open = self.open_task(*task)?;
                require(open.asking.is_none() && open.output().is_some(), "no answer is there to be refused")
            }
            Event::HandoffInitiated { handoff, task, call, to, .. } => {
                let open = self.open_task(*task)?;
                require(*handoff as usize == self.handoffs.len(), "handoffs are counted one by one")?;
                require(open.open_call(call).is_some(), "no such call waits for an answer")?;
                require(self.team.members.contains_key(to), "the run has no such agent")
            }
            Event::HandoffAccepted { handoff, .. } => {
                let waits = self.handoff_is(*handoff, &[HandoffState::Asked, HandoffState::Offered]);
                require(waits && self.is_offered(*handoff), "the handoff was decided before")
            }
            Event::HandoffRejected { handoff, .. } => {
                let waits = self.handoff_is(*handoff, &[HandoffState::Asked]);
                require(waits && self.is_offered(*handoff), "the handoff waits for nobody")
            }
            Event::HandoffCompleted { handoff } | Event::HandoffRolledBack { handoff, .. } => {
                let received = self.handoffs.get(*handoff as usize).and_then(|it| match it.state {
                    HandoffState::Accepted(task) => self.tasks.get(task? as usize),
                    _ => None,
                });
                require(received.is_some_and(|task| task.outcome.is_some()), "the receiver is not done")
            }
            Event::SubrunStarted { subrun, parent, node, .. } => self.check_subrun(*subrun, *parent, *node),
            Event::SubrunEnded { subrun, outcome } => {
                require((*subrun as usize) < self.subruns.len(), "there is no such subrun")?;
                require(self.is_at_work(Some(*subrun)), "the subrun has ended before")?;
                let may = outcome.output().is_none() || self.is_still(*subrun);
                require(may, "something in the subrun has not ended")
            }
            Event::GraphGrown { task, call, graph } => {
                let open = self.open_task(*task)?;
                require(open.open_call(call).is_some(), "no such call waits for an answer")?;
                require(self.with_added(*task, graph).is_ok(), "the graph can't grow like this")
            }
            Event::Recovered {} => require(self.unrepeatable().is_empty(), "a call was cut off that can't be repeated"),
            Event::Interrupted { steps } => {
                require(*steps == self.unrepeatable(), "these are not the calls that were cut off")
            }
            Event::Completed { .. } => {
                require(self.open.is_empty(), "a task has not ended")?;
                require(self.subruns.iter().all(|it| it.outcome.is_some()), "a subrun has not ended")
            }
            Event::Queued { .. }
            | Event::Started {}
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Retried { .. }
            | Event::Failed { .. }
            | Event::Cancelled { .. } => Ok(()),
        }
    }

    fn check_subrun(&self, subrun: u32, parent: Option<u32>, node: u32) -> Result<(), &'static str> {
        if subrun as usize != self.subruns.len() {
            return Err("subruns are counted one by one");
        }
        if !self.is_at_work(parent) {
            return Err("the subrun around it is not at work");
        }
        let is_there = self.graph(parent).and_then(|graph| graph.nodes.get(node as usize)?.run.as_ref()).is_some();
        let has_begun = self.subruns.iter().any(|it| it.parent == parent && it.node == node);
        match (is_there, has_begun) {
            (false, _) => Err("the graph has no such node with a strategy"),
            (true, true) => Err("the node has begun before"),
            (true, false) => Ok(()),
        }
    }

    /// Whether a task that failed can go on so.
    fn check_escalated(&self, number: u32, to: &Escalation) -> Result<(), &'static str> {
        let open = self.open_task(number)?;
        if open.opening.role == Role::Drive || open.tries.state != TryState::UnderWay {
            return Err("no agent is at work in the task");
        }
        if open.asking.is_some() || !open.calls.is_empty() || self.works(number) {
            return Err("steps of the task are under way");
        }
        match to {
            Escalation::Retry { number } if *number != open.tries.retries + 1 => Err("tries are counted one by one"),
            Escalation::Agent { name } if !self.may_get(open, name) => Err("the run has no such agent, or it had it"),
            Escalation::Retry { .. } | Escalation::Agent { .. } | Escalation::Person {} => Ok(()),
        }
    }

    fn check_start(&self, number: u32, task: u32, attempt: u32, action: &Action) -> Result<(), &'static str> {
        let open = self.open_task(task)?;
        if let Some(step) = self.steps.get(number as usize) {
            let may = matches!(step.state, StepState::Ready | StepState::Backoff);
            let same = step.task == task && step.action == *action && attempt == step.attempt + 1;
            return if may && same { Ok(()) } else { Err("the step can't begin again like this") };
        }
        if number as usize != self.steps.len() || attempt != 1 {
            return Err("steps are counted one by one");
        }
        if open.opening.role == Role::Drive {
            return self.check_driven(open, action);
        }
        if !matches!(open.tries.state, TryState::UnderWay | TryState::Waits) {
            return Err("a person says whether the task is tried again");
        }
        match action {
            Action::Model {} if open.asking.is_none() && open.calls.is_empty() && open.output().is_none() => Ok(()),
            Action::Model {} => Err("it is not the model's turn"),
            Action::Skill { call, .. } if open.open_call(call).is_some() => Ok(()),
            Action::Skill { .. } => Err("no such call waits to be made"),
            Action::Drive { .. } | Action::Complete { .. } | Action::Question { .. } => {
                Err("no workflow drives the task")
            }
        }
    }

    /// Whether a step can begin in the task of a workflow.
    fn check_driven(&self, task: &Task, action: &Action) -> Result<(), &'static str> {
        let runs = task.driver.is_some_and(|driver| self.under_way.contains(&driver));
        match action {
            Action::Drive { .. } if task.driver.is_none() => Ok(()),
            Action::Drive { .. } => Err("the task's workflow runs already, or has run"),
            Action::Model {} => Err("a workflow has no conversation of its own"),
            Action::Skill { .. } | Action::Complete { .. } | Action::Question { .. } if runs => Ok(()),
            Action::Skill { .. } | Action::Complete { .. } | Action::Question { .. } => {
                Err("the workflow does not run")
            }
        }
    }

    fn handoff_is(&self, number: u32, states: &[HandoffState]) -> bool {
        self.handoffs.get(number as usize).is_some_and(|handoff| states.contains(&handoff.state))
    }

    /// Whether the giver of a handoff is at work.
    fn is_offered(&self, number: u32) -> bool {
        self.handoffs.get(number as usize).is_some_and(|handoff| self.open.contains(&handoff.from))
    }

    fn open_task(&self, task: u32) -> Result<&Task, &'static str> {
        self.tasks.get(task as usize).filter(|task| task.outcome.is_none()).ok_or("no such task is open")
    }

    /// Whether something of the task is under way or waits.
    pub(in crate::run) fn works(&self, task: u32) -> bool {
        let of_task = |step: &&u32| self.steps.get(**step as usize).is_some_and(|it| it.task == task);
        self.under_way.iter().chain(&self.waiting).any(|step| of_task(&step))
    }
}
