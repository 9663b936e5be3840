//! The fold: a run as its events made it.

mod check;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::MAX_ATTEMPTS;
use super::event::{Action, Event, Record, Role, StepResult};
use super::spend::Spend;
use super::status::{EventKind, Status};
use super::strategy::{InvalidSpec, RunSpec};
use super::task::{Task, TaskOutcome};
use super::team::{Member, Team};
use crate::limits::LimitsRequest;

/// A run as its events made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What was asked for.
    pub spec: RunSpec,
    /// Who is at work.
    pub team: Arc<Team>,
    /// Where it stands.
    pub status: Status,
    /// What agents were given to do, by number.
    pub tasks: Vec<Task>,
    /// What models and skills were asked, by number.
    pub steps: Vec<Step>,
    /// Work that agents gave to others, by number.
    pub handoffs: Vec<Handoff>,
    /// What it took.
    pub spend: Spend,
    /// When it was taken up, in milliseconds since 1970.
    pub queued_at: u64,
    /// When it began, or began anew by a person's wish.
    pub started_at: Option<u64>,
    /// When the last event happened.
    pub updated_at: u64,
    /// The number of the last event, counted from 1.
    pub last: u64,
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// Tasks that have not ended.
    pub(super) open: BTreeSet<u32>,
    /// Steps that are under way.
    pub(super) under_way: BTreeSet<u32>,
    /// Steps that wait for a person, for their time, or for their turn.
    pub(super) waiting: BTreeSet<u32>,
}

/// What was asked of a model or a skill.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// For which task.
    pub task: u32,
    /// What.
    pub action: Action,
    /// How often, counted from 1.
    pub attempt: u32,
    /// How often it failed in a way that may pass.
    pub failures: u32,
    /// Where it stands.
    pub state: StepState,
}

/// Work that an agent gave to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handoff {
    /// The task of the giver.
    pub from: u32,
    /// Who is to go on.
    pub to: String,
    /// All that the receiver is told.
    pub context: String,
    /// How many were given the work before, one behind the other.
    pub depth: u32,
    /// Where it stands.
    pub state: HandoffState,
}

/// Where a handoff stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffState {
    /// A person has to agree.
    Asked,
    /// Nobody has to, and it is taken next.
    Offered,
    /// The receiver has it: its task, once that is open.
    Accepted(Option<u32>),
    /// The receiver was done.
    Completed,
    /// The giver went on.
    Returned,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Somebody was asked, and has not answered.
    UnderWay,
    /// A person has to say yes first: the id of the question.
    Awaiting(String),
    /// It may begin again.
    Ready,
    /// It failed, and may begin again after a while.
    Backoff,
    /// The host stopped while it was under way, and it can't simply be made again.
    CutOff,
    /// The run ended while it was under way.
    Abandoned,
    /// It is answered, or has failed for good.
    Ended,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum RunOutcome {
    /// With an output.
    Completed {
        /// A text, or a list.
        output: Value,
    },
    /// With none.
    Failed {
        /// A stable name.
        code: String,
        /// For people.
        message: String,
        /// What there is in place of an output.
        partial: Value,
    },
    /// By a person.
    Cancelled {
        /// Who.
        by: String,
        /// Why.
        reason: Option<String>,
    },
}

/// An event that can't follow on what was before. The run is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// The status forbids it.
    #[error("`{event}` can't happen to a run that is {status}")]
    Status {
        /// What was to happen.
        event: EventKind,
        /// Where the run stands.
        status: Status,
    },
    /// The first event must be the one that takes the run up.
    #[error("`{0}` can't be the first event of a run")]
    First(EventKind),
    /// What is asked for makes no sense.
    #[error(transparent)]
    Spec(#[from] InvalidSpec),
    /// The event doesn't fit to the tasks and steps that there are.
    #[error("`{event}` doesn't fit: {problem}")]
    Unfit {
        /// What was to happen.
        event: EventKind,
        /// Why not.
        problem: &'static str,
    },
}

