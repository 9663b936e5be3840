//! What is asked in a step, and what comes of it. These are parts of the events.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::is_false;
use crate::digest::Digest;
use crate::model::{ChatAnswer, Message};
use crate::skill_id::SkillId;
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
