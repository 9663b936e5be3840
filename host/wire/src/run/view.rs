//! How runs stand.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::request::{RunClass, RunStrategy};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It waits for a place.
    Queued,
    /// Agents are at work.
    Running,
    /// A person has to say something first; other branches go on.
    WaitingApproval,
    /// A person stopped it. What was under way comes to its end, and nothing new begins.
    Paused,
    /// It was cut off in a call that may have taken effect and can't simply be made again:
    /// a person decides.
    Interrupted,
    /// It has its output.
    Completed,
    /// It has none. It can be tried again.
    Failed,
    /// A person ended it.
    Cancelled,
}

/// What a run, a task or a step took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "steps": 2, "input_tokens": 812, "output_tokens": 64, "usd": 0.0021, "fuel": 0, "host_calls": 0, "busy_ms": 1894
})))]
pub struct RunSpend {
    /// Requests to models and calls of skills.
    pub steps: u64,
    /// Tokens of requests to models.
    pub input_tokens: u64,
    /// Tokens of their answers.
    pub output_tokens: u64,
    /// US dollars.
    pub usd: f64,
    /// Units of fuel.
    pub fuel: u64,
    /// Calls of the host by skills.
    pub host_calls: u64,
    /// Time in which something was under way, in milliseconds; what goes on side by side
    /// counts side by side.
    pub busy_ms: u64,
}

/// What a run may take. Where a member is missing, steps and time alone end it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "steps": 200, "wall": "30 min", "usd": 0.5 })))]
pub struct RunBudget {
    /// Requests to models and calls of skills.
    pub steps: u64,
    /// From its first start: a whole number and `ms`, `s`, `min` or `h`.
    pub wall: String,
    /// Tokens of requests and answers together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Units of fuel of all calls of skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Calls of the host by skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<u64>,
}

/// As what an agent is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunRole {
    /// It does what is asked.
    Work,
    /// It chooses who does.
    Route,
    /// It makes one answer of many.
    Reduce,
    /// It is a workflow, which says what is asked.
    Drive,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// It has not ended.
    Working,
    /// Its agent failed, as `error` says, and a person says whether it is tried once more:
    /// `POST /v1/agents/runs/{id}/tasks/{task}/answer`.
    Asked,
    /// It has its output.
    Done,
    /// It has none.
    Failed,
}

/// Why a task has no output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "code": "MAX_STEPS", "message": "the agent took 32 turns, as many as it may" })))]
pub struct TaskError {
    /// A stable name.
    pub code: String,
    /// For people.
    pub message: String,
}

/// One agent at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "number": 0,
    "agent": "researcher",
    "role": "work",
    "status": "done",
    "output": "Bergen has two ports.",
    "spend": {
        "steps": 1, "input_tokens": 812, "output_tokens": 64, "usd": 0.0021, "fuel": 0, "host_calls": 0, "busy_ms": 1894
    },
    "turns": 1
})))]
pub struct RunTask {
    /// Counted from 0.
    pub number: u32,
    /// Who.
    pub agent: String,
    /// As what.
    pub role: RunRole,
    /// The place among the items of a map, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The id of the node of a graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The number of the subrun that it belongs to; left out where it is the run's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subrun: Option<u32>,
    /// Where it stands.
    pub status: TaskStatus,
    /// What the agent said last, or the agent that it chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Why there is no output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    /// What it took.
    pub spend: RunSpend,
    /// Answers of its model.
    pub turns: u64,
}

/// Why a run has no output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "code": "BUDGET_EXHAUSTED", "message": "the run used up its budget of steps", "retriable": true
})))]
pub struct RunError {
    /// A stable name: `TIMEOUT`, `BUDGET_EXHAUSTED`, `DEPENDENCY_FAILED` and friends, and
    /// `CANCELLED` for a run that a person ended.
    pub code: String,
    /// For people.
    pub message: String,
    /// Whether it can be tried again, with `POST /v1/agents/runs/{id}/retry`.
    pub retriable: bool,
    /// What there is in place of an output.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub partial: Value,
}

/// A step that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "step": 3, "approval": "apr_0006611d2a3c41f09c21" })))]
pub struct RunAwaiting {
    /// Its number.
    pub step: u32,
    /// The question: `POST /v1/approvals/{id}/answer` answers it.
    pub approval: String,
}

/// Work that an agent gave to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "number": 0, "task": 0, "to": "writer", "state": "asked" })))]
pub struct RunHandoff {
    /// Its number.
    pub number: u32,
    /// The task of the giver.
    pub task: u32,
    /// Who is to go on.
    pub to: String,
    /// Where it stands.
    pub state: HandoffState,
}

