//! What happens to a run. These are its records too: what is added later is optional,
//! and nothing is taken away.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::action::{Action, StepResult};
use super::escalation::Escalation;
use super::graph::Graph;
use super::spend::{Budget, Spend};
use super::status::EventKind;
use super::strategy::RunSpec;
use super::task::TaskOutcome;
use crate::skill_id::SkillId;

/// An event with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Milliseconds since 1970.
    pub at: u64,
    /// What happened.
    pub event: Event,
}

/// What happens to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// It was taken up.
    Queued {
        /// All that was asked for.
        spec: Box<RunSpec>,
    },
    /// It has a place.
    Started {},
    /// An agent was given something to do.
    TaskOpened {
        /// Counted from 0.
        task: u32,
        /// What.
        opening: Opening,
    },
    /// A model or a skill is asked. It is told before anybody is.
    StepStarted {
        /// Counted from 0, over all tasks.
        step: u32,
        /// For which task.
        task: u32,
        /// Counted from 1.
        attempt: u32,
        /// What.
        action: Action,
    },
    /// It answered, or failed to.
    StepEnded {
        /// Which.
        step: u32,
        /// What came of it.
        result: StepResult,
        /// What it took.
        spend: Spend,
        /// The receipt of a call of a skill, where it ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        receipt: Option<String>,
    },
    /// The host itself answered what a model asked for.
    CallAnswered {
        /// In which task.
        task: u32,
        /// The id that the model gave to its call.
        call: String,
        /// What the model is told.
        text: String,
        /// The skill whose tools it may use from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opened: Option<SkillId>,
        /// Whether the call made no sense.
        #[serde(default, skip_serializing_if = "is_false")]
        refused: bool,
    },
    /// An agent is done.
    TaskEnded {
        /// Which task.
        task: u32,
        /// With what.
        outcome: TaskOutcome,
    },
    /// An agent failed, and the task goes on: with another try, another agent, or a person's
    /// word. Calls that took effect are not undone.
    TaskEscalated {
        /// Which task.
        task: u32,
        /// Where it goes on.
        to: Escalation,
        /// Why the agent failed: a stable name.
        code: String,
        /// For people.
        message: String,
    },
    /// A person said whether a task that failed is tried once more.
    TaskAnswered {
        /// Which task.
        task: u32,
        /// Whether it is.
        again: bool,
        /// Who.
        by: String,
        /// Why, where they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A model's last answer does not fit the schema of its agent, and it is asked again.
    AnswerRefused {
        /// In which task.
        task: u32,
        /// What the model is told.
        text: String,
    },
    /// An agent wants another one to go on in its place.
    HandoffInitiated {
        /// Counted from 0.
        handoff: u32,
        /// The task of the giver.
        task: u32,
        /// The id that the giver's model gave to its call.
        call: String,
        /// Who is to go on.
        to: String,
        /// All that the receiver is told: what was asked, and what was said until now.
        context: String,
        /// Whether a person has to agree, because the receiver may call what the giver may
        /// not.
        #[serde(default, skip_serializing_if = "is_false")]
        asks: bool,
    },
    /// The receiver takes over.
    HandoffAccepted {
        /// Which.
        handoff: u32,
        /// The person who agreed, where one was asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A person does not want it. The giver goes on, and is told so.
    HandoffRejected {
        /// Which.
        handoff: u32,
        /// Who.
        by: String,
        /// Why, where they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The receiver is done, and with it the giver.
    HandoffCompleted {
        /// Which.
        handoff: u32,
    },
    /// The receiver failed. The giver goes on, and is told so.
    HandoffRolledBack {
        /// Which.
        handoff: u32,
        /// Why.
        reason: String,
    },
    /// The strategy of a graph's node begins, as a part of this run.
    SubrunStarted {
        /// Counted from 0.
        subrun: u32,
        /// The subrun whose graph has the node; none where it is the run's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<u32>,
        /// The place among the nodes of that graph, counted from 0.
        node: u32,
        /// What the node is asked.
        input: String,
    },
    /// It is done, or has failed; then all that was under way in it is abandoned.
    SubrunEnded {
        /// Which.
        subrun: u32,
        /// With what.
        outcome: TaskOutcome,
    },
    /// An agent adds to the graph that it works in. Its model is told that it did.
    GraphGrown {
        /// The task of the agent.
        task: u32,
        /// The id that its model gave to its call.
        call: String,
        /// What is added.
        graph: Graph,
    },
    /// A person has to say yes before a call is made.
    ApprovalRequested {
        /// Which.
        step: u32,
        /// The id of the question.
        approval: String,
    },
    /// A person answered.
    ApprovalAnswered {
        /// Which step waited.
        step: u32,
        /// What they said.
        approved: bool,
        /// Why, where they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A person stopped it.
    Paused {
        /// Who.
        by: String,
    },
    /// A person lets it go on.
    Resumed {
        /// Who.
        by: String,
        /// Whether the calls that were cut off are made again; else their model is told
        /// that nobody knows what came of them.
        #[serde(default, skip_serializing_if = "is_false")]
        repeat: bool,
    },
    /// The host had stopped while the run was under way, and is back.
    Recovered {},
    /// The host had stopped in calls that can't simply be made again.
    Interrupted {
        /// The calls.
        steps: Vec<u32>,
    },
    /// A person wants it tried again.
    Retried {
        /// Who.
        by: String,
        /// What it may take from now on, what it took until now included; where nothing
        /// is said, as before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<Budget>,
    },
    /// It has its output.
    Completed {
        /// A text, a list for strategies with many outputs, or what a workflow gives.
        output: Value,
    },
    /// It has none.
    Failed {
        /// `TIMEOUT`, `BUDGET_EXHAUSTED`, `DEPENDENCY_FAILED` and friends.
        code: String,
        /// For people.
        message: String,
        /// What there is in place of an output.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        partial: Value,
    },
    /// A person ended it.
    Cancelled {
        /// Who.
        by: String,
        /// Why, where they said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// What an agent is given to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Who.
    pub agent: String,
    /// As what.
    pub role: Role,
    /// What it is asked.
    pub input: String,
    /// The place among the items of a map, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The place among the nodes of a graph, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// The handoff that it received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<u32>,
    /// The subrun that it belongs to; none where it is the run's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subrun: Option<u32>,
}

/// As what an agent is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It does what is asked.
    Work,
    /// It chooses who does.
    Route,
    /// It makes one answer of many.
    Reduce,
    /// It is a workflow, whose component says what is asked.
    Drive,
}

impl Event {
    /// Its kind.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Queued { .. } => EventKind::Queued,
            Self::Started {} => EventKind::Started,
            Self::TaskOpened { .. } => EventKind::TaskOpened,
            Self::StepStarted { .. } => EventKind::StepStarted,
            Self::StepEnded { .. } => EventKind::StepEnded,
            Self::CallAnswered { .. } => EventKind::CallAnswered,
            Self::TaskEnded { .. } => EventKind::TaskEnded,
            Self::TaskEscalated { .. } => EventKind::TaskEscalated,
            Self::TaskAnswered { .. } => EventKind::TaskAnswered,
            Self::AnswerRefused { .. } => EventKind::AnswerRefused,
            Self::HandoffInitiated { .. } => EventKind::HandoffInitiated,
            Self::HandoffAccepted { .. } => EventKind::HandoffAccepted,
            Self::HandoffRejected { .. } => EventKind::HandoffRejected,
            Self::HandoffCompleted { .. } => EventKind::HandoffCompleted,
            Self::HandoffRolledBack { .. } => EventKind::HandoffRolledBack,
            Self::SubrunStarted { .. } => EventKind::SubrunStarted,
            Self::SubrunEnded { .. } => EventKind::SubrunEnded,
            Self::GraphGrown { .. } => EventKind::GraphGrown,
            Self::ApprovalRequested { .. } => EventKind::ApprovalRequested,
            Self::ApprovalAnswered { .. } => EventKind::ApprovalAnswered,
            Self::Paused { .. } => EventKind::Paused,
            Self::Resumed { .. } => EventKind::Resumed,
            Self::Recovered {} => EventKind::Recovered,
            Self::Interrupted { .. } => EventKind::Interrupted,
            Self::Retried { .. } => EventKind::Retried,
            Self::Completed { .. } => EventKind::Completed,
            Self::Failed { .. } => EventKind::Failed,
            Self::Cancelled { .. } => EventKind::Cancelled,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(super) const fn is_false(value: &bool) -> bool {
    !*value
}
