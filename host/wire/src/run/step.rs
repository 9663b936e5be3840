//! What runs asked of models and skills.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::view::RunSpend;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A model, for the next turn of its task.
    Model,
    /// A tool of a skill.
    Skill,
    /// A workflow, which runs and asks for the other steps of its task.
    Workflow,
    /// A model, by a workflow.
    Completion,
    /// A person, by a workflow.
    Question,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Somebody was asked, and has not answered.
    UnderWay,
    /// A person has to say yes first.
    AwaitingApproval,
    /// It may begin again.
    Ready,
    /// It failed, and begins again after a while.
    Backoff,
    /// The host stopped while it was under way, and it can't simply be made again.
    CutOff,
    /// The run ended while it was under way.
    Abandoned,
    /// It is answered, or has failed for good.
    Ended,
}

/// A call that a model wants made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "id": "call_1", "name": "files__read", "arguments": "{\"path\":\"ports.txt\"}" })))]
pub struct StepCall {
    /// By which its output is told to the model.
    pub id: String,
    /// The tool, by the name that the model knows.
    pub name: String,
    /// The arguments as the model wrote them: JSON, if the model is good at it.
    pub arguments: String,
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "model": "small", "text": "Bergen has two ports.", "calls": [], "finish": "stop" })))]
pub struct StepAnswer {
    /// The model that answered.
    pub model: String,
    /// What it said.
    pub text: String,
    /// What it wants called.
    pub calls: Vec<StepCall>,
    /// Why the answer ends where it does: `stop`, `length` or `refusal`.
    pub finish: String,
}

/// Why nothing came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "code": "MODEL_RATE_LIMITED", "message": "the provider has too many requests", "retriable": true
})))]
pub struct StepError {
    /// A stable name.
    pub code: String,
    /// For people.
    pub message: String,
    /// Whether the same step may well succeed later.
    pub retriable: bool,
}

/// What was asked of a model or a skill, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "number": 1,
    "task": 0,
    "kind": "skill",
    "skill": "bailiwick/files",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "tool": "read",
    "arguments": { "path": "ports.txt" },
    "attempt": 1,
    "state": "ended",
    "output": "Bergen, Mongstad",
    "spend": {
        "steps": 1, "input_tokens": 0, "output_tokens": 0, "usd": 0.0, "fuel": 0, "host_calls": 1, "busy_ms": 3
    },
    "receipt": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
    "started_at": "2026-11-20T11:00:02.120Z",
    "ended_at": "2026-11-20T11:00:02.124Z"
})))]
pub struct RunStep {
    /// Counted from 0, over all tasks.
    pub number: u32,
    /// For which task.
    pub task: u32,
    /// What is asked.
    pub kind: StepKind,
    /// The skill. This and the next three are left out where a model is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// sha256 of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Its tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// What the tool is called with; of a workflow's own request to a model or a person, what
    /// it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// How often it was begun.
    pub attempt: u32,
    /// Where it stands.
    pub state: StepState,
    /// What the model answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<StepAnswer>,
    /// What the tool answered, as the sandbox wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub output: Option<Box<RawValue>>,
    /// The tool's own failure, as the sandbox wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub failure: Option<Box<RawValue>>,
    /// Why there is none of these. A step that waits for its next attempt has that of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// What it took, all attempts together.
    pub spend: RunSpend,
    /// The receipt of the call, which the audit log holds too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// The question that a person was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// When its first attempt began.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// When its last attempt ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
}

/// Some steps of a run, in the order in which they began.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "steps": [] })))]
pub struct RunSteps {
    /// The steps. There are fewer than asked for where they are large.
    pub steps: Vec<RunStep>,
    /// For `cursor` of the next request. Left out where there are no more steps yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which steps to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunStepsQuery {
    /// How many at the most, 1 to 200; 50 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