/// The strategy of a graph's node, at work as a part of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "number": 0, "node": "each", "strategy": "parallel_map", "status": "done", "output": "[]"
})))]
pub struct RunSubrun {
    /// Its number.
    pub number: u32,
    /// The subrun whose graph has the node; left out where it is the run's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// The id of the node.
    pub node: String,
    /// The name of the strategy.
    pub strategy: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Why there is no output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
}

/// Where a handoff stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandoffState {
    /// The receiver may call what the giver may not: a person has to agree.
    Asked,
    /// The receiver takes over next.
    Offered,
    /// The receiver is at work.
    Accepted,
    /// The receiver was done.
    Completed,
    /// The giver went on.
    Returned,
}

/// All that is known of a run, but for its steps and events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
    "status": "queued",
    "strategy": { "kind": "single", "agent": "researcher" },
    "class": "normal",
    "input": "Which ports does Bergen have?",
    "principal": "key:ci",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "budget": { "steps": 200, "wall": "30 min" },
    "spend": {
        "steps": 0, "input_tokens": 0, "output_tokens": 0, "usd": 0.0, "fuel": 0, "host_calls": 0, "busy_ms": 0
    },
    "tasks": [],
    "awaiting": [],
    "interrupted": [],
    "queued_at": "2026-11-20T11:00:00.000Z",
    "updated_at": "2026-11-20T11:00:00.000Z",
    "checkpoint": 1
})))]
pub struct Run {
    /// 32 hex digits, in the order of time.
    pub id: String,
    /// Where it stands.
    pub status: RunStatus,
    /// Who does what.
    pub strategy: RunStrategy,
    /// How urgent it is.
    pub class: RunClass,
    /// Words of the client's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What was asked for.
    pub input: String,
    /// On whose behalf: `key:ci`, `cli:ada`, `loopback`.
    pub principal: String,
    /// The trace that it belongs to: 32 hex digits.
    pub trace_id: String,
    /// What it may take.
    pub budget: RunBudget,
    /// What it took.
    pub spend: RunSpend,
    /// What its agents were given to do, by number.
    pub tasks: Vec<RunTask>,
    /// What came of it, where it is completed: a text, or a list for strategies with many outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why it has no output, where it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// Steps that wait for a person.
    pub awaiting: Vec<RunAwaiting>,
    /// Work that agents gave to others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handoffs: Vec<RunHandoff>,
    /// Strategies of graphs' nodes that have begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subruns: Vec<RunSubrun>,
    /// Steps that the host's stop cut off, and that wait for a person to `resume` the run.
    pub interrupted: Vec<u32>,
    /// When it was taken up.
    #[schema(format = DateTime)]
    pub queued_at: String,
    /// When it began, or began anew by a person's wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub started_at: Option<String>,
    /// When its last event happened.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// The number of its last event. All until there is kept, whatever becomes of the host.
    pub checkpoint: u64,
}

/// A run in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
    "status": "queued",
    "strategy": "single",
    "class": "normal",
    "principal": "key:ci",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "agents": ["researcher"],
    "spend": {
        "steps": 0, "input_tokens": 0, "output_tokens": 0, "usd": 0.0, "fuel": 0, "host_calls": 0, "busy_ms": 0
    },
    "queued_at": "2026-11-20T11:00:00.000Z",
    "updated_at": "2026-11-20T11:00:00.000Z"
})))]
pub struct RunSummary {
    /// 32 hex digits, in the order of time.
    pub id: String,
    /// Where it stands.
    pub status: RunStatus,
    /// `single`, `router` or `parallel_map`.
    pub strategy: String,
    /// How urgent it is.
    pub class: RunClass,
    /// Words of the client's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// On whose behalf.
    pub principal: String,
    /// The trace that it belongs to: 32 hex digits.
    pub trace_id: String,
    /// The agents that it has.
    pub agents: Vec<String>,
    /// What it took.
    pub spend: RunSpend,
    /// Why it has no output, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When it was taken up.
    #[schema(format = DateTime)]
    pub queued_at: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub started_at: Option<String>,
    /// When its last event happened.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// Some runs, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "runs": [] })))]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<RunSummary>,
    /// For `cursor` of the next request. Left out on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Where a run stands after it was told something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "id": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e", "status": "paused" })))]
pub struct RunStanding {
    /// The run.
    pub id: String,
    /// Where it stands.
    pub status: RunStatus,
}
