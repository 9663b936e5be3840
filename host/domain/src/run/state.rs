//! The fold: a run as its events made it.

mod change;
mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::action::Action;
use super::event::{Event, Record};
use super::graph::{Graph, Wiring};
use super::spend::Spend;
use super::status::{EventKind, Status};
use super::strategy::{InvalidSpec, RunSpec};
use super::subrun::{Subrun, wired};
use super::task::Task;
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
    /// Strategies of graphs' nodes that have begun, by number.
    pub subruns: Vec<Subrun>,
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
    /// Tasks that ended only because their subrun did.
    pub(super) abandoned: BTreeSet<u32>,
    /// Graphs to which something was added, by subrun; that of the run itself has none.
    pub(super) grown: BTreeMap<Option<u32>, Graph>,
    /// How the nodes of each graph hang together, by subrun as well. It follows from the graph,
    /// and is kept because it is looked at whenever something happens.
    pub(super) wiring: BTreeMap<Option<u32>, Arc<Wiring>>,
    /// Bytes of what all tasks and subruns are asked.
    pub(super) inputs: usize,
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
    /// The run ended while it was under way, or the subrun that it belongs to.
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
    /// The run that its first event makes, wherever that comes from: what it asks for is checked.
    pub fn begin(record: &Record, team: Arc<Team>) -> Result<Self, IllegalEvent> {
        let Event::Queued { spec } = &record.event else { return Err(IllegalEvent::First(record.event.kind())) };
        spec.strategy.check(&team)?;
        Ok(Self::queued(record.at, (**spec).clone(), team))
    }

    /// The same for whoever made the first event, and checked its strategy with this team before.
    pub fn begin_checked(record: Record, team: Arc<Team>) -> Result<Self, IllegalEvent> {
        match record {
            Record { at, event: Event::Queued { spec } } => {
                debug_assert!(spec.strategy.check(&team).is_ok(), "the strategy was checked with this team");
                Ok(Self::queued(at, *spec, team))
            }
            Record { event, .. } => Err(IllegalEvent::First(event.kind())),
        }
    }

    fn queued(at: u64, spec: RunSpec, team: Arc<Team>) -> Self {
        let wiring = wired(&spec.strategy).map(|wiring| (None, wiring)).into_iter().collect();
        Self {
            spec,
            team,
            status: Status::Queued,
            tasks: Vec::new(),
            steps: Vec::new(),
            handoffs: Vec::new(),
            subruns: Vec::new(),
            spend: Spend::default(),
            queued_at: at,
            started_at: None,
            updated_at: at,
            last: 1,
            outcome: None,
            open: BTreeSet::new(),
            under_way: BTreeSet::new(),
            waiting: BTreeSet::new(),
            abandoned: BTreeSet::new(),
            grown: BTreeMap::new(),
            wiring,
            inputs: 0,
        }
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
        let backs_off = |step: &u32| self.is(*step, |state| *state == StepState::Backoff) && self.is_live(*step);
        self.waiting.iter().copied().filter(backs_off)
    }

    /// Steps that wait for a person, with the ids of the questions.
    pub fn awaiting(&self) -> impl Iterator<Item = (u32, &str)> + '_ {
        let live = self.waiting.iter().filter(|step| self.is_live(**step));
        live.filter_map(|number| match &self.steps.get(*number as usize)?.state {
            StepState::Awaiting(approval) => Some((*number, approval.as_str())),
            _ => None,
        })
    }

    /// Steps that wait for a person in vain, because the run is over or their subrun has failed,
    /// with the ids of the questions. One that another step still asks is not among them.
    pub fn forsaken(&self) -> impl Iterator<Item = (u32, &str)> + '_ {
        let is_over = self.status.is_over();
        let wanted: BTreeSet<&str> = self.awaiting().filter(|_| !is_over).map(|(_, approval)| approval).collect();
        self.waiting.iter().filter_map(move |number| match &self.steps.get(*number as usize)?.state {
            StepState::Awaiting(approval) if !wanted.contains(approval.as_str()) => Some((*number, approval.as_str())),
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
        let of_task = of_task.map(|(member, task)| member.limits.budget().for_call(&task.tries.spend));
        of_task.map_or_else(|| of_run.clone(), |of_task| of_run.least(&of_task))
    }

    /// The agent of a task.
    pub fn member(&self, task: u32) -> Option<&Member> {
        self.team.members.get(&self.tasks.get(task as usize)?.opening.agent)
    }

    /// Handoffs that wait for a person, by number.
    pub fn asked_handoffs(&self) -> impl Iterator<Item = (u32, &Handoff)> + '_ {
        let numbered = (0_u32..).zip(&self.handoffs);
        numbered.filter(|(_, handoff)| handoff.state == HandoffState::Asked && self.open.contains(&handoff.from))
    }

    /// How many were given the work of this task before, one behind the other.
    pub(super) fn depth(&self, task: u32) -> u32 {
        let received = |handoff: &&Handoff| handoff.state == HandoffState::Accepted(Some(task));
        self.handoffs.iter().find(received).map_or(0, |handoff| handoff.depth)
    }

    /// Whether a step belongs to a task that has not ended. One that was left behind when its
    /// subrun failed does not.
    fn is_live(&self, step: u32) -> bool {
        self.steps.get(step as usize).is_some_and(|step| self.open.contains(&step.task))
    }

    fn awaits(&self) -> bool {
        self.awaiting().next().is_some()
            || self.asked_handoffs().next().is_some()
            || self.asked_tasks().next().is_some()
    }

    fn is(&self, step: u32, what: impl Fn(&StepState) -> bool) -> bool {
        self.steps.get(step as usize).is_some_and(|step| what(&step.state))
    }
}
