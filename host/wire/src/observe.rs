//! Observe mode: calls on copies, and the smallest permissions and grant made from them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::receipt::{Denial, Usage};

/// What to observe, and within which bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "calls": [{ "tool": "read", "arguments": { "path": "/work/notes.md" } }],
    "within": {
        "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "fs": [{ "root": "/work", "host": "/srv/notes", "access": "read" }]
    }
})))]
pub struct ObserveRequest {
    /// What to do, one after the other; 1 to 100.
    pub calls: Vec<ObserveCall>,
    /// The most that may be touched, with the keys of a grant: `digest`, `fs`, `http`,
    /// `http_deny`, `secrets`, `state`, `workspace`, `config`, `accept_risks`, `limits`, `reason`,
    /// `expires_at`, `one_shot`. What the manifest asks for is no bound here. State and a
    /// workspace that are gone afterwards are there in any case, and are granted only where
    /// they are given here; so are empty folders for roots that the manifest asks for.
    #[schema(value_type = Object)]
    pub within: Value,
}

/// One call to be observed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "tool": "read", "arguments": { "path": "/work/notes.md" } })))]
pub struct ObserveCall {
    /// Which tool. May be left out where the skill has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The arguments by parameter name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub arguments: Map<String, Value>,
}

/// What was observed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "skill": "bailiwick/files",
    "version": "0.1.0",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "calls": [],
    "touched": ["read /work/notes.md"],
    "missing": [],
    "unneeded": ["writing below /work"],
    "notes": [],
    "permissions": "[permissions]\n",
    "grant": "version = 1\n"
})))]
pub struct Observed {
    /// The skill.
    pub skill: String,
    /// Its release.
    pub version: String,
    /// The bytes that ran.
    pub digest: String,
    /// How each call ended.
    pub calls: Vec<ObservedCall>,
    /// What they touched, a line each; at most 200.
    pub touched: Vec<String>,
    /// What was used and the manifest doesn't ask for; at most 200.
    pub missing: Vec<String>,
    /// What the manifest asks for and was not used; at most 200.
    pub unneeded: Vec<String>,
    /// What a person should know beside it; at most 200.
    pub notes: Vec<String>,
    /// The smallest `[permissions]` of a `skill.toml`, as TOML.
    pub permissions: String,
    /// The smallest grant, as a file that can be imported.
    pub grant: String,
}

/// How one observed call ended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "tool": "read",
    "outcome": "succeeded",
    "output": { "text": "one" },
    "denials": [],
    "usage": {
        "wall_us": 412,
        "memory_bytes": 1_114_112,
        "host_calls": 3,
        "input_bytes": 26,
        "output_bytes": 30,
        "http_sent_bytes": 0,
        "http_received_bytes": 0
    },
    "log": ""
})))]
pub struct ObservedCall {
    /// The tool.
    pub tool: String,
    /// `succeeded`, `failed` (the tool's own failure), or the code of a problem.
    pub outcome: String,
    /// What the tool answered, where it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub output: Option<Box<RawValue>>,
    /// Its own failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub failure: Option<Box<RawValue>>,
    /// Why there is neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What was refused, because it lies beyond the bounds.
    pub denials: Vec<Denial>,
    /// What it cost.
    pub usage: Usage,
    /// What it wrote to stdout and stderr.
    pub log: String,
}
