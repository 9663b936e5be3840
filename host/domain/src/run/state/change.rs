//! What each event changes. It was checked before.

use super::super::MAX_ATTEMPTS;
use super::super::action::{Action, StepResult};
use super::super::escalation::{DENIED, TryState};
use super::super::event::{Event, Record, Role};
use super::super::spend::{Budget, Spend};
use super::super::task::{Task, TaskOutcome};
use super::{Handoff, HandoffState, Run, RunOutcome, Step, StepState};
impl Run {
    /// What the event changes; it was checked before.
    pub(super) fn change(&mut self, record: &Record) {
        match &record.event {
            Event::Queued { .. } | Event::Paused { .. } => {}
            Event::Started {} => {
                self.started_at.get_or_insert(record.at);
            }
            Event::TaskOpened { task, opening } => {
                self.inputs = self.inputs.saturating_add(opening.input.len());
                self.tasks.push(Task::new(opening.clone()));
                self.open.insert(*task);
                if let Some(handoff) = opening.handoff {
                    self.decide_handoff(handoff, HandoffState::Accepted(Some(*task)));
                }
            }
            Event::StepStarted { step, task, attempt, action } => self.start(*step, *task, *attempt, action),
            Event::StepEnded { step, result, spend, .. } => self.end(*step, result, spend),
            Event::CallAnswered { task, call, text, opened, refused } => {
                if let Some(task) = self.tasks.get_mut(*task as usize)
                    && let Some(place) = task.open_call(call)
                {
                    task.told(place, text, opened.as_ref(), *refused);
                }
            }
            Event::TaskEnded { task, outcome } => {
                self.open.remove(task);
                if let Some(task) = self.tasks.get_mut(*task as usize) {
                    task.outcome = Some(outcome.clone());
                }
            }
            Event::TaskEscalated { task, to, code, message } => self.escalate(*task, to, code, message),
            Event::TaskAnswered { task, again, reason, .. } => self.hear_of_task(*task, *again, reason.as_deref()),
            Event::AnswerRefused { task, text } => {
                if let Some(task) = self.tasks.get_mut(*task as usize) {
                    task.refused(text);
                }
            }
            Event::HandoffInitiated { handoff, task, call, to, context, asks } => {
                let state = if *asks { HandoffState::Asked } else { HandoffState::Offered };
                let depth = self.depth(*task) + 1;
                self.handoffs.push(Handoff { from: *task, to: to.clone(), context: context.clone(), depth, state });
                if let Some(task) = self.tasks.get_mut(*task as usize)
                    && let Some(place) = task.open_call(call)
                {
                    task.calls[place].handoff = Some(*handoff);
                }
            }
            Event::HandoffAccepted { handoff, .. } => self.decide_handoff(*handoff, HandoffState::Accepted(None)),
            Event::HandoffCompleted { handoff } => self.decide_handoff(*handoff, HandoffState::Completed),
            Event::HandoffRejected { handoff, reason, .. } => {
                let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                self.take_back(*handoff, &format!("error: HANDOFF_REJECTED: a person did not want it{why}"));
                let giver = self.handoffs.get(*handoff as usize).map(|handoff| handoff.from);
                if let Some(task) = giver.and_then(|giver| self.tasks.get_mut(giver as usize)) {
                    task.denied = true;
                }
            }
            Event::HandoffRolledBack { handoff, reason } => {
                self.take_back(*handoff, &format!("error: HANDOFF_FAILED: {reason}; go on yourself"));
            }
            Event::SubrunStarted { parent, node, input, .. } => self.begin_subrun(*parent, *node, input),
            Event::SubrunEnded { subrun, outcome } => self.end_subrun(*subrun, outcome),
            Event::GraphGrown { task: number, call, graph } => {
                self.grow(*number, graph);
                if let Some(task) = self.tasks.get_mut(*number as usize)
                    && let Some(place) = task.open_call(call)
                {
                    let (nodes, edges) = (graph.nodes.len(), graph.edges.len());
                    task.told(place, &format!("added to the graph: {nodes} nodes, {edges} edges"), None, false);
                }
            }
            Event::ApprovalRequested { step, approval } => self.park(*step, StepState::Awaiting(approval.clone())),
            Event::ApprovalAnswered { step, approved, reason } => self.hear(*step, *approved, reason.as_deref()),
            Event::Resumed { repeat, .. } => self.decide(*repeat),
            Event::Recovered {} => self.put_back(&StepState::Ready),
            Event::Interrupted { steps } => {
                for step in steps {
                    self.park(*step, StepState::CutOff);
                }
                self.put_back(&StepState::Ready);
            }
            Event::Retried { budget, .. } => self.retry(budget.as_ref()),
            Event::Completed { output } => self.over(RunOutcome::Completed { output: output.clone() }),
            Event::Failed { code, message, partial } => {
                self.over(RunOutcome::Failed {
                    code: code.clone(),
                    message: message.clone(),
                    partial: partial.clone(),
                });
            }
            Event::Cancelled { by, reason } => {
                self.over(RunOutcome::Cancelled { by: by.clone(), reason: reason.clone() });
            }
        }
    }

