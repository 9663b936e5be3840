//! What a call cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one call used. One meter counts it; limits are checked against it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// From the permit to the outcome.
    pub wall: Duration,
    /// Units of fuel, where a limit asked for the account.
    pub fuel: Option<u64>,
    /// Most bytes of linear memory held at once, over all memories.
    pub memory_bytes: u64,
    /// Requests sent and operations on the state store.
    pub host_calls: u64,
    /// Bytes of the arguments as JSON.
    pub input_bytes: u64,
    /// Bytes of the output or failure as JSON.
    pub output_bytes: u64,
    /// Bytes of request bodies and headers sent over HTTP.
    pub http_sent_bytes: u64,
    /// Bytes of response bodies received over HTTP.
    pub http_received_bytes: u64,
}
