//! Graphs of agents, as they are exported and imported.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who works after whom, and on what. It has no cycles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "nodes": [
        { "id": "plan", "agent": "planner" },
        { "id": "code", "agent": "coder", "input": "Do what this plan says: {{plan}}" }
    ],
    "edges": [{ "from": "plan", "to": "code", "label": "plan" }]
})))]
pub struct RunGraph {
    /// The agents at work.
    #[schema(min_items = 1, max_items = 1000)]
    pub nodes: Vec<GraphNode>,
    /// What leads from one to another.
    #[serde(default)]
    #[schema(max_items = 10000)]
    pub edges: Vec<GraphEdge>,
}

/// An agent with something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "id": "code", "agent": "coder", "input": "Do what this plan says: {{plan}}", "join": "all", "optional": false
})))]
pub struct GraphNode {
    /// Its name in the graph: 1 to 64 of a-z, 0-9, `_` and `-`, and not `input`.
    pub id: String,
    /// Who does it.
    pub agent: String,
    /// What it is asked. `{{input}}` is what the run was asked, and `{{NODE}}` the output of a
    /// node upstream. Left out, it is what the run was asked and the output of each node that
    /// leads here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// How many of the edges that lead here have to be taken.
    #[serde(default)]
    pub join: GraphJoin,
    /// Whether the run goes on where it fails.
    #[serde(default)]
    pub optional: bool,
}

/// How many of the edges that lead to a node have to be taken before it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GraphJoin {
    /// Every one.
    #[default]
    All,
    /// One.
    Any,
}

/// What leads from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "from": "check", "to": "mend", "label": "what failed", "when": { "kind": "contains", "text": "FAILED" }
})))]
pub struct GraphEdge {
    /// The id of its source.
    pub from: String,
    /// The id of its target.
    pub to: String,
    /// What is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it is taken; always, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<GraphCondition>,
}

/// When an edge is taken. All but `failed` ask for a source that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(examples(json!({ "kind": "contains", "text": "FAILED" })))]
pub enum GraphCondition {
    /// The source is done.
    Always {},
    /// Its output has this text somewhere, in the same case.
    Contains {
        /// What is looked for.
        text: String,
    },
    /// Its output is this text.
    Equals {
        /// What is expected.
        text: String,
    },
    /// The last line of its output is the edge's label.
    MatchesLabel {},
    /// The source failed.
    Failed {},
}
