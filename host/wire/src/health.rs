//! What probes ask.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The process runs and answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "status": "ok", "version": "0.1.0" })))]
pub struct Health {
    /// Always `ok`: a process that can't say so doesn't answer at all.
    pub status: HealthStatus,
    /// The release of the host.
    pub version: String,
}

/// The word that a live process says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// The process runs and answers.
    Ok,
}

/// The host takes calls, and of what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "skills": 8, "releases": 9, "tools": 31, "broken": 0, "generation": 3 })))]
pub struct Readiness {
    /// How many skills there are.
    pub skills: usize,
    /// How many releases of skills there are; never fewer than skills.
    pub releases: usize,
    /// How many tools the newest releases have, all together.
    pub tools: usize,
    /// How many packages can't be used. `GET /v1/skills` says which, and why.
    pub broken: usize,
    /// Grows with each change of the catalogue.
    pub generation: u64,
}