    fn start(&mut self, number: u32, task: u32, attempt: u32, action: &Action) {
        self.waiting.remove(&number);
        self.under_way.insert(number);
        if let Some(step) = self.steps.get_mut(number as usize) {
            step.attempt = attempt;
            step.state = StepState::UnderWay;
        } else {
            let (action, state) = (action.clone(), StepState::UnderWay);
            self.steps.push(Step { task, action, attempt, failures: 0, state });
        }
        let Some(task) = self.tasks.get_mut(task as usize) else { return };
        match action {
            Action::Model {} => {
                task.asking = Some(number);
                task.tries.state = TryState::UnderWay;
            }
            Action::Skill { call, .. } => {
                if let Some(place) = task.open_call(call) {
                    task.calls[place].step = Some(number);
                }
            }
            Action::Drive { .. } => task.driver = Some(number),
            Action::Complete { .. } | Action::Question { .. } => {}
        }
    }

    /// What a person said to a step.
    fn hear(&mut self, number: u32, approved: bool, reason: Option<&str>) {
        let is_question = self.steps.get(number as usize).is_some_and(|step| step.action.is_question());
        if is_question {
            self.settle(number, &StepResult::of_verdict(approved, reason));
        } else if approved {
            self.park(number, StepState::Ready);
        } else {
            let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            let message = format!("a person denied this call{why}");
            self.settle(number, &StepResult::Failed { code: DENIED.to_owned(), message, retriable: false });
        }
    }

    fn end(&mut self, number: u32, result: &StepResult, spend: &Spend) {
        self.spend = self.spend.plus(spend);
        let Some(step) = self.steps.get_mut(number as usize) else { return };
        if let Some(task) = self.tasks.get_mut(step.task as usize) {
            task.spend = task.spend.plus(spend);
            task.tries.spend = task.tries.spend.plus(spend);
        }
        if let StepResult::Failed { retriable: true, message, .. } = result {
            step.failures += 1;
            if step.failures < MAX_ATTEMPTS {
                return self.park(number, StepState::Backoff);
            }
            let message = format!("{MAX_ATTEMPTS} tries failed, the last one so: {message}");
            let result = StepResult::Failed { code: "MAX_RETRIES".to_owned(), message, retriable: false };
            return self.settle(number, &result);
        }
        self.settle(number, result);
    }

    /// A step has its result.
    fn settle(&mut self, number: u32, result: &StepResult) {
        self.under_way.remove(&number);
        self.waiting.remove(&number);
        let Some(step) = self.steps.get_mut(number as usize) else { return };
        step.state = StepState::Ended;
        let Some(task) = self.tasks.get_mut(step.task as usize) else { return };
        if task.opening.role == Role::Drive {
            task.results.insert(number, result.clone());
            return;
        }
        match (&step.action, result) {
            (Action::Model {}, StepResult::Answer { answer }) => task.answered(answer),
            (Action::Model {}, StepResult::Failed { code, message, .. }) => task.failed(code, message),
            (Action::Skill { .. }, result) => {
                task.denied |= matches!(result, StepResult::Failed { code, .. } if code == DENIED);
                task.returned(number, result);
            }
            _ => {}
        }
    }

