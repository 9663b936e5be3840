//! What happens to a run. These are its records too: what is added later is optional,
//! and nothing is taken away.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::spend::{Budget, Spend};
use super::status::EventKind;
use super::strategy::RunSpec;
use super::task::TaskOutcome;
use crate::digest::Digest;
use crate::model::{ChatAnswer, Message};
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

/// What is asked of a model or a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// The next turn of the task's conversation.
    Model {},
    /// A call.
    Skill {
        /// The id that the model gave to it; empty where a workflow makes it.
        call: String,
        /// Of which skill.
        skill: SkillId,
        /// Of which bytes.
        digest: Digest,
        /// Which tool.
        tool: String,
        /// An object.
        arguments: Value,
        /// Whether it may simply be made again.
        idempotent: bool,
    },
    /// A workflow's component runs. It says what is asked, and is told what came of it;
    /// where it has to run anew, it is told the same again.
    Drive {
        /// Of which skill.
        skill: SkillId,
        /// Of which bytes.
        digest: Digest,
        /// Which tool.
        tool: String,
        /// An object.
        arguments: Value,
    },
    /// What a workflow asks of a model.
    Complete {
        /// Which.
        model: String,
        /// The conversation so far.
        messages: Vec<Message>,
        /// The most tokens to answer with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_tokens: Option<u32>,
        /// From 0 upward, in thousandths.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        temperature_milli: Option<u32>,
        /// A JSON Schema that the answer has to fit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_schema: Option<Value>,
    },
    /// What a workflow asks a person.
    Question {
        /// In one line.
        summary: String,
        /// An object with what the person should know.
        details: Value,
    },
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum StepResult {
    /// A model's answer.
    Answer {
        /// What it said.
        answer: ChatAnswer,
    },
    /// A skill's output, or its own failure; or what a person said to a workflow.
    Output {
        /// JSON.
        json: String,
        /// Whether it is the tool's own failure.
        #[serde(default, skip_serializing_if = "is_false")]
        failed: bool,
    },
    /// Neither.
    Failed {
        /// A stable name.
        code: String,
        /// For people and models.
        message: String,
        /// Whether the same step may well succeed later.
        #[serde(default, skip_serializing_if = "is_false")]
        retriable: bool,
    },
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
            Self::HandoffInitiated { .. } => EventKind::HandoffInitiated,
            Self::HandoffAccepted { .. } => EventKind::HandoffAccepted,
            Self::HandoffRejected { .. } => EventKind::HandoffRejected,
            Self::HandoffCompleted { .. } => EventKind::HandoffCompleted,
            Self::HandoffRolledBack { .. } => EventKind::HandoffRolledBack,
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
const fn is_false(value: &bool) -> bool {
    !*value
}
