//! What a skill asks for. Nothing of it is given without a grant.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All that the manifest of a skill asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "fs": [{ "root": "/work", "access": "read" }],
    "http": [{ "host": "*.example.com", "schemes": ["https"], "ports": [], "methods": ["GET"], "paths": [] }],
    "http_deny": [{ "host": "10.0.0.0/8", "schemes": [], "ports": [], "methods": [], "paths": [] }],
    "workspace": { "max_bytes": 10_485_760 },
    "config": [],
    "secrets": [],
    "skills": [],
    "models": [],
    "shell": []
})))]
pub struct Permissions {
    /// Folders.
    pub fs: Vec<FsPermission>,
    /// Outgoing requests.
    pub http: Vec<HttpPermission>,
    /// Requests that its author promises not to send, whatever is granted.
    pub http_deny: Vec<HttpDenial>,
    /// How much it writes to a folder of its own for each call, or for each task of a run. Left out
    /// where it asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<QuotaRequest>,
    /// How much durable state of its own it keeps. Left out where it asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateRequest>,
    /// Configuration keys that it reads.
    pub config: Vec<String>,
    /// Secrets that it has put into its requests, by name.
    pub secrets: Vec<String>,
    /// Skills that it calls, with the releases that will do.
    pub skills: Vec<String>,
    /// Models that it calls.
    pub models: Vec<String>,
    /// Commands that it would run, by the words that they begin with.
    pub shell: Vec<Vec<String>>,
}

/// A folder that a skill asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "root": "/work", "access": "read" })))]
pub struct FsPermission {
    /// Where the skill sees it.
    pub root: String,
    /// What it does below it.
    pub access: FsAccess,
    /// Bytes that one call writes below it, at the most. Left out where that is left to the grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Files, folders and links that one call makes below it, at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_files: Option<u64>,
}

/// How much a call writes to a folder. What is absent is left to the grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "max_bytes": 10_485_760, "max_files": 100 })))]
pub struct QuotaRequest {
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Files, folders and links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_files: Option<u64>,
}

/// How much durable state a skill keeps. What is absent is left to the grant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "max_bytes": 1_048_576, "max_keys": 100 })))]
pub struct StateRequest {
    /// Bytes of all keys and values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_keys: Option<u64>,
}

/// What may be done below a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FsAccess {
    /// List and read.
    Read,
    /// Also create, change and remove.
    ReadWrite,
}

/// Requests that a skill sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "host": "api.example.com", "schemes": ["https"], "ports": [], "methods": ["GET"], "paths": ["/v1"]
})))]
pub struct HttpPermission {
    /// A name, an address, a block such as `10.0.0.0/8`, `*.example.com` for one label, or `*` for every public host.
    pub host: String,
    /// `http`, `https`.
    pub schemes: Vec<String>,
    /// Ports; none means the scheme's own.
    pub ports: Vec<u16>,
    /// Methods in upper case.
    pub methods: Vec<String>,
    /// Prefixes such as `/v1` or globs such as `/v1/*/items` that its paths are of; none means every path.
    pub paths: Vec<String>,
}

/// Requests that a skill does not send. An empty list means each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "host": "api.example.com", "schemes": [], "ports": [], "methods": ["DELETE"], "paths": ["/v1/admin/**"]
})))]
pub struct HttpDenial {
    /// A name, an address, a block such as `10.0.0.0/8`, `*.example.com` for every name below it, or `*`.
    pub host: String,
    /// `http`, `https`.
    pub schemes: Vec<String>,
    /// Ports.
    pub ports: Vec<u16>,
    /// Methods in upper case.
    pub methods: Vec<String>,
    /// Prefixes or globs.
    pub paths: Vec<String>,
}

/// Limits that a skill asks for. What is absent is left to the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "memory_bytes": 67_108_864, "deadline_ms": 5000, "output_bytes": 1_048_576 })))]
pub struct LimitsRequest {
    /// Bytes of memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Elements of each table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Core instances that the component is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<u64>,
    /// Milliseconds of wall time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Units of fuel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Requests over HTTP, operations on files, folders and state, settings, commands, calls of skills and models, questions, reports, and random bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<u64>,
    /// Bytes of the arguments as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_bytes: Option<u64>,
    /// Bytes of the output as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// Calls of other skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill_calls: Option<u64>,
    /// Requests to models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_calls: Option<u64>,
    /// Tokens of requests to models and their answers together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_tokens: Option<u64>,
    /// Requests over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_requests: Option<u64>,
    /// Bytes sent over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_sent_bytes: Option<u64>,
    /// Bytes received over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_received_bytes: Option<u64>,
    /// Bytes written to stdout and stderr.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_bytes: Option<u64>,
    /// Random bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_bytes: Option<u64>,
    /// Calls at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
}