impl Run {
    /// The run that its first event makes.
    pub fn begin(record: &Record, team: Arc<Team>) -> Result<Self, IllegalEvent> {
        let Event::Queued { spec } = &record.event else { return Err(IllegalEvent::First(record.event.kind())) };
        spec.strategy.check(&team)?;
        Ok(Self {
            spec: (**spec).clone(),
            team,
            status: Status::Queued,
            tasks: Vec::new(),
            steps: Vec::new(),
            handoffs: Vec::new(),
            spend: Spend::default(),
            queued_at: record.at,
            started_at: None,
            updated_at: record.at,
            last: 1,
            outcome: None,
            open: BTreeSet::new(),
            under_way: BTreeSet::new(),
            waiting: BTreeSet::new(),
        })
    }

    /// Takes one event more. What can't follow changes nothing.
    pub fn apply(&mut self, record: &Record) -> Result<(), IllegalEvent> {
        let event = record.event.kind();
        let targets = self.status.after(event);
        if targets.is_empty() {
            return Err(IllegalEvent::Status { event, status: self.status });
        }
        self.check(&record.event).map_err(|problem| IllegalEvent::Unfit { event, problem })?;
        self.change(record);
        self.status = match targets {
            [target] => *target,
            _ if self.awaits() => Status::WaitingApproval,
            _ => Status::Running,
        };
        self.updated_at = record.at;
        self.last += 1;
        Ok(())
    }