    /// A step is not under way, and not at its end.
    pub(in crate::run) fn park(&mut self, number: u32, state: StepState) {
        self.under_way.remove(&number);
        self.waiting.insert(number);
        if let Some(step) = self.steps.get_mut(number as usize) {
            step.state = state;
        }
    }

    /// Nothing is under way any more.
    fn put_back(&mut self, state: &StepState) {
        for step in std::mem::take(&mut self.under_way) {
            self.park(step, state.clone());
        }
    }

    /// What becomes of calls that were cut off.
    fn decide(&mut self, repeat: bool) {
        for step in self.cut_off() {
            if repeat {
                self.park(step, StepState::Ready);
            } else {
                self.give_up(step);
            }
        }
    }

    fn decide_handoff(&mut self, number: u32, state: HandoffState) {
        if let Some(handoff) = self.handoffs.get_mut(number as usize) {
            handoff.state = state;
        }
    }

    /// The giver goes on, and its model is told why.
    fn take_back(&mut self, number: u32, text: &str) {
        self.decide_handoff(number, HandoffState::Returned);
        let from = self.handoffs.get(number as usize).map(|handoff| handoff.from);
        if let Some(task) = from.and_then(|from| self.tasks.get_mut(from as usize)) {
            task.kept(number, text);
        }
    }

    fn give_up(&mut self, number: u32) {
        self.waiting.remove(&number);
        let Some(step) = self.steps.get_mut(number as usize) else { return };
        step.state = StepState::Ended;
        if let Some(task) = self.tasks.get_mut(step.task as usize) {
            task.given_up(number);
        }
    }

    fn over(&mut self, outcome: RunOutcome) {
        self.outcome = Some(outcome);
        self.put_back(&StepState::Abandoned);
    }

    /// Begins anew what failed or was under way when the run failed, and in subruns that did.
    /// Calls that may have taken effect are not made again.
    fn retry(&mut self, budget: Option<&Budget>) {
        self.outcome = None;
        self.started_at = None;
        if let Some(budget) = budget {
            self.spec.budget = budget.clone();
        }
        let anew = self.begin_anew();
        for step in self.waiting.clone() {
            let task = self.steps.get(step as usize).and_then(|step| self.tasks.get(step.task as usize));
            if !task.is_some_and(|task| anew.contains_key(&task.opening.subrun)) {
                continue;
            }
            let is_abandoned = self.is(step, |state| *state == StepState::Abandoned);
            let is_repeatable = self.steps.get(step as usize).is_some_and(|step| step.action.is_repeatable());
            let is_cut_off = self.is(step, |state| *state == StepState::CutOff);
            // A question was withdrawn when the run failed, and its call never began: it asks anew.
            let has_not_begun = self.is(step, |state| matches!(state, StepState::Backoff | StepState::Awaiting(_)));
            if is_cut_off || (is_abandoned && !is_repeatable) {
                self.give_up(step);
            } else if is_abandoned || has_not_begun {
                self.park(step, StepState::Ready);
            }
        }
        for (number, task) in (0_u32..).zip(&mut self.tasks) {
            let Some(failed_node) = anew.get(&task.opening.subrun) else { continue };
            let was_abandoned = self.abandoned.remove(&number);
            // The graph has gone on without it.
            let is_failed = matches!(task.outcome, Some(TaskOutcome::Failed { .. })) && !was_abandoned;
            if is_failed && task.opening.node.is_some_and(|node| Some(node as usize) != *failed_node) {
                continue;
            }
            // Who gave it the work has gone on without it.
            let handoff = task.opening.handoff.and_then(|handoff| self.handoffs.get(handoff as usize));
            if handoff.is_some_and(|handoff| handoff.state == HandoffState::Returned) {
                continue;
            }
            task.retry();
            task.drive_anew(&self.steps);
            if task.outcome.is_none() {
                self.open.insert(number);
            }
        }
    }
}
