//! Agents: which there are, and what each is.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// What an agent is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AgentState {
    /// It is there, and a skill of it is being compiled, so that no run can have it yet.
    Spawning,
    /// It has nothing to do.
    Idle,
    /// It has tasks of runs.
    Working,
    /// It is paused: no new run gets it. Those that have it go on.
    Paused,
    /// Its definition can't be used, or its last five tasks failed; `error` says which. In the
    /// second case runs still get it, and a task that is completed ends it.
    Error,
    /// It was removed while it had tasks of runs, and has some still.
    Terminated,
}

/// Who paused an agent, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "by": "key:ops", "at": "2026-11-20T11:00:00.000Z" })))]
pub struct AgentPause {
    /// On whose behalf: `key:ops`, `cli:ada`.
    pub by: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
}

/// Where an agent comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AgentSource {
    /// From a file of the host, which is changed there.
    File,
    /// From a request: `PUT /v1/agents/{name}`.
    Record,
}

/// How an agent learns what it may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AgentDisclosure {
    /// Names and descriptions of skills first; instructions and tools of those that it
    /// chooses.
    #[default]
    Progressive,
    /// Everything at once.
    All,
}

/// What an agent may take. Where nothing is said, the budget of the run alone ends it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "max_steps": 32, "usd": 0.5, "wall": "10 min" })))]
pub struct AgentLimits {
    /// Requests to models that one task of it may take; 32 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub max_steps: Option<u64>,
    /// Tokens of requests and answers together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub tokens: Option<u64>,
    /// US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0)]
    pub usd: Option<f64>,
    /// Units of fuel of all calls of skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub fuel: Option<u64>,
    /// Time: a whole number and `ms`, `s`, `min` or `h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<String>,
    /// Calls of the host by skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub host_calls: Option<u64>,
}

/// What follows where a task of an agent fails, in this order. What it made takes effect all
/// the same; the next try is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "retries": 1, "fallback": "writer", "ask": true })))]
pub struct AgentOnFailure {
    /// How often it begins the task anew; not at all where this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 5)]
    pub retries: Option<u32>,
    /// The agent that gets the same input then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub fallback: Option<String>,
    /// Whether a person is asked then if it is tried once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<bool>,
}

/// What an agent is: the keys of its file, but for `instructions_file`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "description": "Finds out what is so.",
    "instructions": "Answer in one sentence. Read the files first.",
    "models": ["small"],
    "skills": ["bailiwick/files@^0.1"],
    "capabilities": ["research"]
})))]
pub struct AgentDefinition {
    /// Who it is. In a request it may be left out, because the path says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    pub name: Option<String>,
    /// What it is good for, in one line.
    #[schema(min_length = 1, max_length = 1024)]
    pub description: String,
    /// What it is told before anything else: at most 64 KiB.
    #[schema(min_length = 1, max_length = 65_536)]
    pub instructions: String,
    /// Names of models by preference.
    #[schema(min_items = 1, max_items = 8)]
    pub models: Vec<String>,
    /// What it may call: `namespace/name`, with `@` and a range where the newest release
    /// will not do.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub skills: Vec<String>,
    /// Words by which it can be found.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub capabilities: Vec<String>,
    /// How it learns what it may call.
    #[serde(default)]
    pub disclosure: AgentDisclosure,
    /// The most tokens of one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub max_tokens: Option<u32>,
    /// From 0 to 2, with at most 3 decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Whether it may give its work to other agents, in runs that have several; it may where
    /// this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_delegate: Option<bool>,
    /// What it may take.
    #[serde(default)]
    pub limits: AgentLimits,
    /// What follows where a task of it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<AgentOnFailure>,
    /// A JSON Schema (2020-12) that its last answer has to fit, of at most 64 KiB: an object,
    /// or a text with its JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
}

/// An agent in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "researcher",
    "state": "idle",
    "source": "file",
    "open_tasks": 0,
    "tasks_completed": 12,
    "tasks_failed": 1,
    "last_active": "2026-11-20T11:00:00.000Z",
    "description": "Finds out what is so.",
    "capabilities": ["research"],
    "skills": ["bailiwick/files@^0.1"],
    "models": ["small"]
})))]
pub struct AgentSummary {
    /// Who it is.
    pub name: String,
    /// What it is at.
    pub state: AgentState,
    /// Where it comes from.
    pub source: AgentSource,
    /// Tasks of runs that it has.
    pub open_tasks: u32,
    /// Tasks that it completed since the host started.
    pub tasks_completed: u64,
    /// Tasks that failed since the host started.
    pub tasks_failed: u64,
    /// When something last happened in one of its tasks. Left out where nothing did since the
    /// host started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_active: Option<String>,
    /// Who paused it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<AgentPause>,
    /// What it is good for. Left out where its definition can't be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Words by which it can be found.
    pub capabilities: Vec<String>,
    /// What it may call.
    pub skills: Vec<String>,
    /// Names of models by preference.
    pub models: Vec<String>,
    /// Why it is in error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The agents, in the order of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "agents": [] })))]
pub struct Agents {
    /// Each in short.
    pub agents: Vec<AgentSummary>,
}

/// Which agents to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AgentsQuery {
    /// Only those that have this capability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "research")]
    pub capability: Option<String>,
}

/// All that is known of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
    "name": "researcher",
    "state": "paused",
    "source": "record",
    "open_tasks": 0,
    "tasks_completed": 12,
    "tasks_failed": 1,
    "last_active": "2026-11-20T11:00:00.000Z",
    "paused": { "by": "key:ops", "at": "2026-11-20T11:05:00.000Z" },
    "definition": {
        "name": "researcher",
        "description": "Finds out what is so.",
        "instructions": "Answer in one sentence. Read the files first.",
        "models": ["small"],
        "skills": ["bailiwick/files@^0.1"],
        "capabilities": ["research"],
        "disclosure": "progressive",
        "can_delegate": true,
        "limits": { "max_steps": 32 }
    },
    "created_at": "2026-11-20T11:00:00.000Z",
    "updated_at": "2026-11-20T11:00:00.000Z"
})))]
pub struct Agent {
    /// 32 hex digits, the same as long as the agent is there.
    pub id: String,
    /// Who it is.
    pub name: String,
    /// What it is at.
    pub state: AgentState,
    /// Where it comes from.
    pub source: AgentSource,
    /// Tasks of runs that it has.
    pub open_tasks: u32,
    /// Tasks that it completed since the host started. One that ended with its run, and not
    /// by itself, is neither completed nor failed.
    pub tasks_completed: u64,
    /// Tasks that failed since the host started.
    pub tasks_failed: u64,
    /// When something last happened in one of its tasks. Left out where nothing did since the
    /// host started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_active: Option<String>,
    /// Who paused it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<AgentPause>,
    /// What it is. Left out where that can't be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<AgentDefinition>,
    /// Why it is in error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Since when the host has it.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When its definition last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_of_a_definition_is_an_error() {
        let good = r#"{"description":"d","instructions":"i","models":["m"]}"#;
        assert!(serde_json::from_str::<AgentDefinition>(good).is_ok());
        let bad = r#"{"description":"d","instructions":"i","models":["m"],"modles":[]}"#;
        assert!(serde_json::from_str::<AgentDefinition>(bad).is_err());
        assert!(serde_json::from_str::<AgentsQuery>(r#"{"capabilty":"x"}"#).is_err());
    }
}
