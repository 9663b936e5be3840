//! What a call was, did and cost.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The record that the host keeps of a call. The audit log holds the same one,
/// under the same id, with all that the call was allowed to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "019a3c5e7b7d7f2c9d1e2f3a4b5c6d7e",
    "started_at": "2026-11-20T11:00:00.123Z",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "arguments": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "outcome": "succeeded",
    "denials": []
})))]
pub struct Receipt {
    /// Unique, in the order of time: 32 hex digits.
    pub id: String,
    /// When the call began.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// The receipt of the call that made this one, where another skill did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The step of a run that made it, as `RUN/STEP`, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The trace that the call belongs to: 32 hex digits.
    pub trace_id: String,
    /// sha256 of the arguments in canonical form.
    pub arguments: String,
    /// How the call ended: `succeeded`, `failed` (the tool's own failure), or the code of a problem.
    pub outcome: String,
    /// What the host refused the skill while it ran.
    pub denials: Vec<Denial>,
}

/// One thing that the skill tried and was not allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "capability": "http",
    "request": "GET https://example.com",
    "reason": "no grant allows this host"
})))]
pub struct Denial {
    /// Which kind of thing: `fs`, `http`, `secret`, `state`, `config`, `shell`, `skill`, `model`, `approval` or `sockets`.
    pub capability: String,
    /// What was asked for.
    pub request: String,
    /// Why it was refused.
    pub reason: String,
}

/// What a call cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "wall_us": 412,
    "memory_bytes": 1_114_112,
    "table_elements": 63,
    "host_calls": 0,
    "skill_calls": 0,
    "model_calls": 0,
    "model_input_tokens": 0,
    "model_output_tokens": 0,
    "model_usd": 0.0,
    "input_bytes": 24,
    "output_bytes": 15,
    "http_requests": 0,
    "http_sent_bytes": 0,
    "http_received_bytes": 0,
    "fs_written_bytes": 0,
    "fs_made_files": 0,
    "log_bytes": 0,
    "random_bytes": 0
})))]
pub struct Usage {
    /// Microseconds from the permit to the outcome.
    pub wall_us: u64,
    /// Units of fuel. Left out where no limit asked for the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Most bytes of memory held at once.
    pub memory_bytes: u64,
    /// Most elements that one table had.
    #[serde(default)]
    pub table_elements: u64,
    /// Requests over HTTP, operations on files, folders and state, settings, commands, calls of skills and models, questions, reports, and random bytes.
    pub host_calls: u64,
    /// Calls of other skills, those that they made in turn included.
    #[serde(default)]
    pub skill_calls: u64,
    /// Requests to models, those of called skills included.
    #[serde(default)]
    pub model_calls: u64,
    /// Tokens of requests to models, those of called skills included.
    #[serde(default)]
    pub model_input_tokens: u64,
    /// Tokens of the answers of models, those of called skills included.
    #[serde(default)]
    pub model_output_tokens: u64,
    /// US dollars for requests to models, those of called skills included.
    #[serde(default)]
    pub model_usd: f64,
    /// Bytes of the arguments as JSON.
    pub input_bytes: u64,
    /// Bytes of the output or failure as JSON.
    pub output_bytes: u64,
    /// Requests over HTTP that were let out.
    #[serde(default)]
    pub http_requests: u64,
    /// Bytes of request heads and bodies that the skill sent over HTTP.
    pub http_sent_bytes: u64,
    /// Bytes of response heads and bodies that the skill received over HTTP.
    pub http_received_bytes: u64,
    /// Bytes that the skill wrote to files.
    #[serde(default)]
    pub fs_written_bytes: u64,
    /// Files, folders and links that the skill made.
    #[serde(default)]
    pub fs_made_files: u64,
    /// Bytes that the skill wrote to stdout and stderr.
    #[serde(default)]
    pub log_bytes: u64,
    /// Random bytes that the skill got.
    #[serde(default)]
    pub random_bytes: u64,
}