    /// Steps that are under way, by number.
    pub fn under_way(&self) -> impl Iterator<Item = u32> + '_ {
        self.under_way.iter().copied()
    }

    /// Steps that failed and begin again after a while, by number.
    pub fn backing_off(&self) -> impl Iterator<Item = u32> + '_ {
        self.waiting.iter().copied().filter(|step| self.is(*step, |state| *state == StepState::Backoff))
    }

    /// Steps that wait for a person, with the ids of the questions.
    pub fn awaiting(&self) -> impl Iterator<Item = (u32, &str)> + '_ {
        self.waiting.iter().filter_map(|number| match &self.steps.get(*number as usize)?.state {
            StepState::Awaiting(approval) => Some((*number, approval.as_str())),
            _ => None,
        })
    }

    /// Steps that a stop of the host cuts off, and that can't simply be made again.
    pub fn unrepeatable(&self) -> Vec<u32> {
        self.under_way()
            .filter(|step| self.steps.get(*step as usize).is_some_and(|it| !it.action.is_repeatable()))
            .collect()
    }

    /// Steps that were cut off and wait for a person's word.
    pub fn cut_off(&self) -> Vec<u32> {
        self.waiting.iter().copied().filter(|step| self.is(*step, |state| *state == StepState::CutOff)).collect()
    }

    /// What a call of the task may take of what run and agent have left.
    pub fn for_call(&self, task: u32) -> LimitsRequest {
        let of_run = self.spec.budget.for_call(&self.spend);
        let of_task = self.member(task).zip(self.tasks.get(task as usize));
        let of_task = of_task.map(|(member, task)| member.limits.budget().for_call(&task.spend));
        of_task.map_or_else(|| of_run.clone(), |of_task| of_run.least(&of_task))
    }

    /// The agent of a task.
    pub fn member(&self, task: u32) -> Option<&Member> {
        self.team.members.get(&self.tasks.get(task as usize)?.opening.agent)
    }

    /// Handoffs that wait for a person, by number.
    pub fn asked_handoffs(&self) -> impl Iterator<Item = (u32, &Handoff)> + '_ {
        let numbered = (0_u32..).zip(&self.handoffs);
        numbered.filter(|(_, handoff)| handoff.state == HandoffState::Asked)
    }

    /// How many were given the work of this task before, one behind the other.
    pub(super) fn depth(&self, task: u32) -> u32 {
        let received = |handoff: &&Handoff| handoff.state == HandoffState::Accepted(Some(task));
        self.handoffs.iter().find(received).map_or(0, |handoff| handoff.depth)
    }

    fn awaits(&self) -> bool {
        self.awaiting().next().is_some() || self.asked_handoffs().next().is_some()
    }

    fn is(&self, step: u32, what: impl Fn(&StepState) -> bool) -> bool {
        self.steps.get(step as usize).is_some_and(|step| what(&step.state))
    }

    /// What the event changes; it was checked before.
    fn change(&mut self, record: &Record) {
        match &record.event {
            Event::Queued { .. } | Event::Paused { .. } => {}
            Event::Started {} => {
                self.started_at.get_or_insert(record.at);
            }
            Event::TaskOpened { task, opening } => {
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
            }
            Event::HandoffRolledBack { handoff, reason } => {
                self.take_back(*handoff, &format!("error: HANDOFF_FAILED: {reason}; go on yourself"));
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
            Action::Model {} => task.asking = Some(number),
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
            self.settle(number, &StepResult::Failed { code: "APPROVAL_DENIED".to_owned(), message, retriable: false });
        }
    }

    fn end(&mut self, number: u32, result: &StepResult, spend: &Spend) {
        self.spend = self.spend.plus(spend);
        let Some(step) = self.steps.get_mut(number as usize) else { return };
        if let Some(task) = self.tasks.get_mut(step.task as usize) {
            task.spend = task.spend.plus(spend);
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
            (Action::Skill { .. }, result) => task.returned(number, result),
            _ => {}
        }
    }

    /// A step is not under way, and not at its end.
    fn park(&mut self, number: u32, state: StepState) {
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

    /// Begins anew what failed or was under way when the run failed. Calls that may have
    /// taken effect are not made again.
    fn retry(&mut self, budget: Option<&super::Budget>) {
        self.outcome = None;
        self.started_at = None;
        if let Some(budget) = budget {
            self.spec.budget = budget.clone();
        }
        for step in self.waiting.clone() {
            let is_abandoned = self.is(step, |state| *state == StepState::Abandoned);
            let is_repeatable = self.steps.get(step as usize).is_some_and(|step| step.action.is_repeatable());
            let is_cut_off = self.is(step, |state| *state == StepState::CutOff);
            if is_cut_off || (is_abandoned && !is_repeatable) {
                self.give_up(step);
            } else if is_abandoned || self.is(step, |state| *state == StepState::Backoff) {
                self.park(step, StepState::Ready);
            }
        }
        let failed_node = self.failed_node();
        for (number, task) in self.tasks.iter_mut().enumerate() {
            // The graph has gone on without it.
            let is_failed = matches!(task.outcome, Some(TaskOutcome::Failed { .. }));
            if is_failed && task.opening.node.is_some_and(|node| Some(node as usize) != failed_node) {
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
                self.open.insert(u32::try_from(number).unwrap_or(u32::MAX));
            }
        }
    }
}

impl Action {
    /// Whether it may simply be asked again: models always, at their cost; and a workflow,
    /// which is told what it was told before.
    pub const fn is_repeatable(&self) -> bool {
        match self {
            Self::Model {} | Self::Drive { .. } | Self::Complete { .. } | Self::Question { .. } => true,
            Self::Skill { idempotent, .. } => *idempotent,
        }
    }

    /// Whether a person answers it.
    pub const fn is_question(&self) -> bool {
        matches!(self, Self::Question { .. })
    }

    /// Whether it is a workflow that runs.
    pub const fn is_drive(&self) -> bool {
        matches!(self, Self::Drive { .. })
    }
}

impl TaskOutcome {
    /// The output, where there is one.
    pub fn output(&self) -> Option<&str> {
        match self {
            Self::Done { output } => Some(output),
            Self::Failed { .. } => None,
        }
    }
}
