//! The catalogue: which skills there are, and what they offer and need.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::permission::{LimitsRequest, Permissions};

/// What a skill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A component whose exported functions are tools.
    Tool,
    /// Instructions alone.
    Prompt,
    /// A component that drives other skills.
    Workflow,
}

/// A skill as a path names it, in the newest release or in others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SelectorPath {
    /// The part of the id before the slash.
    #[param(example = "bailiwick")]
    pub namespace: String,
    /// The part behind it, with `@` and a version or range where the newest release will not do.
    #[param(example = "files")]
    pub name: String,
}

/// A skill as a path names it, whatever its release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct IdPath {
    /// The part of the id before the slash.
    #[param(example = "bailiwick")]
    pub namespace: String,
    /// The part behind it.
    #[param(example = "files")]
    pub name: String,
}

/// Which skills to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SkillsQuery {
    /// Words that must all occur in the id, the description, or the name or
    /// description of a tool; upper and lower case are the same. At most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "json filter")]
    pub q: Option<String>,
    /// Only skills whose id begins with this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "bailiwick")]
    pub namespace: Option<String>,
    /// Only skills of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<Kind>,
    /// How many at the most, 1 to 200; 50 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Which release to describe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SkillQuery {
    /// A version or a range, such as `0.1.2`, `^0.1` or `>=1, <3`; the newest
    /// release that fits is described. Either here or in the path, behind `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "^0.1")]
    pub version: Option<String>,
}

/// One page of the catalogue, in the order of ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "skills": [{
        "id": "bailiwick/calculate",
        "version": "0.1.0",
        "kind": "tool",
        "description": "Exact decimal arithmetic.",
        "tools": ["evaluate"]
    }],
    "broken": [],
    "next_cursor": "MTpiYWlsaXdpY2svY2FsY3VsYXRl"
})))]
pub struct SkillPage {
    /// The newest release of each skill.
    pub skills: Vec<SkillSummary>,
    /// Packages that can't be used; only on the first page.
    pub broken: Vec<BrokenPackage>,
    /// For `cursor` of the next request. Left out on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The newest release of a skill, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "bailiwick/calculate",
    "version": "0.1.0",
    "kind": "tool",
    "description": "Exact decimal arithmetic.",
    "tools": ["evaluate"]
})))]
pub struct SkillSummary {
    /// `namespace/name`.
    pub id: String,
    /// The release.
    pub version: String,
    /// What it is.
    pub kind: Kind,
    /// What it does and when to use it, from its SKILL.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The names of its tools.
    pub tools: Vec<String>,
}

/// A package that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "package": "calculate", "error": "skill.toml: unknown key `versoin`" })))]
pub struct BrokenPackage {
    /// The name of its folder.
    pub package: String,
    /// What is wrong with it.
    pub error: String,
}

/// All that is known of one release of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "bailiwick/calculate",
    "version": "0.1.0",
    "kind": "tool",
    "versions": ["0.1.0"],
    "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "size_bytes": 201_344,
    "description": "Exact decimal arithmetic. Use it for sums of money.",
    "license": "Apache-2.0",
    "instructions": "# Calculate\n\nCall `evaluate` with an expression.\n",
    "tools": [{
        "name": "evaluate",
        "description": "Evaluates an expression.",
        "input_schema": {
            "type": "object",
            "properties": { "expression": { "type": "string" } },
            "required": ["expression"],
            "additionalProperties": false
        },
        "output_schema": { "type": "string" },
        "risk_tags": [],
        "idempotent": true
    }],
    "imports": ["wasi:clocks/wall-clock@0.2.6"],
    "permissions": {
        "fs": [], "http": [], "http_deny": [], "config": [],
        "secrets": [], "skills": [], "models": [], "shell": []
    },
    "limits": { "memory_bytes": 67_108_864, "deadline_ms": 5000 },
    "risk_tags": [],
    "model_preferences": [],
    "warnings": []
})))]
pub struct SkillDetail {
    /// `namespace/name`.
    pub id: String,
    /// The release.
    pub version: String,
    /// What it is.
    pub kind: Kind,
    /// All releases of the skill, newest first.
    pub versions: Vec<String>,
    /// sha256 of the component, or of the SKILL.md of a prompt. A grant is bound to it.
    pub digest: String,
    /// Bytes of the component. Left out for prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// What it does and when to use it, from its SKILL.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its license, or the file that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// What it needs of its surroundings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility: Option<String>,
    /// Tools that its author would let the instructions use without asking, as they stand in
    /// its SKILL.md. They give nothing: grants and approvals decide. Left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_tools: Vec<String>,
    /// The body of its SKILL.md, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// What it can be called for.
    pub tools: Vec<ToolDetail>,
    /// Interfaces that the component imports. What is not here, it can never
    /// reach, whatever it is granted.
    pub imports: Vec<String>,
    /// What it asks for. Nothing of it is given without a grant.
    pub permissions: Permissions,
    /// Limits that it asks for.
    pub limits: LimitsRequest,
    /// What its calls risk, such as `destructive`.
    pub risk_tags: Vec<String>,
    /// Models that it works best with, best first.
    pub model_preferences: Vec<String>,
    /// What its author should know.
    pub warnings: Vec<String>,
}

/// One tool of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "evaluate",
    "description": "Evaluates an expression.",
    "input_schema": { "type": "object" },
    "output_schema": { "type": "string" },
    "risk_tags": [],
    "idempotent": true
})))]
pub struct ToolDetail {
    /// What to put into `tool` of a call.
    pub name: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of `arguments`.
    pub input_schema: Value,
    /// JSON Schema of `output`.
    pub output_schema: Value,
    /// JSON Schema of `failure` in a `tool-failed` problem. Left out where the tool can't fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_schema: Option<Value>,
    /// What its calls risk.
    pub risk_tags: Vec<String>,
    /// Whether a call that was cut off may simply be made again.
    pub idempotent: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_query_key_is_an_error() {
        assert!(serde_json::from_str::<SkillsQuery>(r#"{"page":2}"#).is_err());
        assert!(serde_json::from_str::<SkillQuery>(r#"{"verison":"1"}"#).is_err());
    }
}
