//! What a call cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ModelCost, Usd};

/// What one call used. One meter counts it; limits are checked against it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// From the permit to the outcome.
    pub wall: Duration,
    /// Of that, until the guest's own instance was there; nothing where it never was.
    pub instance: Duration,
    /// Units of fuel, where a limit asked for the account.
    pub fuel: Option<u64>,
    /// Most bytes of linear memory held at once, over all memories.
    pub memory_bytes: u64,
    /// Most elements that one table had.
    pub table_elements: u64,
    /// Calls of the host that count; see [`crate::limits::Limits::host_calls`].
    pub host_calls: u64,
    /// Calls of other skills, those that they made in turn included.
    pub skill_calls: u64,
    /// Requests to models, those of called skills included.
    pub model_calls: u64,
    /// Tokens of requests to models, those of called skills included.
    pub model_input_tokens: u64,
    /// Tokens of the answers of models, those of called skills included.
    pub model_output_tokens: u64,
    /// Money for requests to models, those of called skills included.
    pub model_usd: Usd,
    /// Bytes of the arguments as JSON.
    pub input_bytes: u64,
    /// Bytes of the output or failure as JSON.
    pub output_bytes: u64,
    /// Requests over HTTP that were let out.
    pub http_requests: u64,
    /// Bytes of request heads and bodies sent over HTTP.
    pub http_sent_bytes: u64,
    /// Bytes of response heads and bodies received over HTTP.
    pub http_received_bytes: u64,
    /// Bytes written to files, over all writable roots.
    pub fs_written_bytes: u64,
    /// Files, folders and links made, over all writable roots.
    pub fs_made_files: u64,
    /// Bytes written to stdout and stderr.
    pub log_bytes: u64,
    /// Random bytes.
    pub random_bytes: u64,
}

impl Usage {
    /// What models took.
    pub const fn model_cost(&self) -> ModelCost {
        ModelCost {
            input_tokens: self.model_input_tokens,
            output_tokens: self.model_output_tokens,
            usd: self.model_usd,
        }
    }
}
